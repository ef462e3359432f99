"""What happens to the rows of a plain history, and to the files that hold them."""

import copy, os

from plain_checkpoint import checkpoint
from plain_table import MODE
from plain_values import physical


def some(history):
    """A few live rows, rows spread over all files, or those of one file; each as (file, place in it, row)."""
    rows, pick = history.table.rows(), history.pick
    way = pick.randint(0, 5)
    if way < 3:
        return pick.sample(rows, min(len(rows), pick.randint(1, 10)))
    if way < 5:
        return [one for one in rows if pick.random() < 0.15]
    path = pick.choice(rows)[0].path if rows else None
    return [one for one in rows if one[0].path == path]


def with_others(history, row):
    """The row with other values in a few columns, or in none."""
    columns = [f for f in history.table.state.fields if f["name"] not in ("id", "region")]
    changed = history.pick.sample(columns, history.pick.choice([0, 1, 1, 2, 5]))
    return {**row, **{physical(f): history.value(f) for f in changed}}


def change(history, operation, touched, inserts=()):
    """Commits what becomes of rows, each (file, place, old row, new row or None), and new rows."""
    pick, commit = history.pick, history.table.commit(operation)
    files = {}
    for file, place, _, new in touched:
        files.setdefault(file.path, (file, {}))[1][place] = new
    written, is_partial = list(inserts), False
    for file, places in files.values():
        left = file.left()
        if len(places) == len(left):
            commit.remove(file)
            written += [new for new in places.values() if new is not None]
        elif history.options.get("vectors") and pick.random() < 0.7:
            commit.mark(file, places)
            written += [new for new in places.values() if new is not None]
        else:
            commit.remove(file)
            after = [places.get(i, row) for i, row in left]
            written += [row for row in after if row is not None]
            is_partial = True
    commit.write(written)
    # Where rows only came or went with all that files say of it, writers may leave the record out.
    is_update = any(new is not None for *_, new in touched)
    if history.table.has_feed() and (is_update or is_partial or pick.random() < 0.5):
        changes = [(row, "insert") for row in inserts]
        for _, _, old, new in touched:
            changes += [(old, "delete")] if new is None else [(old, "update_preimage"), (new, "update_postimage")]
        commit.record(changes)
    commit.done()


def append(history):
    change(history, "WRITE", [], history.rows(history.new_keys(history.pick.randint(1, 120))))


def update(history):
    change(history, "UPDATE", [(*one, with_others(history, one[2])) for one in some(history)])


def update_keys(history):
    name = physical(history.table.field("id"))
    moved = history.pick.sample(history.table.rows(), min(5, len(history.table.rows())))
    change(history, "UPDATE", [(*one, {**one[2], name: history.new_id()}) for one in moved])


def delete(history):
    change(history, "DELETE", [(*one, None) for one in some(history)])


def delete_all(history):
    change(history, "DELETE", [(*one, None) for one in history.table.rows()])


def merge(history):
    touched = [(*one, None if history.pick.random() < 0.3 else with_others(history, one[2])) for one in some(history)]
    change(history, "MERGE", touched, history.rows(history.new_keys(history.pick.randint(0, 20))))


def merge_new(history):
    change(history, "MERGE", [], history.rows(history.new_keys(history.pick.randint(1, 20))))


def come_back(history):
    """Deletes rows and inserts their keys again in a commit of its own, as they were or with other values."""
    gone = history.pick.sample(history.table.rows(), min(5, len(history.table.rows())))
    change(history, "DELETE", [(*one, None) for one in gone])
    back = [dict(row) if history.pick.random() < 0.5 else with_others(history, row) for *_, row in gone]
    change(history, "WRITE", [], back)


def overwrite(history):
    rows, pick, commit = history.table.rows(), history.pick, history.table.commit("WRITE")
    kept = [row if pick.random() < 0.5 else with_others(history, row) for *_, row in pick.sample(rows, len(rows) // 2)]
    for file in list(history.table.state.files.values()):
        commit.remove(file)
    commit.write(kept + history.rows(history.new_keys(50)))
    commit.done()


def overwrite_some(history):
    """Overwrites the rows of even ids: keys that go and come in one commit are no update in the record."""
    name = physical(history.table.field("id"))
    even = [one for one in history.table.rows() if one[2][name] % 2 == 0]
    again = [with_others(history, row) for *_, row in history.pick.sample(even, len(even) // 2)]
    change(history, "WRITE", [(*one, None) for one in even], again)


def rewrite(history, files, operation):
    """Rows stay; the vectors of their files do not."""
    commit, rows = history.table.commit(operation), []
    for file in files:
        rows += [row for _, row in file.left()]
        commit.remove(file, data_change=False)
    if history.pick.random() < 0.5:
        history.pick.shuffle(rows)
    commit.write(rows, data_change=False)
    commit.done()


def compact(history):
    files = list(history.table.state.files.values())
    rewrite(history, history.pick.sample(files, history.pick.randint(0, len(files))), "OPTIMIZE")


def purge(history):
    rewrite(history, [file for file in history.table.state.files.values() if file.vector], "REORG")


def describe_files(history):
    """Adds files that are there once more, as computing statistics does."""
    commit, files = history.table.commit("COMPUTE STATS"), list(history.table.state.files.values())
    for file in history.pick.sample(files, min(3, len(files))):
        commit.add(file, data_change=False)
    commit.done()


def restore(history):
    """Goes back to an earlier version, its columns included, unless its files are gone or a type would be narrower."""
    table = history.table
    now, then = table.state, history.pick.choice(table.past[-8:])
    types = lambda of: {key: f["type"] for f in of.fields for key in (f["name"], physical(f))}
    before, after = types(now), types(then)
    is_same = then.id == now.id and then.configuration.get(MODE) == now.configuration.get(MODE)
    is_narrower = any(before.get(key, kind) != kind for key, kind in after.items())
    if not is_same or is_narrower or not all(map(table.is_there, then.files.values())):
        return "restore (not possible)"
    commit = table.commit("RESTORE")
    commit.set(fields=copy.deepcopy(then.fields), partitions=then.partitions, description=then.description)
    for path, file in list(now.files.items()):
        if then.files.get(path) != file:
            commit.remove(file)
    for path, file in then.files.items():
        if now.files.get(path) != file:
            commit.add(file)
    commit.done()
    return None


def vacuum(history):
    table = history.table
    live = {os.path.join(table.root, file.path) for file in table.state.files.values()}
    live |= {file.vector["file"] for file in table.state.files.values() if file.vector}
    for folder, _, names in os.walk(table.root):
        for path in (os.path.join(folder, name) for name in names):
            if "_delta_log" not in path and path not in live:
                os.remove(path)


OFTEN = [append, update, merge, delete]
SOMETIMES = [update_keys, merge_new, come_back, overwrite, overwrite_some, compact, purge, describe_files, restore, checkpoint]
RARELY = [delete_all, vacuum]
