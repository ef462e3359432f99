"""How the shape of a plain history's table changes: columns, types, names, comments, properties, the table itself."""

import copy, shutil

from plain_table import FEED, MODE, MOST
from plain_values import physical, wider

# Names that only tables with column mapping may have are among them.
NAMES = ["cost", "größe", "a \"b\"; c", "x.y", "select", "UPPER", "(n)", "v"]
PLAIN_NAMES = ["cost", "größe", "a\"b", "x.y", "select", "UPPER", "n", "v"]
TYPES = ["long", "string", "double", "date", "timestamp", "boolean", "decimal(9,3)", {"type": "array", "elementType": "short", "containsNull": True}]


def column(name, kind):
    return {"name": name, "type": kind, "nullable": True, "metadata": {}}


def inner(kind):
    """The fields of structs in a type."""
    if isinstance(kind, dict):
        for field in kind.get("fields", []):
            yield field
            yield from inner(field["type"])
        for part in ("elementType", "keyType", "valueType"):
            yield from inner(kind.get(part))


def numbered(history, fields, most, keeps_names=False):
    """Fields with numbers and physical names of their own, and the highest number then."""
    fields = copy.deepcopy(fields)
    for field in [f for top in fields for f in (top, *inner(top["type"]))]:
        most += 1
        name = field["name"] if keeps_names else f"col-{history.table.number() if history.table else most}"
        field["metadata"] |= {"delta.columnMapping.id": most, "delta.columnMapping.physicalName": name}
    return fields, most


def is_mapped(history):
    return history.table.state.configuration.get(MODE, "none") != "none"


def with_new(history, fields):
    """What a commit sets for columns that come: fields as they are in a table of this mapping, and its properties."""
    configuration = history.table.state.configuration
    if not is_mapped(history):
        return fields, configuration
    fields, most = numbered(history, fields, int(configuration[MOST]))
    return fields, configuration | {MOST: str(most)}


def metadata_only(history, operation, **changes):
    commit = history.table.commit(operation)
    commit.set(**changes)
    commit.done()


def loose(history):
    """The columns that may change, copied; the key stays."""
    fields = copy.deepcopy(history.table.state.fields)
    return fields, [f for f in fields if f["name"] not in ("id", "region")]


def note_types(history, fields):
    """Remembers which types columns of each name had."""
    for field in fields:
        kinds = history.types.setdefault(field["name"], [])
        if field["type"] not in kinds:
            kinds.append(copy.deepcopy(field["type"]))


def may_have(history, name, kind):
    return not history.keeps_types or history.types.get(name, [kind]) == [kind]


def free_name(history, kind):
    names = {f["name"].lower() for f in history.table.state.fields}
    free = NAMES if history.options.get("mapping") in ("name", "id") else PLAIN_NAMES
    free = [n for n in dict.fromkeys([*free, *history.types]) if n.lower() not in names and may_have(history, n, kind)]
    return history.pick.choice(free) if free else f"extra_{history.new_id()}"


def new_column(history):
    """A column, often of a name that another one had, and then of its type: the copy may still have that one."""
    known = {f["name"].lower() for f in history.table.state.fields}
    again = [(name, kinds[0]) for name, kinds in history.types.items() if len(kinds) == 1 and name.lower() not in known]
    if again and history.pick.random() < 0.5:
        name, kind = history.pick.choice(again)
        return with_new(history, [column(name, unmapped(kind))])
    kind = history.pick.choice(TYPES)
    name = free_name(history, kind)
    return with_new(history, [column(f"extra_{history.new_id()}" if name in history.types else name, kind)])


def add_column(history):
    (field,), configuration = new_column(history)
    fields = copy.deepcopy(history.table.state.fields)
    fields.insert(history.pick.randint(0, len(fields)), field)
    metadata_only(history, "ADD COLUMNS", fields=fields, configuration=configuration)


def append_with_new_column(history):
    (field,), configuration = new_column(history)
    commit = history.table.commit("WRITE")
    commit.set(fields=[*history.table.state.fields, field], configuration=configuration)
    commit.write(history.rows(history.new_keys(20)))
    commit.done()


def structs_of(fields):
    return [f["type"]["fields"] for top in fields for f in (top, *inner(top["type"])) if isinstance(f["type"], dict) and "fields" in f["type"]]


def add_member(history):
    """A struct gets one member more."""
    fields, _ = loose(history)
    structs = structs_of(fields)
    if structs:
        (field,), configuration = with_new(history, [column(f"more_{history.new_id()}", "string")])
        history.pick.choice(structs).append(field)
        metadata_only(history, "ADD COLUMNS", fields=fields, configuration=configuration)


def replace_member(history):
    """A struct's member goes, and another one of its name comes."""
    fields, _ = loose(history)
    structs = structs_of(fields)
    if structs:
        members = history.pick.choice(structs)
        place = history.pick.randrange(len(members))
        (members[place],), configuration = with_new(history, [column(members[place]["name"], unmapped(members[place]["type"]))])
        metadata_only(history, "ADD COLUMNS", fields=fields, configuration=configuration)


