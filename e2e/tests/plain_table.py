"""A Delta table written by the protocol alone: its state, its files, and its commits."""

import copy, dataclasses, json, os, urllib.parse, uuid

import pyarrow as pa
import pyarrow.parquet as pq

from plain_values import adapted, arrow_field, physical
from plain_vectors import VectorFile

FEED = "delta.enableChangeDataFeed"
MODE, MOST = "delta.columnMapping.mode", "delta.columnMapping.maxColumnId"


@dataclasses.dataclass(frozen=True)
class File:
    """A live file: its rows as they were written, and which of them are gone."""
    path: str  # on disk, below the table
    values: dict  # of partition columns, as texts by physical names
    rows: list
    size: int
    stats: bool
    vector: dict = None
    gone: frozenset = frozenset()

    def left(self):
        return [(i, row) for i, row in enumerate(self.rows) if i not in self.gone]


@dataclasses.dataclass
class State:
    """A version of a table."""
    id: str
    fields: list
    partitions: list  # logical names
    configuration: dict
    description: str = None
    files: dict = dataclasses.field(default_factory=dict)


class Table:
    """A table and the random source of all that its writer may choose."""

    def __init__(self, root, pick, state, features):
        self.root, self.pick, self.features = root, pick, features
        self.state, self.past, self.version = state, [], -1

    def number(self):
        return uuid.UUID(int=self.pick.getrandbits(128))

    def commit(self, operation):
        return Commit(self, operation)

    def field(self, name):
        return next(f for f in self.state.fields if f["name"] == name)

    def rows(self):
        """The live rows, each as (file, place in it, row)."""
        return [(file, i, row) for file in self.state.files.values() for i, row in file.left()]

    def has_feed(self):
        return self.state.configuration.get(FEED) == "true"

    def is_there(self, file):
        vector = file.vector or {"storageType": "i"}
        return os.path.exists(os.path.join(self.root, file.path)) and (vector["storageType"] == "i" or os.path.exists(vector["file"]))

    def metadata(self):
        state = self.state
        schema = json.dumps({"type": "struct", "fields": state.fields}, ensure_ascii=False)
        told = {"description": state.description} if state.description is not None else {}
        return {
            "id": state.id, "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
            "partitionColumns": state.partitions, "configuration": state.configuration, "createdTime": 1_700_000_000_000, **told,
        }

    def added(self, file, data_change):
        """What the log says of a live file."""
        action = {"path": quoted(file.path), "partitionValues": file.values, "size": file.size, "modificationTime": self.time(), "dataChange": data_change}
        if file.stats or file.vector:
            action["stats"] = json.dumps({"numRecords": len(file.rows), "tightBounds": file.vector is None})
        return action | told(file)

    def time(self):
        return 1_700_000_000_000 + 1000 * self.version

    def protocol(self):
        """Both versions name features; all that this writer uses are named from the beginning."""
        read = ["timestampNtz", *self.features]
        return {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": read, "writerFeatures": [*read, "changeDataFeed", "appendOnly", "invariants"]}


class Commit:
    """Actions of one version, and the state that they lead to."""

    def __init__(self, table, operation):
        self.table, self.pick, self.operation = table, table.pick, operation
        self.heads, self.actions = [], []
        self.vectors = VectorFile(table.root, table.pick)

    # What it says

    def set(self, **changes):
        """Another metadata."""
        self.table.state = dataclasses.replace(self.table.state, **changes)
        self.heads = [{"metaData": self.table.metadata()}]

    def add(self, file, data_change=True):
        self.table.state.files[file.path] = file
        self.actions.append({"add": self.table.added(file, data_change)})

    def remove(self, file, data_change=True):
        del self.table.state.files[file.path]
        action = {"path": quoted(file.path), "deletionTimestamp": self.table.time(), "dataChange": data_change}
        # A writer may leave out what it knows of the file.
        if self.pick.random() < 0.9:
            action |= {"extendedFileMetadata": True, "partitionValues": file.values, "size": file.size}
        self.actions.append({"remove": action | told(file)})

    def mark(self, file, more, data_change=True):
        """More rows of a file are gone."""
        gone = file.gone | frozenset(more)
        self.remove(file, data_change)
        if len(gone) < len(file.rows):
            vector = self.vectors.add(gone) | {"file": self.vectors.path()}
            self.add(dataclasses.replace(file, vector=vector, gone=gone), data_change)

    def write(self, rows, data_change=True):
        """New files of rows, which then are what the files hold: columns of today."""
        most = self.pick.choice([15, 60, 10**6])
        kinds = {physical(f): f["type"] for f in self.table.state.fields}
        rows = [{name: adapted(row.get(name), kind) for name, kind in kinds.items()} for row in rows]
        for values, part in self.parts(rows):
            for at in range(0, len(part), most):
                rows = part[at:at + most]
                path, size = self.store(self.folder(values), "part", values, self.arrow(rows, values))
                self.add(File(path, values, rows, size, self.pick.random() < 0.8), data_change)

    def record(self, changes):
        """Change data files; `changes` are (row, what happened to it)."""
        happened = {id(row): what for row, what in changes}
        for values, rows in self.parts([row for row, _ in changes]):
            self.pick.shuffle(rows)
            arrow = self.arrow(rows, values).append_column("_change_type", pa.array([happened[id(row)] for row in rows], pa.string()))
            path, size = self.store("_change_data/", "cdc", values, arrow)
            self.actions.append({"cdc": {"path": quoted(path), "partitionValues": values, "size": size, "dataChange": False}})

    def done(self):
        table = self.table
        self.vectors.write()
        self.pick.shuffle(self.actions)
        if table.version < 0:
            self.heads.insert(0, {"protocol": table.protocol()})
        table.version += 1
        info = {"timestamp": self.table.time(), "operation": self.operation, "operationParameters": {"said": "raw \u2028 separator"}}
        log = os.path.join(table.root, "_delta_log")
        os.makedirs(log, exist_ok=True)
        lines = [json.dumps(action, ensure_ascii=False) for action in [{"commitInfo": info}, *self.heads, *self.actions]]
        with open(f"{log}/{table.version:020d}.json", "x", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
        state = table.state
        table.past.append(dataclasses.replace(state, files=dict(state.files), fields=copy.deepcopy(state.fields)))

    # Files

    def parts(self, rows):
        """Rows by the values of their partition columns."""
        state, parts = self.table.state, {}
        columns = [physical(f) for f in state.fields if f["name"] in state.partitions]
        for row in rows:
            values = {column: None if row.get(column) is None else str(row[column]) for column in columns}
            parts.setdefault(json.dumps(values), (values, []))[1].append(row)
        return parts.values()

    def folder(self, values):
        if "columnMapping" in self.table.features:
            return "".join(self.pick.choice("abcXYZ") for _ in range(2)) + "/"
        escaped = lambda value: "__HIVE_DEFAULT_PARTITION__" if value is None else urllib.parse.quote(value, safe=" '")
        return "".join(f"{column}={escaped(value)}/" for column, value in values.items())

    def arrow(self, rows, values):
        """Rows of one partition, in the table's types; the order of a file's columns is the writer's."""
        fields = [f for f in self.table.state.fields if physical(f) not in values]
        self.pick.shuffle(fields)
        columns = []
        for field in fields:
            column = [adapted(row.get(physical(field)), field["type"]) for row in rows]
            columns.append(pa.array(column, arrow_field(field).type))
        return pa.table(columns, schema=pa.schema([arrow_field(f) for f in fields]))

    def store(self, folder, kind, values, arrow):
        path = f"{folder}{kind}-{self.table.number()}.parquet"
        where = os.path.join(self.table.root, path)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        pq.write_table(arrow, where, row_group_size=self.pick.choice([7, 50, 10**6]))
        return path, os.path.getsize(where)


def quoted(path):
    """A path as the log has it."""
    return urllib.parse.quote(path, safe="/='")


def told(file):
    """A file's vector as the log has it."""
    return {"deletionVector": {k: v for k, v in file.vector.items() if k != "file"}} if file.vector else {}
