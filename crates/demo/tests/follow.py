"""Follows the change feed of the demo's lake with the package deltalake and says what is wrong.

usage: follow.py SCHEMA_FOLDER STEPS.json

From the first full version on, each change is applied to the rows before it: what a change says
was there must have been there, and at the end the rows must be those of the newest version.
STEPS.json says which commits were made and how many rows each inserted, updated and deleted.
"""

import collections
import json
import sys

import numpy
import pyarrow
from deltalake import DeltaTable

# Version 0 creates a table, version 1 fills it.
FIRST = 1


def rows_by_key(table, extra=()):
    """Key to the row's values; an embedding as its bytes."""
    table = pyarrow.table(table)
    names = [name for name in table.column_names if not name.startswith("_")]
    columns = {}
    for name in names:
        column = table.column(name).combine_chunks()
        if pyarrow.types.is_list(column.type):
            numbers = column.flatten().to_numpy().reshape(len(column), -1)
            columns[name] = [row.tobytes() for row in numbers]
        else:
            columns[name] = column.to_pylist()
    rows = list(zip(*(columns[name] for name in names)))
    keys = columns["product_id"]
    return keys, rows, [table.column(name).to_pylist() for name in extra]


def follow(path):
    """The newest rows by key and, by version, the count of each kind of change."""
    newest = DeltaTable(path)
    keys, rows, _ = rows_by_key(DeltaTable(path, version=FIRST).to_pyarrow_table())
    state = dict(zip(keys, rows))
    assert len(state) == len(keys), "a key is there twice"
    feed = newest.load_cdf(starting_version=FIRST + 1)
    extra = ("_change_type", "_commit_version")
    keys, rows, (kinds, versions) = rows_by_key(feed, extra)
    commits = collections.defaultdict(list)
    for change in zip(versions, kinds, keys, rows):
        commits[change[0]].append(change[1:])
    counts = {}
    for version in sorted(commits):
        changes = commits[version]
        counts[version] = collections.Counter(kind for kind, _, _ in changes)
        for kind, key, row in changes:
            if kind in ("delete", "update_preimage"):
                assert state.pop(key) == row, f"version {version}: {kind} of {key} was another row"
        for kind, key, row in changes:
            if kind in ("insert", "update_postimage"):
                assert key not in state, f"version {version}: {kind} of {key}, which is there"
                state[key] = row
    keys, rows, _ = rows_by_key(newest.to_pyarrow_table())
    assert len(keys) == len(set(keys)), "a key is there twice"
    assert state == dict(zip(keys, rows)), "the feed does not lead to the newest rows"
    return state, counts


def main():
    folder, told = sys.argv[1:]
    with open(told) as file:
        steps = json.load(file)
    products, product_changes = follow(f"{folder}/productsdb")
    embeddings, _ = follow(f"{folder}/product_image_embeddingsdb")
    assert products.keys() == embeddings.keys(), "products without embedding or the reverse"
    numbers = numpy.array([numpy.frombuffer(row[1], numpy.float32) for row in embeddings.values()])
    assert numbers.shape[1] == 512
    assert numpy.allclose(numpy.linalg.norm(numbers, axis=1), 1, atol=1e-4)
    for step in steps:
        for table, version in step["commits"]:
            if table != "productsdb":
                continue
            found = product_changes.get(version, collections.Counter())
            wanted = {
                "insert": step["inserted"],
                "update_preimage": step["updated"],
                "update_postimage": step["updated"],
                "delete": step["deleted"],
            }
            found = {kind: found[kind] for kind in wanted}
            assert found == wanted, f"version {version}: {found} instead of {wanted}"
    for table in ("usersdb", "user_style_featuresdb"):
        assert DeltaTable(f"{folder}/{table}").to_pyarrow_table().num_rows == 10_000
    print(f"{len(products)} products and {len(product_changes)} commits agree with deltalake")


if __name__ == "__main__":
    main()
