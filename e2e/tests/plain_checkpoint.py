"""Checkpoints of plain histories (Delta protocol, section "Checkpoints")."""

import json, os

import pyarrow as pa
import pyarrow.parquet as pq

TEXT, WHOLE, FLAG = pa.string(), pa.int64(), pa.bool_()
TEXTS = pa.map_(TEXT, TEXT)
VECTOR = pa.struct({"storageType": TEXT, "pathOrInlineDv": TEXT, "offset": pa.int32(), "sizeInBytes": pa.int32(), "cardinality": WHOLE})
SCHEMA = pa.schema({
    "protocol": pa.struct({
        "minReaderVersion": pa.int32(), "minWriterVersion": pa.int32(), "readerFeatures": pa.list_(TEXT), "writerFeatures": pa.list_(TEXT)}),
    "metaData": pa.struct({
        "id": TEXT, "description": TEXT, "format": pa.struct({"provider": TEXT, "options": TEXTS}), "schemaString": TEXT,
        "partitionColumns": pa.list_(TEXT), "configuration": TEXTS, "createdTime": WHOLE}),
    "add": pa.struct({
        "path": TEXT, "partitionValues": TEXTS, "size": WHOLE, "modificationTime": WHOLE, "dataChange": FLAG, "stats": TEXT, "deletionVector": VECTOR}),
})


def checkpoint(history):
    """A classic checkpoint; half of the time earlier commits go."""
    table = history.table
    metadata = table.metadata() | {"configuration": list(table.state.configuration.items()), "format": {"provider": "parquet", "options": []}}
    adds = [table.added(file, False) for file in table.state.files.values()]
    adds = [{"add": {**add, "partitionValues": list(add["partitionValues"].items())}} for add in adds]
    rows = [{"protocol": table.protocol()}, {"metaData": metadata}, *adds]
    log = os.path.join(table.root, "_delta_log")
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), f"{log}/{table.version:020d}.checkpoint.parquet")
    with open(f"{log}/_last_checkpoint", "w") as file:
        json.dump({"version": table.version, "size": len(rows)}, file)
    if history.pick.random() < 0.5:
        for name in os.listdir(log):
            if name[:20].isdigit() and int(name[:20]) < table.version:
                os.remove(os.path.join(log, name))
