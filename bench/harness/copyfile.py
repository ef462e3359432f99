"""Binary COPY files from Arrow batches, encoded column by column with numpy.

Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format); the values' own formats are
those of the types' send functions.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_EPOCH_DAYS = 10_957  # 1970-01-01 to 2000-01-01
_EPOCH_MICROS = _EPOCH_DAYS * 86_400_000_000


def write(batches: Iterable[pa.RecordBatch], paths: list[Path]) -> int:
    """Writes the batches round-robin into `paths`, each a complete COPY file. Returns the rows written."""
    files = [path.open("wb") for path in paths]
    rows = 0
    try:
        for file in files:
            file.write(HEADER)
        for index, batch in enumerate(batches):
            files[index % len(files)].write(encode(batch))
            rows += batch.num_rows
        for file in files:
            file.write(TRAILER)
    finally:
        for file in files:
            file.close()
    return rows


def encode(batch: pa.RecordBatch) -> np.ndarray:
    """The tuples of one batch, without header and trailer, as an array of bytes."""
    n = batch.num_rows
    columns = [_column(array) for array in batch.columns]
    lengths = np.full(n, 2, dtype=np.int64)
    for valid, sizes, _ in columns:
        lengths += 4 + np.where(valid, sizes, 0)
    ends = np.cumsum(lengths)
    at = ends - lengths
    out = np.zeros(int(ends[-1]) if n else 0, dtype=np.uint8)
    _put(out, at, np.full(n, len(columns), dtype=">i2"))
    at = at + 2
    for valid, sizes, values in columns:
        _put(out, at, np.where(valid, sizes, -1).astype(">i4"))
        at = at + 4
        if isinstance(values, tuple):
            _put_text(out, at, valid, sizes, *values)
        else:
            _put(out, at[valid], values[valid])
        at = at + np.where(valid, sizes, 0)
    return out


def _column(array: pa.Array):
    """Validity, bytes per value and the values: rows of fixed width, or (offsets, bytes) for text."""
    n = len(array)
    valid = np.asarray(array.is_valid())
    kind = array.type
    if pa.types.is_string(kind):
        offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + n + 1].astype(
            np.int64
        )
        return valid, np.diff(offsets), (offsets, np.frombuffer(array.buffers()[2], dtype=np.uint8))
    if pa.types.is_decimal(kind):
        return valid, np.full(n, 14, dtype=np.int64), _numeric(array)
    if pa.types.is_timestamp(kind):
        values = np.asarray(array.cast(pa.int64()).fill_null(0)) - _EPOCH_MICROS
    elif pa.types.is_date32(kind):
        values = np.asarray(array.cast(pa.int32()).fill_null(0)) - _EPOCH_DAYS
    elif pa.types.is_boolean(kind):
        values = np.asarray(array.fill_null(False)).astype(np.uint8)
    else:
        values = np.asarray(array.fill_null(0))
    swapped = values.astype(values.dtype.newbyteorder(">"))
    return valid, np.full(n, swapped.dtype.itemsize, dtype=np.int64), swapped


def _numeric(array: pa.Array) -> np.ndarray:
    """decimal(12,2) below 10^8 as three base-10000 digits; numeric_recv drops the zeros it does not need."""
    cents = np.frombuffer(array.buffers()[1], dtype=np.int64)[0::2][array.offset : array.offset + len(array)]
    if len(cents) and (cents.min() < 0 or cents.max() >= 10**10):
        raise ValueError("this encoder takes decimals from 0 to 10^8")
    words = np.zeros((len(array), 7), dtype=">i2")
    words[:, 0] = 3  # digits
    words[:, 1] = 1  # weight of the first
    words[:, 3] = 2  # display scale
    words[:, 4] = cents // 1_000_000
    words[:, 5] = cents // 100 % 10_000
    words[:, 6] = cents % 100 * 100
    return words


def _put(out: np.ndarray, at: np.ndarray, values: np.ndarray) -> None:
    flat = np.ascontiguousarray(values).view(np.uint8).reshape(len(at), -1)
    for byte in range(flat.shape[1] if len(at) else 0):
        out[at + byte] = flat[:, byte]


def _put_text(out, at, valid, sizes, offsets, data) -> None:
    sizes = np.where(valid, sizes, 0)
    total = int(sizes.sum())
    starts = np.cumsum(sizes) - sizes
    within = np.arange(total) - np.repeat(starts, sizes)
    out[np.repeat(at, sizes) + within] = data[np.repeat(offsets[:-1], sizes) + within]
