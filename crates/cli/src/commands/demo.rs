//! `lakefront demo`

use super::serve::{keep_fresh, tell};
use crate::args::{Activity, Demo};
use crate::context::{Known, ensure_database, start_embedded};
use crate::error::CliError;
use crate::output::{self, Printer, count, seconds};
use crate::signals::asked_to_stop;
use crate::storefront;
use lakefront_demo::{DemoLake, Pictures, ShopActivity};
use lakefront_lake::{Catalogs, FolderCatalog, Lake, LakeOptions, Location};
use lakefront_model::{Condition, SchedulingPolicy, SyncedTableSpec, TableName, TypeOverride};
use lakefront_postgres::connect::ConnectOptions;
use lakefront_postgres::roles;
use lakefront_storefront::{GivenSettings, Settings};
use lakefront_sync::{Engine, EngineSettings, Progress, RefreshReport, RefreshRequest, SyncError};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The database that the catalog `ecom` is bound to.
const DATABASE: &str = "databricks_postgres";
/// Whom the shop signs in as: a user that may read and not write.
const SHOP_USER: &str = "storefront";
/// The simulated shop's choices follow from this.
const ACTIVITY_SEED: u64 = 7;

pub async fn run(demo: Demo, printer: Printer) -> Result<ExitCode, CliError> {
    // The port first: nothing is made when the shop could not be served.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, demo.port));
    let listener = storefront::listen(address).await?;
    let address = listener.local_addr().unwrap_or(address);
    let folder = std::path::absolute(&demo.data)
        .map_err(|e| CliError::usage(format!("--data {}: {e}", demo.data.display()), ""))?;
    let lake = folder.join("lake");

    make_lake(&lake, printer).await?;
    let server = start_embedded(&folder.join("postgres"), printer).await?;
    let result =
        serve(&demo, printer, listener, address, &folder, &server.connect_options(), server.port()).await;
    // The demo's own error says more than one of the clean-up after it.
    let stopped = server.stop().await;
    result?;
    stopped.map_err(|e| {
        CliError::failed(Condition::ConnectionError, format!("the embedded PostgreSQL: {e}"), "")
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn make_lake(lake: &Path, printer: Printer) -> Result<(), CliError> {
    let started = Instant::now();
    let root = lake.to_owned();
    let made = tokio::task::spawn_blocking(move || DemoLake::ensure(&root, &|step| printer.note(step)));
    let made = made.await.map_err(|e| CliError::internal(format!("making the lake ended: {e}")))?;
    made.map_err(|e| CliError::failed(Condition::SourceReadError, format!("making the demo lake: {e}"), ""))?;
    printer.note(&format!(
        "lake           {} ({})",
        lake.display(),
        seconds(started.elapsed().as_secs_f64())
    ));
    Ok(())
}

async fn serve(
    demo: &Demo,
    printer: Printer,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
    folder: &Path,
    superuser: &ConnectOptions,
    port: u16,
) -> Result<(), CliError> {
    ensure_database(superuser, DATABASE).await?;
    let database = superuser.clone().with_database(DATABASE);
    printer.note(&format!("PostgreSQL     127.0.0.1:{port}, database {DATABASE}"));

    let mut catalogs = Catalogs::default();
    let root = Location::from_path(&folder.join("lake")).map_err(SyncError::from)?;
    catalogs.add_catalog("main", Arc::new(FolderCatalog::new(root)));
    let lake = Lake::new(LakeOptions::default()).map_err(SyncError::from)?;
    let engine = Arc::new(Engine::new(lake, catalogs, database.clone(), EngineSettings::default()));
    for spec in specs()? {
        let progress = Arc::new(Progress::default());
        let name = spec.name.to_string();
        let request = RefreshRequest { spec, full: false };
        let report = output::watch(printer, &name, &progress, engine.refresh(&request, &progress)).await?;
        printer.note(&format!(
            "synced         {name}: {} rows, version {}, {}",
            count(report.rows),
            report.version,
            seconds(report.seconds)
        ));
    }

    let client = database.connect().await.map_err(SyncError::from)?;
    let password = roles::random_password();
    roles::ensure_reader_login(&client, SHOP_USER, &password).await.map_err(SyncError::from)?;
    drop(client);

    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    for spec in specs()? {
        let table = Known { spec, entry: None, engine: engine.clone() };
        running.spawn(keep_fresh(printer, table.into(), stop.clone(), tell_changes));
    }
    let settings = shop_settings(superuser, &password)?;
    let pictures = Pictures::new(folder.join("pictures"))
        .map_err(|e| CliError::failed(Condition::SourceReadError, format!("the demo's pictures: {e}"), ""))?;
    let images = move |path: &str| pictures.get(path).map(bytes::Bytes::from);
    let shop =
        tokio::spawn(lakefront_storefront::serve(listener, settings, images, stop.clone().cancelled_owned()));
    let activity = start_activity(demo.activity, folder);

    let url = format!("postgres://{SHOP_USER}:{password}@127.0.0.1:{port}/{DATABASE}");
    printer.say(&format!(
        "\nThe shop is open\n  shop  http://{address}/\n  API   http://{address}/api/v1/products?page=1&page_size=5\n  docs  http://{address}/docs\n  SQL   psql '{url}'\nCtrl-C stops everything"
    ));
    asked_to_stop().await;
    printer.note("stopping");
    stop.cancel();
    activity.stop().await;
    while running.join_next().await.is_some() {}
    match shop.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(CliError::failed(Condition::InternalError, format!("the shop: {e}"), "")),
        Err(e) => Err(CliError::internal(format!("the shop ended: {e}"))),
    }
}

/// What follows the first copies, which were told already.
fn tell_changes(printer: Printer, spec: &SyncedTableSpec, result: &Result<RefreshReport, SyncError>) {
    if !result.as_ref().is_ok_and(|report| report.refresh == "none") {
        tell(printer, spec, result);
    }
}

/// The four synced tables.
fn specs() -> Result<Vec<SyncedTableSpec>, CliError> {
    let table = |name: &str,
                 key: &str,
                 vector: Option<&str>,
                 indexes: &[&str]|
     -> Result<SyncedTableSpec, CliError> {
        let target = TableName::parse(&format!("ecom.fashion_demo.{name}")).map_err(SyncError::from)?;
        let mut spec =
            SyncedTableSpec::new(target, format!("main.fashion_demo.{name}"), vec![key.to_owned()]);
        spec.scheduling_policy = SchedulingPolicy::Continuous;
        spec.indexes = indexes.iter().map(|&i| i.to_owned()).collect();
        if let Some(column) = vector {
            let wanted = TypeOverride::parse(&format!("{column}=vector:512"));
            spec.type_overrides.push(wanted.map_err(|e| CliError::internal(e.to_string()))?);
        }
        Ok(spec)
    };
    let products =
        ["(product_display_name, product_id)", "(master_category)", "(price)", "(gender)", "(base_color)"];
    Ok(vec![
        table("productsdb", "product_id", None, &products)?,
        table("usersdb", "user_id", None, &["(segment)"])?,
        table("product_image_embeddingsdb", "product_id", Some("image_embedding"), &[])?,
        table("user_style_featuresdb", "user_id", Some("user_embedding"), &["(segment)"])?,
    ])
}

fn shop_settings(superuser: &ConnectOptions, password: &str) -> Result<Settings, CliError> {
    let endpoint = superuser.servers().first();
    let given = GivenSettings {
        host: endpoint.map(|e| e.host.clone()),
        port: endpoint.map(|e| e.port),
        user: Some(SHOP_USER.to_owned()),
        password: Some(password.to_owned().into()),
        database: Some(DATABASE.to_owned()),
        ..GivenSettings::default()
    };
    Settings::explicit(&given).map_err(|e| CliError::internal(format!("the shop's settings: {e}")))
}

/// The simulated shop on a thread of its own.
struct RunningActivity {
    stop: Arc<AtomicBool>,
    thread: Option<tokio::task::JoinHandle<()>>,
}

fn start_activity(activity: Activity, folder: &Path) -> RunningActivity {
    let stop = Arc::new(AtomicBool::new(false));
    let Activity::PerSecond(rate) = activity else { return RunningActivity { stop, thread: None } };
    let (root, flag) = (folder.join("lake"), stop.clone());
    let thread = tokio::task::spawn_blocking(move || {
        let ended =
            ShopActivity::new(&root, rate, ACTIVITY_SEED).and_then(|mut shop| shop.run(&flag, |_| ()));
        if let Err(error) = ended {
            tracing::error!(target: "lakefront", "the simulated shop stopped: {error}");
        }
    });
    RunningActivity { stop, thread: Some(thread) }
}

impl RunningActivity {
    async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            // It ends after the commit it is making.
            drop(thread.await);
        }
    }
}
