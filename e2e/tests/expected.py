"""What PostgreSQL should hold of Delta tables, by a plain replay of their logs: expected.py TABLE...

For each table one JSON line {"table", "columns", "rows"}: each value is the text that PostgreSQL's own input functions
read, or null. The rules are those of the mapping of types, written down here once more, independently.
"""

import base64, datetime, json, os, struct, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../crates/lake/tests"))
import independent

EPOCH = datetime.datetime(1970, 1, 1)


def number(tag, bits):
    if bits == "nan":
        return "NaN"
    value = struct.unpack(">f" if tag == "f" else ">d", bytes.fromhex(bits))[0]
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    # A single float's shortest text is that of its own precision.
    return repr(value) if tag == "d" else shortest_single(value)


def shortest_single(value):
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if struct.pack(">f", float(text)) == struct.pack(">f", value):
            return text if "." in text or "e" in text else text + ".0"
    return repr(value)


def moment(micros, zone):
    return (EPOCH + datetime.timedelta(microseconds=micros)).isoformat(timespec="microseconds") + zone


def day(days):
    return (EPOCH + datetime.timedelta(days=days)).date().isoformat()


def column(value):
    """A value as the text of its PostgreSQL column."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, str)):
        return str(value)
    tag, *rest = value
    if tag in ("f", "d"):
        return number(tag, rest[0])
    if tag == "dec":
        return rest[0]
    if tag == "bin":
        return "\\x" + rest[0]
    if tag == "date":
        return day(rest[0])
    if tag in ("ts", "ntz"):
        return moment(rest[0], "Z" if tag == "ts" else "")
    return in_json(value)


def in_json(value):
    """A value as JSON text."""
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value)
    tag, *rest = value
    if tag in ("f", "d"):
        text = number(tag, rest[0])
        return json.dumps(text) if text[-1] in "Ny" else text
    if tag == "dec":
        return rest[0]
    if tag == "bin":
        return json.dumps(base64.b64encode(bytes.fromhex(rest[0])).decode())
    if tag == "date":
        return json.dumps(day(rest[0]))
    if tag in ("ts", "ntz"):
        return json.dumps(moment(rest[0], "Z" if tag == "ts" else ""))
    if tag == "list":
        return "[" + ",".join(in_json(v) for v in rest) + "]"
    if tag == "map":
        return "{" + ",".join(json.dumps(column(k)) + ":" + in_json(v) for k, v in rest) + "}"
    if tag == "struct":
        return "{" + ",".join(json.dumps(name) + ":" + in_json(v) for name, v in rest) + "}"
    if tag == "variant":
        return "null"  # its bytes are not decoded here: such tables are only counted
    raise ValueError(f"no JSON for {tag}")


def main():
    for table in sys.argv[1:]:
        answer = {"table": table}
        try:
            schema = json.loads(independent.snapshot(table, None)[1]["schemaString"])
            kept = [i for i, f in enumerate(schema["fields"]) if f["type"] != "void"]
            answer["columns"] = [schema["fields"][i]["name"] for i in kept]
            rows = [json.loads(row) for row in independent.replay(table, None)]
            answer["rows"] = [[column(row[i]) for i in kept] for row in rows]
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
