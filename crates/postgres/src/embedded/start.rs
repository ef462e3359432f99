//! Starting a server, taking over a running one, or attaching to it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::{self, Binaries, Wanted};
use super::cluster::{self, Cluster};
use super::command;
use super::error::EmbeddedError;
use super::folders;
use super::initdb;
use super::lock::Lock;
use super::log;
use super::machine::Machine;
use super::options::EmbeddedOptions;
use super::pidfile::{PidFile, Status};
use super::port;
use super::postmaster::{POLL, Postmaster};
use super::server::{EmbeddedServer, Ownership};
use super::settings::Settings;
use super::watchdog::Watchdog;
use crate::connect::{ConnectError, ConnectOptions};

/// How long a server may take to answer. Recovery after a crash reads up to `max_wal_size` of log.
const START_LIMIT: Duration = Duration::from_secs(600);

/// How often a start is tried when somebody takes the port in the meantime.
const PORT_TRIES: usize = 5;

/// How long the processes of a killed server may need to notice that it is gone. Until they ended, they hold its shared
/// memory and no other server can start.
const REMAINS_LIMIT: Duration = Duration::from_secs(20);

/// After this time of silence the user is told why it takes so long.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a server that says it is ready may refuse to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

pub(super) async fn start(
    options: EmbeddedOptions,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<EmbeddedServer, EmbeddedError> {
    let folder = folders::server_folder(&options.folder, progress)?;
    let account = Account::for_server(&folder.join("pgdata"))?;
    let cluster = Cluster { folder, account };
    let mut wait = Wait::new(START_LIMIT, progress);
    loop {
        if let Some(lock) = Lock::try_take(&cluster.lock_file())? {
            return own(cluster, lock, options, progress).await;
        }
        // The owner may be starting or stopping it just now, or end before it answers.
        if let Some(file) = PidFile::read(&cluster.data())
            && file.status == Status::Ready
            && let Ok(options) = reach(&cluster, &file).await
        {
            return Ok(EmbeddedServer { cluster, options, ownership: None });
        }
        if !wait.again("waiting for the Lakefront process that runs PostgreSQL here").await {
            return Err(EmbeddedError::Occupied { lock: cluster.lock_file() });
        }
    }
}

/// Goes on as the owner.
async fn own(
    cluster: Cluster,
    lock: Lock,
    options: EmbeddedOptions,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<EmbeddedServer, EmbeddedError> {
    // Before there is anything to watch over, so that a kill at any moment leaves nothing behind.
    let watchdog = match options.throwaway {
        true => Some(Watchdog::start(&cluster.data(), &cluster.folder)?),
        false => None,
    };
    let (postmaster, connect) = match find_running(&cluster, progress).await? {
        Found::Running(postmaster, connect) => (postmaster, *connect),
        found @ (Found::Nothing | Found::Killed) => {
            let wanted = Wanted {
                given: options.binaries.clone(),
                major: cluster.major()?,
                server: &cluster.folder,
                cache: &options.cache,
            };
            let is_new = wanted.major.is_none();
            let binaries = binaries::find(&wanted, cluster.account, progress).await?;
            if is_new {
                progress(&format!(
                    "creating a PostgreSQL {} server in {}",
                    binaries.major,
                    cluster.folder.display()
                ));
                initdb::create(&cluster, &binaries, options.throwaway).await?;
            } else {
                // Without it nobody could sign in to the server once it runs.
                cluster.password()?;
                initdb::remove_drafts(&cluster);
            }
            let was_killed = matches!(found, Found::Killed);
            Launch { cluster: &cluster, binaries: &binaries, options: &options, was_killed, progress }
                .run()
                .await?
        }
    };
    Ok(EmbeddedServer {
        cluster,
        options: connect,
        ownership: Some(Ownership { postmaster, watchdog, lock }),
    })
}

/// What an earlier owner left.
enum Found {
    /// a server that runs, as its owner was killed
    Running(Postmaster, Box<ConnectOptions>),
    /// one that was killed itself, a moment ago perhaps
    Killed,
    /// none, or one that was stopped
    Nothing,
}

/// Looks for a server that was left running.
async fn find_running(cluster: &Cluster, progress: &(dyn Fn(&str) + Sync)) -> Result<Found, EmbeddedError> {
    let data = cluster.data();
    let mut wait = Wait::new(START_LIMIT, progress);
    let mut refused_since: Option<Instant> = None;
    while let Some(file) = PidFile::read(&data) {
        if !file.is_alive(&data) {
            // PostgreSQL itself refuses to start when the number now belongs to another process.
            let path = PidFile::path(&data);
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(EmbeddedError::io("remove", &path)(error))
                }
                _ => Ok(Found::Killed),
            };
        }
        let mut failure = None;
        if file.status == Status::Ready {
            match reach(cluster, &file).await {
                Ok(options) => {
                    return Ok(Found::Running(Postmaster::adopt(file.pid, &data), Box::new(options)));
                }
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_some() {
            refused_since.get_or_insert_with(Instant::now);
        }
        if refused_since.is_some_and(|since| since.elapsed() > ANSWER_LIMIT)
            || !wait.again("waiting for PostgreSQL to finish starting or stopping").await
        {
            return Err(EmbeddedError::NotAnswering {
                folder: cluster.folder.clone(),
                source: failure.map(Box::new),
            });
        }
    }
    Ok(Found::Nothing)
}

/// Signs in through the socket that a running server names, or over TCP when its folder is gone.
async fn reach(cluster: &Cluster, file: &PidFile) -> Result<ConnectOptions, ConnectError> {
    let mut failure = None;
    let socket = file.socket_folder.to_string_lossy();
    for host in [&*socket, "127.0.0.1"].into_iter().filter(|host| !host.is_empty()) {
        let Ok(options) = cluster.connect_options(host, file.port) else { continue };
        match options.connect().await {
            Ok(_) => return Ok(options),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(ConnectError::Address(crate::connect::AddressError::NoUser)))
}

/// Starting the server's process.
struct Launch<'a> {
    cluster: &'a Cluster,
    binaries: &'a Binaries,
    options: &'a EmbeddedOptions,
    was_killed: bool,
    progress: &'a (dyn Fn(&str) + Sync),
}

/// How one try ended.
enum Outcome {
    Ready(Postmaster, Box<ConnectOptions>),
    Ended { log_from: u64 },
}

impl Launch<'_> {
    async fn run(&self) -> Result<(Postmaster, ConnectOptions), EmbeddedError> {
        let socket_folder = folders::socket_folder(&self.cluster.folder, self.cluster.account)?;
        let mut settings = Settings {
            machine: Machine::look(&self.cluster.folder),
            major: self.binaries.major,
            port: 0,
            socket_folder: &socket_folder,
            wal_compression: None,
            io_uring: false,
            throwaway: self.options.throwaway,
            extra: &self.options.settings,
        };
        self.configure(&settings)?;
        settings.wal_compression = self.first_accepted("wal_compression", &["lz4", "zstd"]).await;
        settings.io_uring =
            system_has_io_uring() && self.first_accepted("io_method", &["io_uring"]).await.is_some();
        let mut tries = 0;
        let began = Instant::now();
        loop {
            tries += 1;
            settings.port = port::choose(&self.cluster.port_file(), &self.cluster.folder);
            self.configure(&settings)?;
            let outcome = self.once(&settings, &socket_folder).await?;
            if let Outcome::Ended { .. } = outcome
                && let Found::Running(postmaster, connect) = find_running(self.cluster, self.progress).await?
            {
                // One that a killed owner had begun to start was faster.
                return Ok((postmaster, *connect));
            }
            match outcome {
                Outcome::Ready(postmaster, options) => {
                    cluster::write(&self.cluster.port_file(), &settings.port.to_string(), 0o600, None)?;
                    return Ok((postmaster, *options));
                }
                // Compiled in, but the kernel or the container's rules do not let it be used.
                Outcome::Ended { .. } if settings.io_uring => settings.io_uring = false,
                Outcome::Ended { .. } if self.was_killed && began.elapsed() < REMAINS_LIMIT => {
                    tries -= 1;
                    tokio::time::sleep(POLL).await;
                }
                Outcome::Ended { .. } if tries < PORT_TRIES && !port::is_free(settings.port) => {}
                Outcome::Ended { log_from } => {
                    let log = self.cluster.log_file();
                    let tail = log::tail(&log, log_from);
                    return Err(EmbeddedError::NotStarted { log, tail });
                }
            }
        }
    }

    fn configure(&self, settings: &Settings<'_>) -> Result<(), EmbeddedError> {
        let file = self.cluster.data().join(initdb::CONF);
        cluster::write(&file, &settings.render(), 0o600, self.cluster.account)
    }

    /// The first value that the build takes for a setting.
    async fn first_accepted(&self, name: &str, values: &[&'static str]) -> Option<&'static str> {
        for value in values {
            let mut ask = command::new(self.cluster.account, &self.binaries.program("postgres"));
            ask.arg("-D").arg(self.cluster.data()).args(["-c", &format!("{name}={value}"), "-C", name]);
            if command::run(ask).await.is_ok() {
                return Some(value);
            }
        }
        None
    }

    async fn once(&self, settings: &Settings<'_>, socket_folder: &Path) -> Result<Outcome, EmbeddedError> {
        let (data, log_file) = (self.cluster.data(), self.cluster.log_file());
        let log = log::open(&log_file)?;
        let log_from = log.metadata().map_or(0, |metadata| metadata.len());
        let command = command::new(self.cluster.account, &self.binaries.program("postgres"));
        let mut postmaster = Postmaster::spawn(command, &data, log)?;
        let connect = self.cluster.connect_options(&socket_folder.to_string_lossy(), settings.port)?;
        let mut wait = Wait::new(START_LIMIT, self.progress);
        let mut failure = None;
        while postmaster.is_running() {
            let is_ready = PidFile::read(&data)
                .is_some_and(|file| file.pid == postmaster.pid() && file.status == Status::Ready);
            if is_ready {
                match connect.connect().await {
                    Ok(_) => return Ok(Outcome::Ready(postmaster, Box::new(connect))),
                    Err(error) if error.is_transient() => failure = Some(Box::new(error)),
                    Err(error) => {
                        return Err(EmbeddedError::NotAnswering {
                            folder: self.cluster.folder.clone(),
                            source: Some(Box::new(error)),
                        });
                    }
                }
            }
            if !wait.again("PostgreSQL is still starting (after a crash it recovers first)").await {
                return Err(EmbeddedError::NotAnswering {
                    folder: self.cluster.folder.clone(),
                    source: failure,
                });
            }
        }
        Ok(Outcome::Ended { log_from })
    }
}

/// What the kernel says; a container's rules may still forbid it.
fn system_has_io_uring() -> bool {
    fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|text| text.trim() == "0")
}

/// Waiting step by step, with one word to the user when it takes long.
struct Wait<'a> {
    since: Instant,
    limit: Duration,
    told: bool,
    progress: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Wait<'a> {
    fn new(limit: Duration, progress: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self { since: Instant::now(), limit, told: false, progress }
    }

    /// Waits a step; `false` when the time is over.
    async fn again(&mut self, what: &str) -> bool {
        if !self.told && self.since.elapsed() > PATIENCE {
            self.told = true;
            (self.progress)(what);
        }
        tokio::time::sleep(POLL).await;
        self.since.elapsed() < self.limit
    }
}
