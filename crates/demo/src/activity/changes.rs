//! The changes themselves: rows chosen from one file, changed, and committed by key.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use chrono::Utc;
use lakefront_delta_writer::{Commit, CommitOptions, DeltaTable, DeltaWriteError, KeyedChanges, Operation};

use super::{ActivityKind, ActivityStep, ShopActivity};
use crate::SEED;
use crate::catalogue::reference::REFERENCE;
use crate::catalogue::{Product, price, to_cents};
use crate::error::DemoError;
use crate::layout::{EMBEDDINGS_TABLE, PRODUCTS_TABLE};
use crate::rows::{self, EmbeddingRow, ProductRow};

/// The key of both tables that change.
const KEY: &str = "product_id";
/// Between these numbers of products the shop both takes in and sells out.
const STOCK: std::ops::Range<u64> = 40_000..50_000;
/// Most rows that one change touches.
const MOST_ROWS: usize = 40;
/// The least price that a change leads to.
const LEAST_PRICE: f64 = 0.99;

/// What happens, and how often among a hundred.
const MIX: [(ActivityKind, f64); 6] = [
    (ActivityKind::PriceChange, 40.0),
    (ActivityKind::PriceChanges, 20.0),
    (ActivityKind::NewProduct, 10.0),
    (ActivityKind::SoldOut, 10.0),
    (ActivityKind::SeasonChange, 8.0),
    (ActivityKind::Discount, 12.0),
];

impl ShopActivity {
    /// Makes one change that conflicts with no other writer's, or fails with the conflict.
    pub(super) fn change(&mut self) -> Result<ActivityStep, DemoError> {
        if let Some(step) = self.compact()? {
            return Ok(step);
        }
        let stock: u64 = self.products.files().iter().filter_map(|file| file.rows).sum();
        let weights = MIX.map(|(kind, weight)| match kind {
            ActivityKind::NewProduct if stock >= STOCK.end => 0.0,
            ActivityKind::SoldOut if stock < STOCK.start => 0.0,
            _ => weight,
        });
        let choice = self.stream.weighted(weights.iter().copied()).unwrap_or(0);
        let shelf = self.shelf()?;
        match MIX[choice].0 {
            kind @ (ActivityKind::PriceChange | ActivityKind::PriceChanges) => self.reprice(kind, &shelf),
            ActivityKind::NewProduct => self.take_in(&shelf),
            ActivityKind::SoldOut => self.sell_out(&shelf),
            ActivityKind::SeasonChange => self.change_season(&shelf),
            ActivityKind::Discount | ActivityKind::Compaction => self.discount(&shelf),
        }
    }

    /// The rows of a file, chosen so that each row is as likely.
    fn shelf(&mut self) -> Result<RecordBatch, DemoError> {
        let files = self.products.files();
        let sizes = files.iter().map(|file| file.rows.unwrap_or_default() as f64);
        let empty = || DemoError::NoRows { path: self.products.path().to_path_buf() };
        let file = self.stream.weighted(sizes).ok_or_else(empty)?;
        Ok(self.products.read(&files[file].path, None)?)
    }

    /// Some different rows of a shelf.
    fn pick(&mut self, shelf: &RecordBatch, count: usize) -> Result<Vec<ProductRow>, DemoError> {
        let mut places: Vec<usize> = (0..count).map(|_| self.stream.below(shelf.num_rows())).collect();
        places.sort_unstable();
        places.dedup();
        rows::read_products(self.products.path(), shelf, &places)
    }

    /// The rows of one sub-category on a shelf, at most [`MOST_ROWS`].
    fn pick_sub_category(&mut self, shelf: &RecordBatch) -> Result<Vec<ProductRow>, DemoError> {
        let model = self.pick(shelf, 1)?;
        let Some(sub_category) = model.first().map(|row| row.sub_category.clone()) else {
            return Ok(Vec::new());
        };
        let column = shelf.column_by_name("sub_category");
        let column = column.and_then(|column| column.as_string_opt::<i32>());
        let column = column.ok_or_else(|| DemoError::Shape {
            path: self.products.path().to_path_buf(),
            column: "sub_category".to_owned(),
        })?;
        let places: Vec<usize> = (0..column.len())
            .filter(|row| column.is_valid(*row) && column.value(*row) == sub_category)
            .take(MOST_ROWS)
            .collect();
        rows::read_products(self.products.path(), shelf, &places)
    }

