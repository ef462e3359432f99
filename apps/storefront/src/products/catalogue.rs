//! The catalogue: pages of products, single ones, facets and health, read from PostgreSQL.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio_postgres::Row;

use super::{
    Column, Facets, Filters, Freshness, PageRequest, Product,
    relation::Relation,
    sql::{self, FRESHNESS_COLUMNS},
};
use crate::{
    cache::{CERTAIN_FOR, Changes, Flights, Landed, Recent},
    database::{Answer, Database, DatabaseError},
    settings::TableNames,
};

/// Filter combinations whose count is kept. Each takes a few hundred bytes.
const TOTALS_KEPT: usize = 2048;

/// Pages whose rows are kept. Each takes some ten kilobytes.
const PAGES_KEPT: usize = 1024;

/// How long the table's columns are taken for known: a new freshness view or column shows after this.
const RELATION_FOR: Duration = Duration::from_secs(10);

/// Reads of a page and its total until both saw the same state of the table. Under commits faster than that the
/// last pair is given: both true, milliseconds apart.
const CONSISTENT_READS: usize = 3;

/// One page of products.
#[derive(Debug)]
pub struct Page {
    rows: Arc<Vec<Row>>,
    /// Products that meet the filters, on all pages.
    pub total: i64,
    /// There are products after this page.
    pub has_more: bool,
    /// State of the table that was read, when Lakefront keeps it.
    pub freshness: Option<Freshness>,
    /// Time that PostgreSQL took.
    pub took: Duration,
}

impl Page {
    /// The products.
    pub fn products(&self) -> impl Iterator<Item = Product<'_>> {
        products(&self.rows)
    }
}

/// One product, or that there is none.
#[derive(Debug)]
pub struct One {
    rows: Vec<Row>,
    /// State of the table that was read, when Lakefront keeps it.
    pub freshness: Option<Freshness>,
    /// Time that PostgreSQL took.
    pub took: Duration,
}

impl One {
    /// The product.
    pub fn product(&self) -> Option<Product<'_>> {
        products(&self.rows).next()
    }
}

fn products(rows: &[Row]) -> impl Iterator<Item = Product<'_>> {
    rows.iter().filter_map(|row| Product::read(row, FRESHNESS_COLUMNS))
}

#[derive(Debug, Clone, Copy)]
struct Total {
    products: i64,
    freshness: Option<Freshness>,
    took: Duration,
}

/// The rows of a page, and the time that PostgreSQL took for them now.
struct PageRows {
    rows: Arc<Vec<Row>>,
    took: Duration,
}

/// The products table of one shop.
pub struct Catalogue {
    pub(super) database: Database,
    pub(super) names: TableNames,
    pub(super) changes: Arc<Changes>,
    relations: Flights<u64, Arc<Relation>>,
    relation_forgotten: AtomicU64,
    totals: Flights<Filters, Total>,
    pages: Mutex<Recent<PageRequest, Landed<Arc<Vec<Row>>>>>,
    facets: Flights<(), Arc<Facets>>,
}

impl Catalogue {
    /// A catalogue of the products that `names` names. `changes` is kept by [`crate::cache::follow_changes`].
    pub fn new(database: Database, names: TableNames, changes: Arc<Changes>) -> Self {
        Self {
            database,
            names,
            changes,
            relations: Flights::new(1),
            relation_forgotten: AtomicU64::new(0),
            totals: Flights::new(TOTALS_KEPT),
            pages: Mutex::new(Recent::new(PAGES_KEPT)),
            facets: Flights::new(1),
        }
    }

    /// The tables' names.
    pub fn names(&self) -> &TableNames {
        &self.names
    }

    /// One page of products.
    pub async fn page(&self, request: &PageRequest) -> Result<Page, DatabaseError> {
        match self.read_page(request).await {
            Err(DatabaseError::Changed(_)) => {
                self.forget_relation();
                self.read_page(request).await
            }
            outcome => outcome,
        }
    }

    async fn read_page(&self, request: &PageRequest) -> Result<Page, DatabaseError> {
        let relation = self.relation().await?;
        let offset = request.offset();
        let mut took = Duration::ZERO;
        if offset > 0 {
            let total = self.total(&relation, &request.filters, None).await?;
            if offset >= total.products {
                // Past the end: PostgreSQL would walk over all products to find none.
                let Total { products: total, freshness, .. } = total;
                return Ok(Page { rows: Arc::default(), total, has_more: false, freshness, took });
            }
        }
        let mut reads = 1;
        loop {
            let PageRows { rows, took: spent } = self.read_rows(&relation, request).await?;
            took += spent;
            let freshness = state(&rows);
            let shown = products(&rows).count() as i64;
            if shown < request.page_size && (shown > 0 || offset == 0) {
                // The last page: where it ends is the total, seen in the same snapshot.
                return Ok(Page { rows, total: offset + shown, has_more: false, freshness, took });
            }
            let total = self.total(&relation, &request.filters, Some(freshness)).await?;
            took += total.took;
            if total.freshness == freshness || reads == CONSISTENT_READS {
                let total = total.products.max(offset + shown);
                return Ok(Page { rows, total, has_more: offset + shown < total, freshness, took });
            }
            reads += 1;
        }
    }