def drop_column(history):
    """With column mapping the files stay as they are; without it all rows are written again."""
    fields, may_go = loose(history)
    state = history.table.state
    may_go = [f for f in may_go if f["name"] not in state.partitions]
    if len(may_go) < 8:
        return
    gone = history.pick.choice(may_go)
    fields.remove(gone)
    commit, files, rows = history.table.commit("DROP COLUMNS"), list(state.files.values()), history.table.rows()
    commit.set(fields=fields)
    if not is_mapped(history):
        for file in files:
            commit.remove(file)
        commit.write([row for *_, row in rows])
    commit.done()


def renamed(history, fields, names):
    """Commits other names of columns, as a mapping from the old ones."""
    for field in fields:
        field["name"] = names.get(field["name"], field["name"])
    partitions = [names.get(name, name) for name in history.table.state.partitions]
    metadata_only(history, "RENAME COLUMN", fields=fields, partitions=partitions)


def rename_column(history):
    fields, may_change = loose(history)
    members = [f for top in may_change for f in inner(top["type"])]
    if members and history.pick.random() < 0.2:
        history.pick.choice(members)["name"] = f"member_{history.new_id()}"
        renamed(history, fields, {})
    else:
        field = history.pick.choice(may_change)
        renamed(history, fields, {field["name"]: free_name(history, field["type"])})


def exchange_names(history):
    fields, may_change = loose(history)
    one, other = history.pick.sample(may_change, 2)
    if may_have(history, one["name"], other["type"]) and may_have(history, other["name"], one["type"]):
        renamed(history, fields, {one["name"]: other["name"], other["name"]: one["name"]})


def map_columns(history):
    """Column mapping is switched on for a table that has files: columns keep their names in these."""
    if not is_mapped(history):
        fields, most = numbered(history, history.table.state.fields, 0, keeps_names=True)
        configuration = history.table.state.configuration | {MODE: "name", MOST: str(most)}
        metadata_only(history, "SET TBLPROPERTIES", fields=fields, configuration=configuration)


def widen_column(history):
    """A wider type for a column, a member, an element or a value; numbers in keys and partitions stay whole ones."""
    pick, (fields, _) = history.pick, loose(history)
    places = []
    for field in [f for top in fields for f in (top, *inner(top["type"]))]:
        kind = field["type"]
        if isinstance(kind, str):
            places.append((field, field, "type", None))
        elif kind["type"] in ("array", "map"):
            part = "element" if kind["type"] == "array" else "value"
            places.append((field, kind, part + "Type", part))
    pick.shuffle(places)
    for field, holder, part, path in places:
        narrow, wide = holder[part], wider(pick, holder[part])
        whole = field["name"] == "id" or field["name"] in history.table.state.partitions
        if wide and not (whole and wide not in ("integer", "long")):
            holder[part] = wide
            change = {"fromType": narrow, "toType": wide} | ({"fieldPath": path} if path else {})
            field["metadata"].setdefault("delta.typeChanges", []).append(change)
            return metadata_only(history, "CHANGE COLUMN", fields=fields)
    return None


def reorder_columns(history):
    fields, _ = loose(history)
    history.pick.shuffle(fields)
    metadata_only(history, "CHANGE COLUMN", fields=fields)


def change_comments(history):
    pick, (fields, may_change) = history.pick, loose(history)
    field = pick.choice(may_change)
    field["metadata"].pop("comment", None)
    if pick.random() < 0.7:
        field["metadata"]["comment"] = pick.choice(["what it's \"called\"", "größer", "cheap"])
    metadata_only(history, "CHANGE COLUMN", fields=fields, description=pick.choice([None, "what the shop sells", "it's"]))


def set_property(history):
    configuration = history.table.state.configuration | {"owner": history.pick.choice(["shop", "store"])}
    metadata_only(history, "SET TBLPROPERTIES", configuration=configuration)


def switch_feed(history):
    if "feed" in history.options:
        value = "false" if history.table.has_feed() else "true"
        metadata_only(history, "SET TBLPROPERTIES", configuration=history.table.state.configuration | {FEED: value})


def unmapped(kind):
    """A type as that of a new column."""
    kind = copy.deepcopy(kind)
    for field in inner(kind):
        field["metadata"] = {}
    return kind


def fresh(history):
    """The columns as those of a new table, the added ones left out half of the time."""
    kept = history.first_names | set(history.table.state.partitions)
    fields = history.table.state.fields
    if history.pick.random() < 0.5:
        fields = [f for f in fields if f["name"] in kept]
    return [column(f["name"], unmapped(f["type"])) for f in fields]


def replace_table(history):
    """Another table under the name, in a commit of the same log."""
    table = history.table
    fields, configuration = with_new(history, fresh(history))
    commit = table.commit("CREATE OR REPLACE TABLE AS SELECT")
    for file in list(table.state.files.values()):
        commit.remove(file)
    commit.set(id=str(table.number()), fields=fields, configuration=configuration)
    commit.write(history.rows(history.new_keys(150)))
    commit.done()


def make_again(history):
    """Another table in the place of the folder, which is removed."""
    fields, partitions = fresh(history), history.table.state.partitions
    shutil.rmtree(history.table.root)
    history.create(fields, partitions)


OFTEN = [add_column, append_with_new_column, change_comments, reorder_columns]
OTHER_TABLES = [replace_table, make_again]
RARELY = [drop_column, add_member, set_property, switch_feed, *OTHER_TABLES]
MAPPED = [rename_column, rename_column, exchange_names, drop_column, replace_member]