    fn reprice(&mut self, kind: ActivityKind, shelf: &RecordBatch) -> Result<ActivityStep, DemoError> {
        let count = if kind == ActivityKind::PriceChange { 1 } else { 2 + self.stream.below(11) };
        let mut changed = self.pick(shelf, count)?;
        for row in &mut changed {
            row.price = moved(row.price, 0.75 + 0.5 * self.stream.unit());
        }
        let note = match changed.as_slice() {
            [row] => format!("product {} costs {:.2}", row.product_id, row.price),
            rows => format!("{} products have new prices", rows.len()),
        };
        self.update(kind, changed, note)
    }

    fn discount(&mut self, shelf: &RecordBatch) -> Result<ActivityStep, DemoError> {
        let mut changed = self.pick_sub_category(shelf)?;
        let percent = 10 + 5 * self.stream.below(5);
        for row in &mut changed {
            row.price = moved(row.price, 1.0 - percent as f64 / 100.0);
        }
        let what = changed.first().map_or("", |row| &row.sub_category);
        let note = format!("{percent} % off {} products of {what}", changed.len());
        self.update(ActivityKind::Discount, changed, note)
    }

    fn change_season(&mut self, shelf: &RecordBatch) -> Result<ActivityStep, DemoError> {
        let mut changed = self.pick_sub_category(shelf)?;
        let Some(from) = changed.first().map(|row| row.season.clone()) else {
            return self.reprice(ActivityKind::PriceChange, shelf);
        };
        changed.retain(|row| row.season == from);
        let others: Vec<&str> =
            REFERENCE.seasons.iter().map(|s| s.value).filter(|season| *season != from).collect();
        let season = self.stream.pick(&others).copied().unwrap_or("Summer");
        for row in &mut changed {
            season.clone_into(&mut row.season);
        }
        let what = changed.first().map_or("", |row| &row.sub_category);
        let note = format!("{} products of {what} moved to {season}", changed.len());
        self.update(ActivityKind::SeasonChange, changed, note)
    }

    fn update(
        &mut self,
        kind: ActivityKind,
        mut changed: Vec<ProductRow>,
        note: String,
    ) -> Result<ActivityStep, DemoError> {
        let now = Utc::now().timestamp_micros();
        for row in &mut changed {
            row.ingested_at = now;
        }
        let changes = KeyedChanges::by([KEY]).upsert(rows::product_rows(&changed)?);
        let commit = self.products.commit_with(Operation::Merge(changes), &noted(&note))?;
        Ok(ActivityStep {
            kind,
            commits: vec![(PRODUCTS_TABLE, commit.version)],
            rows: commit.rows.updated,
            note,
        })
    }

    /// A new product in the look of another. Its embedding comes first, so that no reader sees a
    /// product without one.
    fn take_in(&mut self, shelf: &RecordBatch) -> Result<ActivityStep, DemoError> {
        let model = self.pick(shelf, 1)?;
        let Some(product) = model.first().and_then(|row| self.invent(row)) else {
            return self.reprice(ActivityKind::PriceChange, shelf);
        };
        let now = Utc::now().timestamp_micros();
        let row = ProductRow { ingested_at: now, ..ProductRow::of(&product) };
        let note = format!("new: {}, product {}", row.product_display_name, row.product_id);
        let embedding = rows::embedding_rows(&[EmbeddingRow { product, created_at: now }], SEED)?;
        let embedded = self.embeddings.commit_with(Operation::Append(vec![embedding]), &noted(&note))?;
        // The number is spent even when the second commit fails: an embedding has it.
        self.next_product_id += super::KEY_STEP;
        let row = rows::product_rows(std::slice::from_ref(&row))?;
        let commit = insist(&mut self.products, &note, || Ok(Operation::Append(vec![row.clone()])))?;
        Ok(ActivityStep {
            kind: ActivityKind::NewProduct,
            commits: vec![(EMBEDDINGS_TABLE, embedded.version), (PRODUCTS_TABLE, commit.version)],
            rows: 1,
            note,
        })
    }

