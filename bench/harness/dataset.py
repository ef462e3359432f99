"""The rows of the benchmark: ten mixed columns from a fixed seed, as Arrow batches.

The same batches become the Delta table that Lakefront and the peers read and the binary COPY file that
the limit loads, so every contestant moves the same rows.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

SEED = 20_240_131
BATCH_ROWS = 100_000

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("quantity", pa.int32()),
        pa.field("score", pa.float64()),
        pa.field("price", pa.decimal128(12, 2)),
        pa.field("sku", pa.string()),
        pa.field("description", pa.string()),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        pa.field("day", pa.date32()),
        pa.field("active", pa.bool_()),
        pa.field("category", pa.string()),
    ]
)

# PostgreSQL types of the same columns, as TYPES.md maps them.
POSTGRES_COLUMNS = {
    "id": "bigint",
    "quantity": "integer",
    "score": "double precision",
    "price": "numeric(12,2)",
    "sku": "text",
    "description": "text",
    "created_at": "timestamptz",
    "day": "date",
    "active": "boolean",
    "category": "text",
}

_WORDS = (
    "cotton linen silk wool denim slim relaxed classic modern vintage striped plain printed quilted hooded "
    "zipped buttoned collared pleated tailored casual formal summer winter spring autumn black white navy "
    "olive crimson sand stone indigo charcoal shirt jacket trousers dress skirt coat scarf belt boots sandals"
).split()
_CATEGORIES = [
    f"{kind} / {part}"
    for kind in ("Apparel", "Footwear", "Accessories", "Home")
    for part in ("Everyday", "Outdoor", "Party", "Work", "Sport")
]
_FIRST_DAY = 17_000  # 2016-07-18
_DAYS = 3_000
_DAY_MICROS = 86_400_000_000


def keys(rows: int, order: str) -> np.ndarray:
    """The key column: every number from 1 to `rows` once, `ascending` or `shuffled`."""
    ids = np.arange(1, rows + 1, dtype=np.int64)
    if order == "shuffled":
        np.random.default_rng(SEED).shuffle(ids)
    elif order != "ascending":
        raise ValueError(f"key order is 'ascending' or 'shuffled', not {order!r}")
    return ids


def batches(rows: int, order: str) -> Iterator[pa.RecordBatch]:
    """All rows, `BATCH_ROWS` at a time. About 2 % of score, description and created_at are NULL."""
    ids = keys(rows, order)
    phrases = pa.array(_phrases())
    categories = pa.array(_CATEGORIES)
    for index, start in enumerate(range(0, rows, BATCH_ROWS)):
        part = ids[start : start + BATCH_ROWS]
        yield _batch(part, np.random.default_rng([SEED, index]), phrases, categories)


def _phrases() -> list[str]:
    rng = np.random.default_rng(SEED + 1)
    words = np.array(_WORDS)
    return [" ".join(words[rng.integers(0, len(words), size=rng.integers(3, 9))]) for _ in range(20_000)]


def _batch(ids: np.ndarray, rng: np.random.Generator, phrases: pa.Array, categories: pa.Array) -> pa.RecordBatch:
    n = len(ids)
    cents = rng.integers(99, 9_999_999, size=n)
    moments = (_FIRST_DAY * _DAY_MICROS) + rng.integers(0, _DAYS * _DAY_MICROS, size=n)
    columns = [
        pa.array(ids),
        pa.array(rng.integers(0, 10_000, size=n, dtype=np.int32)),
        pa.array(rng.normal(50.0, 15.0, size=n), mask=rng.random(n) < 0.02),
        _decimals(cents),
        pa.array([f"SKU-{value:07x}" for value in (ids * 2_654_435_761 % (1 << 28)).tolist()]),
        phrases.take(pa.array(rng.integers(0, len(phrases), size=n), mask=rng.random(n) < 0.02)),
        pa.array(moments, type=pa.int64(), mask=rng.random(n) < 0.02).cast(SCHEMA.field("created_at").type),
        pa.array((_FIRST_DAY + rng.integers(0, _DAYS, size=n)).astype(np.int32)).cast(pa.date32()),
        pa.array(rng.random(n) < 0.7),
        categories.take(pa.array(rng.integers(0, len(categories), size=n))),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def _decimals(cents: np.ndarray) -> pa.Array:
    """Unscaled 64-bit integers as decimal(12,2), without going through text."""
    words = np.zeros((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(cents), [None, pa.py_buffer(words)])
