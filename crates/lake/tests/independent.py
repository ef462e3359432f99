"""Reads Delta tables with readers that are not Lakefront's and prints their rows in one canonical form.

    independent.py TABLE[@VERSION]...

For each table and reader one JSON line: {"table", "version", "reader", "rows"}, or "error" instead of rows. Rows are
sorted texts. The readers: `replay`, a plain replay of the log with pyarrow, from the last checkpoint; `commits`, the same
from commit 0 without any checkpoint; `deltalake`; `duckdb` (the last two stand on forms of delta_kernel themselves).

A value is null, true or false, an integer, a string, or a tagged array: ["f", bits], ["d", bits], ["dec", text],
["bin", hex], ["date", days], ["ts", micros], ["ntz", micros], ["list", …], ["map", [k, v]…] sorted, ["struct", [name,
v]…], ["variant", metadata hex, value hex].
"""

import glob, json, math, os, re, struct, sys, urllib.parse, uuid, zlib
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


# ---- values -------------------------------------------------------------------------------------------------------

def bits(tag, value, code, width):
    if value is None:
        return None
    if math.isnan(value):
        return [tag, "nan"]
    return [tag, struct.pack(">" + code, value).hex().zfill(width)]


def leaf(array, kind):
    """A column of a scalar type as canonical values."""
    if kind == "void" or pa.types.is_null(array.type):
        return [None] * len(array)
    if kind == "boolean":
        return array.to_pylist()
    if kind in ("byte", "short", "integer", "long"):
        return array.cast(pa.int64()).to_pylist()
    if kind == "float":
        return [bits("f", v, "f", 8) for v in array.cast(pa.float32()).to_pylist()]
    if kind == "double":
        return [bits("d", v, "d", 16) for v in array.cast(pa.float64()).to_pylist()]
    if kind.startswith("decimal"):
        precision, scale = map(int, re.findall(r"\d+", kind))
        values = array.cast(pa.decimal128(precision, scale)).to_pylist()
        return [None if v is None else ["dec", format(v, "f")] for v in values]
    if kind == "string":
        return array.cast(pa.string()).to_pylist()
    if kind == "binary":
        return [None if v is None else ["bin", v.hex()] for v in array.cast(pa.binary()).to_pylist()]
    if kind == "date":
        return [None if v is None else ["date", v] for v in array.cast(pa.date32()).cast(pa.int32()).to_pylist()]
    if kind in ("timestamp", "timestamp_ntz"):
        zone = array.type.tz if pa.types.is_timestamp(array.type) else None
        micros = array.cast(pa.timestamp("us", zone)).cast(pa.int64()).to_pylist()
        tag = "ts" if kind == "timestamp" else "ntz"
        return [None if v is None else [tag, v] for v in micros]
    raise ValueError(f"type {kind}")


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def values(array, kind, names):
    """A column as canonical values. `names` finds a struct's child: (arrow struct type, field) -> index or None."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(kind, str):
        if kind == "variant":
            metadata, value = (array.field(n).to_pylist() for n in ("metadata", "value"))
            nulls = array.is_null().to_pylist()
            return [None if n else ["variant", m.hex(), v.hex()] for n, m, v in zip(nulls, metadata, value)]
        return leaf(array, kind)
    nulls = array.is_null().to_pylist()
    if kind["type"] == "array":
        inner = values(array.values, kind["elementType"], names)
        offsets = array.offsets.to_pylist()
        return [None if n else ["list", *inner[offsets[i]:offsets[i + 1]]] for i, n in enumerate(nulls)]
    if kind["type"] == "map":
        keys = values(array.keys, kind["keyType"], names)
        items = values(array.items, kind["valueType"], names)
        offsets = array.offsets.to_pylist()
        pairs = lambda i: [[keys[j], items[j]] for j in range(offsets[i], offsets[i + 1])]
        return [None if n else ["map", *sorted(pairs(i), key=dumps)] for i, n in enumerate(nulls)]
    if kind["type"] == "struct":
        columns = []
        for field in kind["fields"]:
            index = names(array.type, field)
            child = [None] * len(array) if index is None else values(array.field(index), field["type"], names)
            columns.append((field["name"], child))
        return [None if n else ["struct", *[[name, c[i]] for name, c in columns]] for i, n in enumerate(nulls)]
    raise ValueError(f"type {kind}")


def logical_index(arrow_struct, field):
    index = arrow_struct.get_field_index(field["name"])
    if index < 0:
        folded = [arrow_struct.field(i).name.lower() for i in range(arrow_struct.num_fields)]
        index = folded.index(field["name"].lower()) if field["name"].lower() in folded else -1
    return None if index < 0 else index


def canonical(table, schema):
    """The rows of an Arrow table with logical names."""
    columns = []
    for field in schema["fields"]:
        index = table.schema.get_field_index(field["name"])
        if index < 0:
            columns.append([None] * len(table))
        else:
            columns.append(values(table.column(index), field["type"], logical_index))
    return sorted(dumps(list(row)) for row in zip(*columns))


# ---- the log ------------------------------------------------------------------------------------------------------

def parquet_actions(path):
    for row in pq.ParquetFile(path).read().to_pylist():
        for kind in ("add", "metaData", "protocol", "sidecar"):
            action = row.get(kind)
            if action is None:
                continue
            for key in ("partitionValues", "configuration"):
                if isinstance(action.get(key), list):
                    action[key] = dict(action[key])
            yield {kind: action}


def json_actions(path):
    with open(path, "rb") as file:
        for line in file.read().split(b"\n"):
            if line.strip():
                yield json.loads(line)


def checkpoint_actions(log, version):
    files = [f for f in glob.glob(f"{log}/{version:020d}.checkpoint*") if not f.endswith(".crc")]
    classic = [f for f in files if re.search(r"\.checkpoint(\.\d{10}\.\d{10})?\.parquet$", f)]
    for path in sorted(classic) or sorted(files)[:1]:
        for action in parquet_actions(path) if path.endswith(".parquet") else json_actions(path):
            if "sidecar" in action:
                name = urllib.parse.unquote(action["sidecar"]["path"])
                yield from parquet_actions(f"{log}/_sidecars/{name}")
            else:
                yield action


def snapshot(root, wanted, use_checkpoints=True):
    """Metadata and live adds: replays from the last checkpoint, or from commit 0."""
    log = os.path.join(root, "_delta_log")
    commits = {int(m[1]): f for f in os.listdir(log) if (m := re.fullmatch(r"(\d{20})\.json", f))}
    points = {int(m[1]) for f in os.listdir(log) if (m := re.match(r"(\d{20})\.checkpoint", f))}
    latest = max([*commits, *points])
    target = latest if wanted is None else wanted
    if target > latest or target < 0:
        raise ValueError(f"no version {target}")
    usable = [p for p in points if p <= target] if use_checkpoints else []
    first = max(usable, default=0)
    metadata, protocol, live = None, None, {}
    for version in range(first, target + 1):
        if usable and version == first:
            actions = checkpoint_actions(log, version)
        else:
            actions = json_actions(os.path.join(log, commits[version]))
        for action in actions:
            metadata = action.get("metaData") or metadata
            protocol = action.get("protocol") or protocol
            for kind in ("add", "remove"):
                if file := action.get(kind):
                    vector = file.get("deletionVector")
                    key = (urllib.parse.unquote(file["path"]), dumps([vector.get(k) for k in ("storageType", "pathOrInlineDv", "offset")]) if vector else None)
                    if kind == "add":
                        live[key] = file
                    else:
                        live.pop(key, None)
    return target, metadata, protocol, list(live.values())


# ---- deletion vectors ---------------------------------------------------------------------------------------------

def z85(text):
    """Bytes of a text. A last group of fewer than four bytes begins with a `#` for each that is missing (no group of
    four can begin so: it would pass 32 bits)."""
    out = bytearray()
    for i in range(0, len(text), 5):
        number = 0
        group = text[i:i + 5].lstrip("#")
        for c in group:
            number = number * 85 + Z85.index(c)
        out += number.to_bytes(len(group) - 1, "big")
    return bytes(out)


def roaring32(data, at):
    (cookie,) = struct.unpack_from("<I", data, at)
    at += 4
    runs = b""
    if cookie & 0xFFFF == 12347:
        count = (cookie >> 16) + 1
        runs = data[at:at + (count + 7) // 8]
        at += len(runs)
    else:
        assert cookie == 12346, cookie
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
    heads = [struct.unpack_from("<HH", data, at + 4 * i) for i in range(count)]
    at += 4 * count
    if not runs or count >= 4:
        at += 4 * count
    found = []
    for i, (key, less) in enumerate(heads):
        high, card = key << 16, less + 1
        if runs and runs[i // 8] >> (i % 8) & 1:
            (n,) = struct.unpack_from("<H", data, at)
            at += 2
            for _ in range(n):
                start, length = struct.unpack_from("<HH", data, at)
                at += 4
                found += range(high + start, high + start + length + 1)
        elif card <= 4096:
            found += [high + v for v in struct.unpack_from(f"<{card}H", data, at)]
            at += 2 * card
        else:
            words = struct.unpack_from("<1024Q", data, at)
            at += 8192
            found += [high + 64 * w + b for w, word in enumerate(words) for b in range(64) if word >> b & 1]
    return found, at


def deleted_rows(root, vector):
    if vector is None:
        return set()
    if vector["storageType"] == "i":
        data = z85(vector["pathOrInlineDv"])
    else:
        if vector["storageType"] == "u":
            name = vector["pathOrInlineDv"]
            prefix, coded = name[:-20], name[-20:]
            path = os.path.join(root, prefix, f"deletion_vector_{uuid.UUID(bytes=z85(coded))}.bin")
        else:
            path = urllib.parse.unquote(vector["pathOrInlineDv"].removeprefix("file://"))
        with open(path, "rb") as file:
            whole = file.read()
        at = vector.get("offset") or 1
        (size,) = struct.unpack_from(">I", whole, at)
        data = whole[at + 4:at + 4 + size]
        (crc,) = struct.unpack_from(">I", whole, at + 4 + size)
        assert crc == zlib.crc32(data), "checksum of a deletion vector"
    (magic, count) = struct.unpack_from("<iQ", data, 0)
    assert magic == 1681511377, magic
    at, found = 12, set()
    for _ in range(count):
        (key,) = struct.unpack_from("<I", data, at)
        rows, at = roaring32(data, at + 4)
        found.update((key << 32) + r for r in rows)
    assert len(found) == vector["cardinality"]
    return found


# ---- the readers --------------------------------------------------------------------------------------------------

def partition_value(text, kind):
    if text is None or (text == "" and kind != "string" and kind != "binary"):
        return None
    if text == "":
        return None  # the protocol: an empty string is null
    if kind == "string":
        return text
    if kind == "binary":
        return ["bin", text.encode().hex()]
    if kind in ("byte", "short", "integer", "long"):
        return int(text)
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "float":
        return bits("f", float(text), "f", 8)
    if kind == "double":
        return bits("d", float(text), "d", 16)
    if kind.startswith("decimal"):
        scale = int(re.findall(r"\d+", kind)[1])
        return ["dec", format(Decimal(text).quantize(Decimal(1).scaleb(-scale)), "f")]
    if kind == "date":
        return ["date", pa.scalar(text).cast(pa.date32()).cast(pa.int32()).as_py()]
    zone = "UTC" if text.endswith("Z") else None
    micros = pa.scalar(text.rstrip("Z").replace("T", " ")).cast(pa.timestamp("us")).cast(pa.int64()).as_py()
    assert zone or "+" not in text
    return ["ts" if kind == "timestamp" else "ntz", micros]


def replay(root, version, use_checkpoints=True):
    version, metadata, protocol, adds = snapshot(root, version, use_checkpoints)
    schema = json.loads(metadata["schemaString"])
    mode = (metadata.get("configuration") or {}).get("delta.columnMapping.mode", "none")
    known = {"columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint", "vacuumProtocolCheck", "variantType", "variantType-preview"}
    unknown = set(protocol.get("readerFeatures") or []) - known
    if unknown:
        raise ValueError(f"features {sorted(unknown)}")
    physical = lambda f: f["name"] if mode == "none" else f["metadata"]["delta.columnMapping.physicalName"]
    partitions = set(metadata["partitionColumns"])

    def index_in(arrow_fields, field):
        if mode == "id":
            wanted = str(field["metadata"]["delta.columnMapping.id"]).encode()
            for i, f in enumerate(arrow_fields):
                if (f.metadata or {}).get(b"PARQUET:field_id") == wanted:
                    return i
        names = [f.name for f in arrow_fields]
        return names.index(physical(field)) if physical(field) in names else None

    def names(arrow_struct, field):
        return index_in([arrow_struct.field(i) for i in range(arrow_struct.num_fields)], field)

    rows = []
    for add in adds:
        path = urllib.parse.unquote(add["path"])
        path = path.removeprefix("file://") if path.startswith("file:") else os.path.join(root, path)
        table = pq.ParquetFile(path, coerce_int96_timestamp_unit="us").read()
        gone = deleted_rows(root, add.get("deletionVector"))
        columns = []
        for field in schema["fields"]:
            if field["name"] in partitions:
                value = partition_value(add["partitionValues"].get(physical(field)), field["type"])
                columns.append([value] * len(table))
            else:
                index = index_in(list(table.schema), field)
                if index is None:
                    columns.append([None] * len(table))
                else:
                    columns.append(values(table.column(index), field["type"], names))
        rows += [dumps(list(r)) for i, r in enumerate(zip(*columns)) if i not in gone]
    return sorted(rows)


def commits(root, version):
    return replay(root, version, use_checkpoints=False)


def with_deltalake(root, version):
    from deltalake import DeltaTable, QueryBuilder
    table = DeltaTable(root, version=version)
    schema = json.loads(table.schema().to_json())
    reader = QueryBuilder().register("t", table).execute("select * from t")
    batches = pa.RecordBatchReader.from_stream(reader) if hasattr(reader, "__arrow_c_stream__") else reader
    return canonical(pa.table(batches) if not hasattr(batches, "read_all") else batches.read_all(), schema)


def with_duckdb(root, version):
    import duckdb
    schema = json.loads(snapshot(root, version)[1]["schemaString"])
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute("set timezone = 'UTC'")
    load_duckdb_delta(connection)
    at = "" if version is None else f", version={version}"
    table = connection.execute(f"select * from delta_scan('{root.replace(chr(39), chr(39) * 2)}'{at})").to_arrow_table()
    return canonical(table, schema)


def load_duckdb_delta(connection):
    import duckdb_extension_delta
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    (extension,) = glob.glob(f"{folder}/**/*.duckdb_extension*", recursive=True)[:1]
    connection.execute(f"load '{extension}'")


READERS = {"replay": replay, "commits": commits, "deltalake": with_deltalake, "duckdb": with_duckdb}


def main():
    for wanted in sys.argv[1:]:
        root, _, version = wanted.partition("@")
        version = int(version) if version else None
        for name, read in READERS.items():
            answer = {"table": root, "version": version, "reader": name}
            try:
                answer["rows"] = read(root, version)
            except BaseException as error:  # a panic of an extension module is no Exception
                answer["error"] = f"{type(error).__name__}: {error}"[:300]
            print(dumps(answer), flush=True)


if __name__ == "__main__":
    main()
