//! The demo's lake: four Delta tables, written whole or not at all.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use lakefront_delta_writer::{DeltaTable, DeltaWriteError, Operation, StagedFile, TableSpec};

use crate::SEED;
use crate::catalogue::{self, Product};
use crate::error::{DemoError, io_at};
use crate::layout::{
    EMBEDDINGS_TABLE, PRODUCTS_TABLE, SCHEMA, USER_FEATURES_TABLE, USERS_TABLE, layout_of, open_table,
};
use crate::people::{self, User};
use crate::rows::{self, EmbeddingRow, INGESTED_AT, ProductRow};

/// Marks a folder as written by the demo, and by which form of its data.
const MARKER: &str = ".lakefront-demo";
/// Changes when the data's form does: a lake of another form is made anew.
const FORM: &str = "1";
/// Threads that make rows and files; more would wait for the disk.
const MAX_THREADS: usize = 4;

/// The demo's lake.
#[derive(Debug, Clone, Copy)]
pub struct DemoLake;

/// What [`DemoLake::ensure`] found or made.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The folder of the schema.
    pub location: PathBuf,
    /// True when the tables were written now, false when they were there.
    pub made: bool,
    /// The four tables.
    pub tables: Vec<TableSummary>,
    /// Wall time of the call.
    pub seconds: f64,
}

/// One table of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// The table's name in the schema.
    pub name: &'static str,
    /// Its newest commit.
    pub version: u64,
    /// Rows now.
    pub rows: u64,
    /// Data files now.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// A table to be made.
struct Plan {
    name: &'static str,
    description: &'static str,
    schema: fn() -> SchemaRef,
    rows: fn(&Content, Range<usize>) -> Result<RecordBatch, DemoError>,
    count: fn(&Content) -> usize,
}

/// What the tables are filled with.
struct Content {
    products: Vec<Product>,
    users: Vec<User>,
}

const PLANS: [Plan; 4] = [
    Plan {
        name: EMBEDDINGS_TABLE,
        description: "What the products' pictures look like, 512 numbers each",
        schema: rows::embedding_schema,
        rows: |content, range| {
            let rows = content.products[range].iter();
            let rows: Vec<EmbeddingRow> =
                rows.map(|product| EmbeddingRow { product: *product, created_at: INGESTED_AT }).collect();
            rows::embedding_rows(&rows, SEED)
        },
        count: |content| content.products.len(),
    },
    Plan {
        name: USER_FEATURES_TABLE,
        description: "What the users like, as preferences and as 512 numbers",
        schema: rows::feature_schema,
        rows: |content, range| rows::feature_rows(&content.users[range]),
        count: |content| content.users.len(),
    },
    Plan {
        name: PRODUCTS_TABLE,
        description: "The shop's catalogue",
        schema: rows::product_schema,
        rows: |content, range| {
            let rows: Vec<ProductRow> = content.products[range].iter().map(ProductRow::of).collect();
            rows::product_rows(&rows)
        },
        count: |content| content.products.len(),
    },
    Plan {
        name: USERS_TABLE,
        description: "The shop's users",
        schema: rows::user_schema,
        rows: |content, range| rows::user_rows(&content.users[range]),
        count: |content| content.users.len(),
    },
];

impl DemoLake {
    /// Makes sure that the demo's tables are under `root`, in the folder `fashion_demo`.
    ///
    /// A complete lake is left as it is, with whatever was committed to it since. Otherwise the
    /// tables are written beside and put in place at once: a crash leaves nothing that a reader
    /// could take for the lake. Two processes may call this at once; one of them writes.
    /// `progress` is told what is being done, one line of text each time.
    ///
    /// # Errors
    /// [`DemoError::NotTheDemo`] when the folder `fashion_demo` holds something else, and
    /// failures of the file system.
    pub fn ensure(root: &Path, progress: &dyn Fn(&str)) -> Result<Summary, DemoError> {
        let start = Instant::now();
        fs::create_dir_all(root).map_err(io_at(root))?;
        let _alone = lock(root)?;
        let location = root.join(SCHEMA);
        let (made, tables) = match complete(root)? {
            Some(tables) => {
                progress(&format!("the demo's lake is there: {}", location.display()));
                (false, tables)
            }
            None => {
                make(root, progress)?;
                let missing = || DemoError::NotTheDemo { path: location.clone() };
                (true, complete(root)?.ok_or_else(missing)?)
            }
        };
        Ok(Summary { location, made, tables, seconds: start.elapsed().as_secs_f64() })
    }
}

