"""Deletion vectors, written by the protocol (sections "Deletion Vectors" and "Deletion Vector Format")."""

import os, struct, uuid, zlib

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
MAGIC = 1681511377


def z85(data):
    """Text of bytes, which are filled up to a multiple of four."""
    data += bytes(-len(data) % 4)
    text = []
    for at in range(0, len(data), 4):
        number = int.from_bytes(data[at:at + 4], "big")
        text += [Z85[number // 85**place % 85] for place in (4, 3, 2, 1, 0)]
    return "".join(text)


def runs_of(rows):
    """Neighbours as (first, how many more)."""
    runs = []
    for row in rows:
        if runs and runs[-1][0] + runs[-1][1] + 1 == row:
            runs[-1][1] += 1
        else:
            runs.append([row, 0])
    return runs


def bitmap(rows, as_runs):
    """A RoaringBitmapArray of one 32-bit bitmap of one container; rows are below 4096."""
    rows = sorted(rows)
    if as_runs:
        runs = runs_of(rows)
        body = struct.pack("<IBHHH", 12347, 1, 0, len(rows) - 1, len(runs))
        body += b"".join(struct.pack("<HH", *run) for run in runs)
    else:
        body = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16)
        body += struct.pack(f"<{len(rows)}H", *rows)
    return struct.pack("<iQI", MAGIC, 1, 0) + body


class VectorFile:
    """One file of a commit's vectors."""

    def __init__(self, root, pick):
        self.root, self.pick = root, pick
        self.name = uuid.UUID(int=pick.getrandbits(128))
        self.prefix = pick.choice(["", "", "vx"])
        self.bytes = bytearray(b"\x01")

    def add(self, rows):
        """The descriptor of a vector of these rows, here or inline."""
        data = bitmap(rows, self.pick.random() < 0.4)
        size = {"sizeInBytes": len(data), "cardinality": len(rows)}
        if len(rows) < 30 and self.pick.random() < 0.4:
            return {"storageType": "i", "pathOrInlineDv": z85(data), **size}
        offset = len(self.bytes)
        self.bytes += struct.pack(">I", len(data)) + data + struct.pack(">I", zlib.crc32(data))
        if self.pick.random() < 0.1:
            return {"storageType": "p", "pathOrInlineDv": "file://" + os.path.abspath(self.path()), "offset": offset, **size}
        return {"storageType": "u", "pathOrInlineDv": self.prefix + z85(self.name.bytes), "offset": offset, **size}

    def path(self):
        return os.path.join(self.root, self.prefix, f"deletion_vector_{self.name}.bin")

    def write(self):
        if len(self.bytes) > 1:
            os.makedirs(os.path.dirname(self.path()), exist_ok=True)
            with open(self.path(), "wb") as file:
                file.write(self.bytes)