    /// The rows of a page. PostgreSQL is always asked: for the rows, or where a page was read before, whether the table
    /// is still in the state that it was read in.
    async fn read_rows(&self, relation: &Relation, request: &PageRequest) -> Result<PageRows, DatabaseError> {
        let mut spent = Duration::ZERO;
        let kept = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(request).cloned();
        // In the same state of the table a page has the same rows.
        if let Some(Landed { value: rows, .. }) =
            kept.filter(|kept| self.still_true(kept, state(&kept.value)))
        {
            let answer = self.database.read(&sql::freshness(relation).sql, &[]).await?;
            spent = answer.took;
            if state(&answer.rows) == state(&rows) {
                return Ok(PageRows { rows, took: spent });
            }
        }
        let (epoch, started) = (self.changes.epoch(), Instant::now());
        let query = sql::page(relation, request);
        let answer = self.database.read(&query.sql, &query.binds).await?;
        let rows = Arc::new(answer.rows);
        if state(&rows).is_some() {
            let kept = Landed { value: rows.clone(), epoch, started };
            self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone(), kept);
        }
        Ok(PageRows { rows, took: spent + answer.took })
    }

    /// The number of products, kept while nothing has changed. With `seen`, only a count of that state will do.
    async fn total(
        &self,
        relation: &Arc<Relation>,
        filters: &Filters,
        seen: Option<Option<Freshness>>,
    ) -> Result<Total, DatabaseError> {
        let mut counted_now = false;
        let usable = |landed: &Landed<Total>| {
            self.still_true(landed, landed.value.freshness)
                && seen.is_none_or(|freshness| freshness == landed.value.freshness)
        };
        let landed = self
            .totals
            .get(filters, self.changes.epoch(), usable, || {
                counted_now = true;
                let (database, query) = (self.database.clone(), sql::total(relation, filters));
                async move {
                    let answer = database.read(&query.sql, &query.binds).await?;
                    let row = answer.rows.first();
                    let products = row.map_or(0, |row| row.get::<_, i64>(FRESHNESS_COLUMNS));
                    Ok(Total { products, freshness: row.and_then(Freshness::read), took: answer.took })
                }
            })
            .await?;
        let took = if counted_now { landed.value.took } else { Duration::ZERO };
        Ok(Total { took, ..landed.value })
    }

    /// Whether an answer worked out earlier still holds. Only where Lakefront tells of each change, and is surely
    /// heard, can that be known for longer than [`CERTAIN_FOR`].
    fn still_true<V>(&self, landed: &Landed<V>, freshness: Option<Freshness>) -> bool {
        landed.epoch == self.changes.epoch()
            && ((freshness.is_some() && self.changes.is_certain()) || landed.started.elapsed() <= CERTAIN_FOR)
    }

    /// One product by its key.
    pub async fn product(&self, id: &str) -> Result<One, DatabaseError> {
        for last in [false, true] {
            let relation = self.relation().await?;
            let Some(query) = sql::product(&relation, id) else {
                break;
            };
            match self.database.read(&query.sql, &query.binds).await {
                Err(DatabaseError::Changed(_)) if !last => self.forget_relation(),
                outcome => return outcome.map(one),
            }
        }
        Ok(One { rows: Vec::new(), freshness: None, took: Duration::ZERO })
    }

    /// Up to `limit` products of the same article type.
    pub async fn related(&self, product: &Product<'_>, limit: usize) -> Result<Page, DatabaseError> {
        let relation = self.relation().await?;
        let query = sql::related(&relation, product, limit);
        let answer = self.database.read(&query.sql, &query.binds).await?;
        let total = products(&answer.rows).count() as i64;
        let freshness = state(&answer.rows);
        Ok(Page { rows: Arc::new(answer.rows), total, has_more: false, freshness, took: answer.took })
    }

    /// The values of all facets, kept while nothing has changed, and the time it took now.
    pub async fn facets(&self) -> Result<(Arc<Facets>, Duration), DatabaseError> {
        match self.read_facets().await {
            Err(DatabaseError::Changed(_)) => {
                self.forget_relation();
                self.read_facets().await
            }
            outcome => outcome,
        }
    }

    async fn read_facets(&self) -> Result<(Arc<Facets>, Duration), DatabaseError> {
        let relation = self.relation().await?;
        let started = Instant::now();
        let usable = |landed: &Landed<Arc<Facets>>| self.still_true(landed, landed.value.freshness);
        let mut counted_now = false;
        let landed = self
            .facets
            .get(&(), self.changes.epoch(), usable, || {
                counted_now = true;
                let (database, query) = (self.database.clone(), sql::facets(&relation));
                async move {
                    let answer = database.read(&query.sql, &query.binds).await?;
                    Ok(Arc::new(Facets::read(&answer.rows)))
                }
            })
            .await?;
        let took = if counted_now { started.elapsed() } else { Duration::ZERO };
        Ok((landed.value, took))
    }

    /// The columns that the table has, for sorting.
    pub async fn columns(&self) -> Result<Vec<Column>, DatabaseError> {
        Ok(self.relation().await?.columns().collect())
    }

    async fn relation(&self) -> Result<Arc<Relation>, DatabaseError> {
        let generation = self.relation_forgotten.load(Ordering::Acquire);
        let usable = |landed: &Landed<Arc<Relation>>| landed.started.elapsed() <= RELATION_FOR;
        let landed = self
            .relations
            .get(&generation, generation, usable, || {
                let (database, names) = (self.database.clone(), self.names.clone());
                async move { Relation::find(&database, &names).await.map(Arc::new) }
            })
            .await?;
        Ok(landed.value)
    }

    /// The table is no longer what it was, so nothing worked out from it holds.
    fn forget_relation(&self) {
        self.changes.changed();
        self.relation_forgotten.fetch_add(1, Ordering::AcqRel);
    }
}

/// The state of the table that an answer was read in, when Lakefront keeps it.
fn state(rows: &[Row]) -> Option<Freshness> {
    rows.first().and_then(Freshness::read)
}

fn one(answer: Answer) -> One {
    let freshness = state(&answer.rows);
    One { rows: answer.rows, freshness, took: answer.took }
}