/// Waits until no other process makes a lake here; the lock ends with the file handle, and so with the process.
fn lock(root: &Path) -> Result<File, DemoError> {
    let path = root.join(format!(".{SCHEMA}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
    file.lock().map_err(io_at(&path))?;
    Ok(file)
}

/// The lake's tables when all are there with all their files, `None` when they are to be made.
fn complete(root: &Path) -> Result<Option<Vec<TableSummary>>, DemoError> {
    let location = root.join(SCHEMA);
    let marker = location.join(MARKER);
    match fs::read_to_string(&marker) {
        Ok(form) if form.trim() == FORM => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let occupied = fs::read_dir(&location).is_ok_and(|mut entries| entries.next().is_some());
            return if occupied { Err(DemoError::NotTheDemo { path: location }) } else { Ok(None) };
        }
        Err(error) => return Err(io_at(marker)(error)),
    }
    let mut tables = Vec::new();
    for plan in PLANS {
        let table = match open_table(root, plan.name) {
            Ok(table) => table,
            Err(DeltaWriteError::NotATable { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let files = table.files();
        let whole = |path: &str, size: u64| {
            fs::metadata(table.path().join(path)).is_ok_and(|found| found.len() == size)
        };
        if !files.iter().all(|file| whole(&file.path, file.size)) {
            return Ok(None);
        }
        tables.push(TableSummary {
            name: plan.name,
            version: table.version(),
            rows: files.iter().filter_map(|file| file.rows).sum(),
            files: files.len(),
            bytes: files.iter().map(|file| file.size).sum(),
        });
    }
    Ok(Some(tables))
}

/// Writes all tables beside the lake and puts them in place.
fn make(root: &Path, progress: &dyn Fn(&str)) -> Result<(), DemoError> {
    let aside = root.join(format!(".{SCHEMA}.unfinished"));
    remove(&aside)?;
    progress("inventing the catalogue and its users");
    let products = catalogue::generate(SEED);
    let users = people::generate(SEED, &products);
    let content = Content { products, users };
    let mut tables = Vec::new();
    for plan in &PLANS {
        let spec = TableSpec::new((plan.schema)())
            .named(plan.name)
            .described(plan.description)
            .with_change_data_feed()
            .with_layout(layout_of(plan.name));
        tables.push(DeltaTable::create(aside.join(plan.name), spec)?);
    }
    progress(&format!(
        "writing {} products and {} users as Delta tables",
        content.products.len(),
        content.users.len()
    ));
    let files = stage_all(&tables, &content)?;
    for (table, files) in tables.iter_mut().zip(files) {
        let _ = table.commit(Operation::AppendStaged(files))?;
    }
    let marker = aside.join(MARKER);
    fs::write(&marker, FORM).map_err(io_at(marker))?;
    let location = root.join(SCHEMA);
    remove(&location)?;
    fs::rename(&aside, &location).map_err(io_at(&location))?;
    progress(&format!("the demo's lake is ready: {}", location.display()));
    Ok(())
}

/// Writes the files of all tables in several threads; gives them by table, in the rows' order.
fn stage_all(tables: &[DeltaTable], content: &Content) -> Result<Vec<Vec<StagedFile>>, DemoError> {
    let mut jobs: Vec<(usize, Range<usize>)> = Vec::new();
    for (place, plan) in PLANS.iter().enumerate() {
        let (count, step) = ((plan.count)(content), layout_of(plan.name).rows_per_file);
        jobs.extend((0..count).step_by(step).map(|start| (place, start..count.min(start + step))));
    }
    let next = AtomicUsize::new(0);
    let staged: Mutex<Vec<(usize, StagedFile)>> = Mutex::new(Vec::new());
    let work = || -> Result<(), DemoError> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((place, range)) = jobs.get(number).cloned() else {
                return Ok(());
            };
            let rows = (PLANS[place].rows)(content, range)?;
            let file = tables[place].stage(&rows)?;
            if let Ok(mut staged) = staged.lock() {
                staged.push((number, file));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        // A panicking worker panics here too, as it would have without threads.
        let others = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        others.fold(own, Result::and)
    })?;
    let mut staged = staged.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    staged.sort_by_key(|(number, _)| *number);
    let mut by_table: Vec<Vec<StagedFile>> = PLANS.iter().map(|_| Vec::new()).collect();
    for (number, file) in staged {
        by_table[jobs[number].0].push(file);
    }
    Ok(by_table)
}

fn remove(folder: &Path) -> Result<(), DemoError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_at(folder)(error)),
        _ => Ok(()),
    }
}
