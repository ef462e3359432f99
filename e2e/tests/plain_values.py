"""Columns of plain histories: Delta types as Arrow types, random values of them, and values in wider types.

A type is what a Delta schema has: a name or a JSON object. A row is a dict by physical names, also within structs, so that it
outlives changes of names; what it lacks is NULL.
"""

import datetime, decimal, struct

import pyarrow as pa

decimal.getcontext().prec = 60

EPOCH = datetime.datetime(1970, 1, 1)
TEXTS = ["", "shirt", "größer \u2028 🧥", "a\tb\\N\n", "it's \"so\"", "NULL", "{\"a\": 1}"]
SIZES = {"byte": 8, "short": 16, "integer": 32, "long": 64}
LEAVES = {
    "boolean": pa.bool_(), "byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(), "long": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "binary": pa.binary(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us"),
}


def physical(field):
    return field["metadata"].get("delta.columnMapping.physicalName", field["name"])


def digits(kind):
    """Precision and scale of a decimal."""
    precision, scale = kind[len("decimal("):-1].split(",")
    return int(precision), int(scale)


def arrow_type(kind):
    if isinstance(kind, str):
        return pa.decimal128(*digits(kind)) if kind.startswith("decimal") else LEAVES[kind]
    if kind["type"] == "array":
        return pa.list_(pa.field("element", arrow_type(kind["elementType"])))
    if kind["type"] == "map":
        return pa.map_(arrow_type(kind["keyType"]), arrow_type(kind["valueType"]))
    return pa.struct([arrow_field(f) for f in kind["fields"]])


def arrow_field(field):
    number = field["metadata"].get("delta.columnMapping.id")
    metadata = None if number is None else {"PARQUET:field_id": str(number)}
    return pa.field(physical(field), arrow_type(field["type"]), metadata=metadata)


def adapted(value, kind):
    """A value that may be of a narrower type."""
    if value is None:
        return None
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return [adapted(v, kind["elementType"]) for v in value]
        if kind["type"] == "map":
            return [(adapted(k, kind["keyType"]), adapted(v, kind["valueType"])) for k, v in value]
        return {physical(f): adapted(value.get(physical(f)), f["type"]) for f in kind["fields"]}
    if kind == "double":
        return float(value)
    if kind.startswith("decimal"):
        return decimal.Decimal(value).quantize(decimal.Decimal(1).scaleb(-digits(kind)[1]))
    if kind == "timestamp_ntz" and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return value


def random_value(pick, kind):
    if pick.random() < 0.15:
        return None
    if isinstance(kind, dict):
        if kind["type"] == "array":
            return [random_value(pick, kind["elementType"]) for _ in range(pick.choice([0, 1, 3]))]
        if kind["type"] == "map":
            keys = {present(pick, kind["keyType"]) for _ in range(pick.choice([0, 1, 3]))}
            return [(key, random_value(pick, kind["valueType"])) for key in sorted(keys)]
        return {physical(f): random_value(pick, f["type"]) for f in kind["fields"]}
    return present(pick, kind)


def present(pick, kind):
    """A random value of a scalar type, often one at its edge."""
    if kind == "boolean":
        return pick.random() < 0.5
    if kind in SIZES:
        most = 2 ** (SIZES[kind] - 1) - 1
        return pick.choice([0, most, -most - 1, pick.randint(-5, 5), pick.randint(-most, most)])
    if kind in ("float", "double"):
        value = pick.choice([0.1, -0.0, 1e30, 1e-40, float("inf"), float("nan"), pick.random() * 100])
        return struct.unpack("f", struct.pack("f", value))[0] if kind == "float" else value
    if kind.startswith("decimal"):
        precision, scale = digits(kind)
        most = 10**precision - 1
        return decimal.Decimal(pick.choice([0, most, -most, pick.randint(-most, most)])).scaleb(-scale)
    if kind == "string":
        return pick.choice(TEXTS)
    if kind == "binary":
        return pick.choice([b"", b"\x00\xff\\", pick.randbytes(5)])
    if kind == "date":
        return pick.choice([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(1970, 1, 1 + pick.randint(0, 27))])
    edges = [datetime.datetime.min, datetime.datetime.max, EPOCH - datetime.timedelta(microseconds=1)]
    value = pick.choice([*edges, EPOCH + datetime.timedelta(microseconds=pick.randint(0, 2 * 10**15))])
    return value.replace(tzinfo=datetime.timezone.utc) if kind == "timestamp" else value


def wider(pick, kind):
    """A type that the type may be widened to, or None (Delta protocol, section "Type Widening")."""
    if kind in ("byte", "short", "integer"):
        sizes = list(SIZES)
        exact = {"byte": "decimal(4,1)", "short": "decimal(7,2)", "integer": "decimal(10,0)"}[kind]
        return pick.choice([*sizes[sizes.index(kind) + 1:] * 3, "double", exact])
    if kind == "long":
        return "decimal(20,0)"
    if isinstance(kind, str) and kind.startswith("decimal"):
        precision, scale = digits(kind)
        more = pick.randint(0, 2)
        return f"decimal({precision + 2},{scale + more})" if precision < 30 else None
    return {"float": "double", "date": "timestamp_ntz"}.get(kind) if isinstance(kind, str) else None