    /// A product like another, of any brand that makes such things; `None` when the row's look
    /// or gender is none of the demo's.
    fn invent(&mut self, row: &ProductRow) -> Option<Product> {
        let look = self.looks.get(&row.image_path)?;
        let place = |values: &[crate::catalogue::reference::FacetValue], value: &str| {
            values.iter().position(|known| known.value == value)
        };
        let brand = *self.stream.pick(&look.article().brands)?;
        Some(Product {
            product_id: self.next_product_id,
            article: look.article,
            gender: REFERENCE.gender(&row.gender)?,
            colour: look.colour,
            season: place(&REFERENCE.seasons, &row.season)?,
            usage: place(&REFERENCE.usages, &row.usage)?,
            year: REFERENCE.years.len() - 1,
            brand,
            pattern: look.pattern,
            style: Some("New"),
            price: price(look.article(), REFERENCE.brands[brand].tier, &mut self.stream),
        })
    }

    /// The product goes first, so that no reader sees it without its embedding.
    fn sell_out(&mut self, shelf: &RecordBatch) -> Result<ActivityStep, DemoError> {
        let gone: Vec<i64> = self.pick(shelf, 1)?.iter().map(|row| row.product_id).collect();
        let note = format!("sold out: product {}", gone.first().copied().unwrap_or_default());
        let delete = || -> Result<Operation<'static>, DemoError> {
            Ok(Operation::Merge(KeyedChanges::by([KEY]).delete(rows::key_rows(KEY, &gone)?)))
        };
        let commit = self.products.commit_with(delete()?, &noted(&note))?;
        let mut commits = vec![(PRODUCTS_TABLE, commit.version)];
        let commit = insist(&mut self.embeddings, &note, delete)?;
        if commit.written {
            commits.push((EMBEDDINGS_TABLE, commit.version));
        }
        Ok(ActivityStep { kind: ActivityKind::SoldOut, commits, rows: 1, note })
    }
}

/// Commits the second half of a change, after however many commits of other writers: the first half is there already.
fn insist(
    table: &mut DeltaTable,
    note: &str,
    operation: impl Fn() -> Result<Operation<'static>, DemoError>,
) -> Result<Commit, DemoError> {
    let mut tries = 1;
    loop {
        match table.commit_with(operation()?, &noted(note)) {
            Err(DeltaWriteError::Conflict { .. }) if tries < super::TRIES => {
                tries += 1;
                table.refresh()?;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// The greatest key of a table, `None` when it has no rows.
pub(super) fn greatest_key(table: &DeltaTable) -> Result<Option<i64>, DemoError> {
    let mut greatest = None;
    for file in table.files() {
        let rows = table.read(&file.path, Some(&[KEY]))?;
        let keys = rows.column_by_name(KEY).and_then(|keys| keys.as_primitive_opt::<Int64Type>());
        let keys = keys
            .ok_or_else(|| DemoError::Shape { path: table.path().to_path_buf(), column: KEY.to_owned() })?;
        greatest = greatest.max(keys.iter().flatten().max());
    }
    Ok(greatest)
}

/// A price changed by a factor, by a cent at least.
fn moved(price: f64, factor: f64) -> f64 {
    let new = to_cents((price * factor).max(LEAST_PRICE));
    if new == price { to_cents(price + 0.01) } else { new }
}

fn noted(note: &str) -> CommitOptions {
    CommitOptions { timestamp: None, note: Some(note.to_owned()) }
}
