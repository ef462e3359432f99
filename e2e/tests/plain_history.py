"""A table with a random history, written by the Delta protocol alone: plain_history.py FOLDER SEED OPTIONS

It does what the package of history.py cannot: deletion vectors, column mapping, wider types, change data files of one's own.
OPTIONS is a JSON object: "feed" (change data feed on), "vectors" (deletion vectors), "mapping" ("name", "id", or "later":
switched on for a table that has files), "widening", "composite" (two key columns), "partitioned".
Makes the table, then carries out one operation for each line on its input and answers it with one JSON line
{"operation", "version"}. The same seed gives the same history.
"""

import json, random, sys

import plain_rows, plain_shape
from plain_shape import column, is_mapped, numbered
from plain_table import FEED, MODE, MOST, State, Table
from plain_values import physical, random_value

REGIONS = ["eu", "us", "of \"the\" 'rest'", "a/b=c%20 ü"]


def struct_of(*fields):
    return {"type": "struct", "fields": list(fields)}


def array_of(kind):
    return {"type": "array", "elementType": kind, "containsNull": True}


def first_columns(options):
    narrow = options.get("widening")
    details = struct_of(
        column("count", "integer"), column("size", "float"), column("inner", struct_of(column("when", "date"), column("labels", array_of("string"))))
    )
    return [
        column("id", "integer" if narrow else "long"), column("region", "string"), column("bucket", "short"),
        column("name", "string"), column("price", "float" if narrow else "double"), column("quantity", "short" if narrow else "integer"),
        column("small", "byte"), column("amount", "decimal(12,2)"), column("exact", "decimal(38,10)"), column("flag", "boolean"),
        column("blob", "binary"), column("day", "date"), column("seen_at", "timestamp"), column("local", "timestamp_ntz"),
        column("tags", array_of("short")), column("details", details),
        column("measures", {"type": "map", "keyType": "string", "valueType": "decimal(9,3)", "valueContainsNull": True}),
    ]


class History:
    def __init__(self, folder, seed, options):
        self.folder, self.pick, self.options = folder, random.Random(seed), options
        self.last_id, self.types, self.table = 0, {}, None
        # A table that takes the place of another one has its names with the same types, or else no copy could follow. So either
        # names change as they like, or tables.
        self.keeps_types = self.pick.random() < 0.5
        fields = first_columns(options)
        self.first_names = {f["name"] for f in fields}
        self.create(fields, ["region", "bucket"] if options.get("partitioned") else [])

    def create(self, fields, partitions):
        options, configuration = self.options, {"owner": "shop"}
        features = [name for option, name in
                    {"vectors": "deletionVectors", "mapping": "columnMapping", "widening": "typeWidening"}.items() if options.get(option)]
        if options.get("vectors"):
            configuration["delta.enableDeletionVectors"] = "true"
        if options.get("widening"):
            configuration["delta.enableTypeWidening"] = "true"
        if options.get("feed"):
            configuration[FEED] = "true"
        if options.get("mapping") in ("name", "id"):
            fields, most = numbered(self, fields, 0)
            configuration |= {MODE: options["mapping"], MOST: str(most)}
        self.table = Table(self.folder, self.pick, None, features)
        self.table.state = State(str(self.table.number()), fields, partitions, configuration)
        commit = self.table.commit("CREATE TABLE")
        commit.set()
        commit.write(self.rows(self.new_keys(200)))
        commit.done()

    # Keys and rows

    def new_id(self):
        self.last_id += 1
        return self.last_id

    def new_keys(self, count):
        regions = self.options.get("composite")
        ids = [self.new_id() for _ in range(count)]
        if regions:
            return [(i, region) for i in ids for region in self.pick.sample(REGIONS, self.pick.choice([1, 2]))]
        return [(i, self.pick.choice([None, *REGIONS])) for i in ids]

    def value(self, field):
        """A random value; a few ones for what the table is partitioned by."""
        is_partition = field["name"] in self.table.state.partitions
        return self.pick.choice([None, 1, 2, -3]) if is_partition else random_value(self.pick, field["type"])

    def rows(self, keys):
        fields = self.table.state.fields
        names = {"id": 0, "region": 1}
        return [
            {physical(f): key[names[f["name"]]] if f["name"] in names else self.value(f) for f in fields} for key in keys
        ]

    # Steps

    def step(self):
        operations = plain_rows.OFTEN * 6 + plain_rows.SOMETIMES * 3 + plain_rows.RARELY + plain_shape.OFTEN + plain_shape.RARELY
        if is_mapped(self):
            operations += plain_shape.MAPPED * 2
        elif self.options.get("mapping"):
            operations += [plain_shape.map_columns] * 4
        if self.options.get("widening"):
            operations += [plain_shape.widen_column] * 5
        if not self.keeps_types:
            operations = [operation for operation in operations if operation not in plain_shape.OTHER_TABLES]
        operation = self.pick.choice(operations)
        plain_shape.note_types(self, self.table.state.fields)
        return operation(self) or operation.__name__


def main():
    history = History(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
    print(json.dumps({"operation": "create", "version": 0}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"operation": history.step(), "version": history.table.version}), flush=True)


if __name__ == "__main__":
    main()
