"""A table with a random history, written by the Python package deltalake: history.py FOLDER SEED OPTIONS

OPTIONS is a JSON object: "feed" (change data feed on), "composite" (two key columns), "partitioned", "events" (many rows
of the same id, at different times).
Makes the table, then carries out one operation for each line on its input and answers it with one JSON line
{"operation", "version"}. The same seed gives the same history.
"""

import datetime, decimal, json, random, shutil, sys

import pyarrow as pa
from deltalake import DeltaTable, Field, write_deltalake
from deltalake.schema import PrimitiveType

REGIONS = ["eu", "us", "of \"the\" 'rest'"]
NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)


class History:
    def __init__(self, folder, seed, options):
        self.folder, self.random, self.options = folder, random.Random(seed), options
        self.next_id = 1
        self.extra = []
        self.create()

    def create(self):
        self.extra = []
        self.write(self.rows(self.new_keys(400)), mode="error", configuration=self.configuration())

    def configuration(self):
        return {"delta.enableChangeDataFeed": "true"} if self.options.get("feed") else {}

    def write(self, rows, **how):
        partitions = ["region"] if self.options.get("partitioned") else None
        write_deltalake(self.folder, rows, partition_by=partitions, target_file_size=self.random.choice([2000, 8000, 10**6]), **how)

    def table(self):
        return DeltaTable(self.folder)

    # Keys and rows

    def new_keys(self, count):
        if self.options.get("events"):
            return [(self.random.randint(1, 150), self.random.choice(REGIONS)) for _ in range(count)]
        ids = range(self.next_id, self.next_id + count)
        self.next_id += count
        if not self.options.get("composite"):
            return [(i, self.random.choice(REGIONS)) for i in ids]
        # Each number in one or two regions.
        return [(i, region) for i in ids for region in self.random.sample(REGIONS, self.random.choice([1, 2]))]

    def keys(self):
        found = self.table().to_pyarrow_table(columns=["id", "region"]).to_pylist()
        return sorted((row["id"], row["region"]) for row in found)

    def some(self, keys, most=40):
        return self.random.sample(keys, min(len(keys), self.random.randint(1, most)))

    def rows(self, keys):
        pick = self.random
        columns = {
            "id": pa.array([key[0] for key in keys], pa.int64()),
            "region": pa.array([key[1] for key in keys], pa.string()),
            "name": pa.array([pick.choice([None, "", "shirt", "größer \u2028 🧥", "a\tb\\N\n"]) for _ in keys], pa.string()),
            "price": pa.array([pick.choice([None, 0.1, -0.0, 1e300, pick.random() * 100]) for _ in keys], pa.float64()),
            "quantity": pa.array([pick.choice([None, pick.randint(-5, 5)]) for _ in keys], pa.int32()),
            "amount": pa.array([decimal.Decimal(pick.randint(-10**6, 10**6)) / 100 for _ in keys], pa.decimal128(12, 2)),
            "seen_at": pa.array(
                [NOON + datetime.timedelta(microseconds=pick.randint(-(10**12), 10**12)) for _ in keys], pa.timestamp("us", "UTC")
            ),
            "tags": pa.array([pick.choice([None, [], ["a", None], ["b"] * 3]) for _ in keys], pa.list_(pa.string())),
        }
        for name in self.extra:
            columns[name] = pa.array([pick.choice([None, pick.randint(0, 9)]) for _ in keys], pa.int64())
        return pa.table(columns)

    # Operations

    def append(self):
        self.write(self.rows(self.new_keys(self.random.randint(1, 200))), mode="append")

    def update(self):
        wanted = self.random.randint(0, 6)
        self.table().update(
            predicate=f"id % 7 = {wanted}", updates={"price": f"coalesce(price, 0) + {self.random.randint(0, 3)}", "name": "'updated'"}
        )

    def update_nothing(self):
        self.table().update(predicate="id % 3 = 1", updates={"quantity": "quantity"})

    def update_keys(self):
        keys = self.some(self.keys(), 10)
        numbers = ", ".join(str(key[0]) for key in keys)
        # Keys never come above this, so that moved ones are free.
        shift = 1_000_000 * self.random.randint(1, 9) + self.next_id * 10_000_000
        self.table().update(predicate=f"id IN ({numbers})", updates={"id": f"id + {shift}"})

    def delete(self):
        self.table().delete(f"id % 13 = {self.random.randint(0, 12)}")

    def delete_old(self):
        """What is older than some moment, as retention does."""
        days = self.random.randint(6, 11)
        moment = (NOON - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.table().delete(f"seen_at < '{moment}'")

    def delete_all(self):
        self.table().delete()

    def come_back(self):
        """Deletes rows and inserts their keys again, in commits of their own."""
        keys = self.some(self.keys())
        for key in keys[:3]:
            region = key[1].replace("'", "''")
            self.table().delete(f"id = {key[0]} AND region = '{region}'")
        self.write(self.rows(keys[:3]), mode="append")

    def merge(self):
        old = self.some(self.keys())
        source = self.rows(old + self.new_keys(self.random.randint(0, 20)))
        merger = self.table().merge(
            source, "t.id = s.id AND t.region = s.region", source_alias="s", target_alias="t"
        )
        if self.random.random() < 0.5:
            merger = merger.when_matched_delete(predicate="s.id % 3 = 0")
        merger.when_matched_update_all().when_not_matched_insert_all().execute()

    def overwrite(self):
        keys = self.keys()
        kept = self.random.sample(keys, len(keys) // 2)
        self.write(self.rows(kept + self.new_keys(50)), mode="overwrite")

    def overwrite_some(self):
        keys = [key for key in self.keys() if key[0] % 2 == 0]
        self.write(self.rows(self.some(keys, 60) if keys else []), mode="overwrite", predicate="id % 2 = 0")

    def compact(self):
        self.table().optimize.compact()

    def z_order(self):
        self.table().optimize.z_order(["price"])

    def vacuum(self):
        self.table().vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    def checkpoint(self):
        self.table().create_checkpoint()

    def restore(self):
        table = self.table()
        if len(table.schema().fields) != 8 + len(self.extra):
            return
        newest = table.version()
        target = self.random.randint(max(0, newest - 6), newest)
        old = DeltaTable(self.folder, version=target)
        if old.schema() == table.schema() and old.metadata().id == table.metadata().id:
            table.restore(target)

    def add_column(self):
        name = f"extra_{len(self.extra)}"
        self.table().alter.add_columns([Field(name, PrimitiveType("long"), nullable=True)])
        self.extra.append(name)

    def drop_column(self):
        """Without column mapping a column goes by overwriting all."""
        if self.extra:
            self.extra.pop()
            self.write(self.rows(self.keys()), mode="overwrite", schema_mode="overwrite")

    def append_with_new_column(self):
        self.extra.append(f"extra_{len(self.extra)}")
        self.write(self.rows(self.new_keys(30)), mode="append", schema_mode="merge")

    def switch_feed(self):
        if "feed" in self.options:
            self.options["feed"] = not self.options["feed"]
            value = "true" if self.options["feed"] else "false"
            self.table().alter.set_table_properties({"delta.enableChangeDataFeed": value})

    def make_again(self):
        shutil.rmtree(self.folder)
        self.create()

    def step(self):
        often = [self.append, self.update, self.merge, self.delete] * 4
        if self.options.get("events"):
            often = [self.append, self.append, self.update, self.delete_old] * 4
        sometimes = [
            self.update_nothing, self.update_keys, self.come_back, self.overwrite, self.overwrite_some, self.compact,
            self.z_order, self.restore, self.add_column, self.append_with_new_column, self.checkpoint,
        ]
        rarely = [self.vacuum, self.delete_all, self.drop_column, self.switch_feed, self.make_again]
        operation = self.random.choice(often + sometimes * 2 + rarely)
        try:
            operation()
            return operation.__name__
        except Exception as error:
            # An operation that the package itself refuses (such as a restore of vacuumed files) is no part of the history.
            return f"{operation.__name__} (refused: {str(error)[:300]})"


def main():
    folder, seed, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    history = History(folder, seed, options)
    print(json.dumps({"operation": "create", "version": 0}), flush=True)
    for _ in sys.stdin:
        operation = history.step()
        print(json.dumps({"operation": operation, "version": DeltaTable(folder).version()}), flush=True)


if __name__ == "__main__":
    main()
