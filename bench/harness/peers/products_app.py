"""Peer: the products routes as a good FastAPI application writes them, with a pool, prepared statements (asyncpg keeps
them per connection) and the two statements of a list: the page and its count.

Settings: DATABASE_URL; PRODUCTS_DRIVER is `asyncpg` (the driver itself) or `sqlalchemy` (SQLAlchemy Core on it).
"""

import os
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

import asyncpg
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

URL = os.environ["DATABASE_URL"]
DRIVER = os.environ.get("PRODUCTS_DRIVER", "asyncpg")
TABLE = os.environ.get("PRODUCTS_RELATION", "fashion_demo.productsdb")
CONNECTIONS = 16
COLUMNS = (
    "product_id, gender, master_category, sub_category, article_type, base_color, season, year, usage, "
    "product_display_name, price, image_path, ingested_at"
)
EQUAL = ("gender", "master_category", "sub_category", "article_type", "base_color", "season", "usage")
Sortable = Literal[
    "product_id",
    "gender",
    "master_category",
    "sub_category",
    "article_type",
    "base_color",
    "season",
    "year",
    "usage",
    "product_display_name",
    "price",
    "image_path",
    "ingested_at",
]


class Product(BaseModel):
    product_id: str
    gender: str | None
    master_category: str | None
    sub_category: str | None
    article_type: str | None
    base_color: str | None
    season: str | None
    year: int | None
    usage: str | None
    product_display_name: str | None
    price: float | None
    image_path: str | None
    ingested_at: datetime | None
    image_url: str | None


class ProductPage(BaseModel):
    products: list[Product]
    total: int
    page: int
    page_size: int
    has_more: bool


class AsyncpgRows:
    async def open(self):
        self.pool = await asyncpg.create_pool(URL, min_size=CONNECTIONS, max_size=CONNECTIONS)

    async def close(self):
        await self.pool.close()

    async def fetch(self, *statements):
        async with self.pool.acquire() as connection:
            return [await connection.fetch(sql, *values) for sql, values in statements]


class SqlalchemyRows:
    async def open(self):
        url = "postgresql+asyncpg://" + URL.split("://", 1)[1]
        self.engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)

    async def close(self):
        await self.engine.dispose()

    async def fetch(self, *statements):
        async with self.engine.connect() as connection:
            answers = []
            for sql, values in statements:
                for number in range(len(values), 0, -1):
                    sql = sql.replace(f"${number}", f":p{number}")
                bound = {f"p{number}": value for number, value in enumerate(values, 1)}
                answers.append((await connection.execute(text(sql), bound)).mappings().all())
            return answers


rows = SqlalchemyRows() if DRIVER == "sqlalchemy" else AsyncpgRows()


@asynccontextmanager
async def lifespan(_: FastAPI):
    await rows.open()
    yield
    await rows.close()


app = FastAPI(lifespan=lifespan)


def product(row) -> Product:
    values = dict(row)
    values["product_id"] = str(values["product_id"])
    path = values["image_path"]
    return Product(**values, image_url=f"/api/v1/images/{path}" if path else None)


@app.get("/api/v1/products")
async def products(
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 24,
    gender: str | None = None,
    master_category: str | None = None,
    sub_category: str | None = None,
    article_type: str | None = None,
    base_color: str | None = None,
    season: str | None = None,
    usage: str | None = None,
    min_price: float | None = None,
    max_price: float | None = None,
    q: str | None = None,
    sort_by: Sortable = "product_display_name",
    sort_order: Literal["ASC", "DESC"] = "ASC",
) -> ProductPage:
    conditions, values = [], []
    given = (gender, master_category, sub_category, article_type, base_color, season, usage)
    for pattern, value in [
        *((f"{column} = ", v) for column, v in zip(EQUAL, given)),
        ("price >= ", min_price),
        ("price <= ", max_price),
        ("product_display_name ILIKE ", f"%{q}%" if q else None),
    ]:
        if value is not None:
            values.append(value)
            conditions.append(f"{pattern}${len(values)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    n = len(values)
    page_sql = f"SELECT {COLUMNS} FROM {TABLE}{where} ORDER BY {sort_by} {sort_order}, product_id LIMIT ${n + 1} OFFSET ${n + 2}"
    found, count = await rows.fetch(
        (page_sql, [*values, page_size, (page - 1) * page_size]),
        (f"SELECT count(*) AS total FROM {TABLE}{where}", values),
    )
    total = count[0]["total"]
    return ProductPage(
        products=[product(row) for row in found],
        total=total,
        page=page,
        page_size=page_size,
        has_more=page * page_size < total,
    )


@app.get("/api/v1/products/{product_id}")
async def one(product_id: int) -> Product:
    (found,) = await rows.fetch((f"SELECT {COLUMNS} FROM {TABLE} WHERE product_id = $1", [product_id]))
    if not found:
        raise HTTPException(404, f"no product {product_id}")
    return product(found[0])
