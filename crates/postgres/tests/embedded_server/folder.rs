//! A temporary place for a server, and questions to ask a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lakefront_postgres::embedded::{EmbeddedOptions, EmbeddedServer};
use tempfile::TempDir;

/// A temporary folder that the server's user can pass through, and the path of a server in it.
pub struct Place {
    _temporary: TempDir,
    pub server: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let server = temporary.path().join("server");
        Self { _temporary: temporary, server }
    }

    pub fn options(&self) -> EmbeddedOptions {
        EmbeddedOptions::new(&self.server)
    }

    pub async fn start(&self) -> EmbeddedServer {
        start(self.options()).await
    }

    pub fn postmaster_pid(&self) -> Option<i32> {
        postmaster_pid(&self.server)
    }
}

pub async fn start(options: EmbeddedOptions) -> EmbeddedServer {
    match EmbeddedServer::start(options, &|step| eprintln!("{step}")).await {
        Ok(server) => server,
        Err(error) => panic!("{}", lakefront_testkit::chain(&error)),
    }
}

pub fn postmaster_pid(server: &Path) -> Option<i32> {
    let text = fs::read_to_string(server.join("pgdata/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

pub async fn ask(server: &EmbeddedServer, sql: &str) -> String {
    let client = server.connect_options().connect().await.unwrap();
    client.query_one(sql, &[]).await.unwrap().get(0)
}

pub async fn execute(server: &EmbeddedServer, sql: &str) {
    let client = server.connect_options().connect().await.unwrap();
    client.batch_execute(sql).await.unwrap();
}

pub fn is_running(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        // No /proc: ask with a signal that does nothing.
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        return !Path::new("/proc").exists() && rustix::process::test_kill_process(pid).is_ok();
    };
    !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// Waits until the condition holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn kill(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}
