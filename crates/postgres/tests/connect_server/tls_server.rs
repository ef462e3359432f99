//! A PostgreSQL that speaks TLS, with access rules of one's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use lakefront_postgres::connect::{ConnectOptions, Password};
use lakefront_postgres::embedded::{EmbeddedOptions, EmbeddedServer};
use tempfile::TempDir;

use crate::authority::Authority;

/// Asks for a password over TLS and without; `plain` may come only without TLS, `tls` only with,
/// `certified` only with a certificate of the client.
const ACCESS: &str = "\
local all all scram-sha-256
hostssl all plain 127.0.0.1/32 reject
host all plain 127.0.0.1/32 trust
hostnossl all tls 127.0.0.1/32 reject
host all tls 127.0.0.1/32 trust
hostssl all certified 127.0.0.1/32 cert
host all all 127.0.0.1/32 scram-sha-256
";

pub struct TlsServer {
    _temporary: TempDir,
    pub authority: Authority,
    bin: PathBuf,
    server: EmbeddedServer,
}

impl TlsServer {
    /// Starts one with the certificate `server.crt` that `prepare` makes. `None`, with a word on
    /// stderr, where there is no PostgreSQL with TLS or no `openssl`.
    pub async fn start(prepare: impl FnOnce(&Authority)) -> Option<Self> {
        Self::start_with(prepare, &[]).await
    }

    pub async fn start_with(prepare: impl FnOnce(&Authority), settings: &[(&str, &str)]) -> Option<Self> {
        let bin = programs()?;
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let authority = Authority::new(temporary.path());
        prepare(&authority);
        fs::write(temporary.path().join("access"), ACCESS).unwrap();
        let mut options = EmbeddedOptions::throwaway(temporary.path().join("server"))
            .with_binaries(&bin)
            .with_setting("ssl", "on")
            .with_setting("hba_file", authority.path("access"))
            .with_setting("ssl_cert_file", authority.path("server.crt"))
            .with_setting("ssl_key_file", authority.path("server.key"))
            .with_setting("ssl_ca_file", authority.path("root.crt"));
        for (name, value) in settings {
            options = options.with_setting(*name, *value);
        }
        give_to_server(&authority.folder, &["server.key", "access"]);
        let server = match EmbeddedServer::start(options, &|step| eprintln!("{step}")).await {
            Ok(server) => server,
            Err(error) => panic!("{}", lakefront_testkit::chain(&error)),
        };
        let client = server.connect_options().connect().await.unwrap();
        client
            .batch_execute("CREATE ROLE plain LOGIN; CREATE ROLE tls LOGIN; CREATE ROLE certified LOGIN")
            .await
            .unwrap();
        Some(Self { _temporary: temporary, authority, bin, server })
    }

    /// How to sign in over TCP, with more parameters.
    pub fn options(&self, host: &str, user: &str, parameters: &str) -> ConnectOptions {
        let home = self.authority.path("");
        let address = self.address(host, user, parameters);
        let options = ConnectOptions::parse_in(&address, &[("HOME", home.as_str())]).unwrap();
        match user {
            "postgres" => options.with_password(self.password()),
            _ => options,
        }
    }

    /// What libpq itself makes of the same address: whether the session is within TLS, or `None`
    /// when there is none. The command `psql` is of the same PostgreSQL as the server.
    pub fn asked_by_psql(&self, host: &str, user: &str, parameters: &str) -> Option<bool> {
        let output = Command::new(self.bin.join("psql"))
            .args(["-XAtw", "-d", &self.address(host, user, parameters), "-c"])
            .arg("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            .env_clear()
            .env("HOME", self.authority.path(""))
            .env(
                "PGPASSWORD",
                if user == "postgres" { self.password().reveal().to_owned() } else { String::new() },
            )
            .output()
            .unwrap();
        output.status.success().then(|| output.stdout.starts_with(b"t"))
    }

    fn address(&self, host: &str, user: &str, parameters: &str) -> String {
        let port = self.server.port();
        format!("host={host} hostaddr=127.0.0.1 port={port} user={user} dbname=postgres {parameters}")
    }

    fn password(&self) -> Password {
        let given = self.server.connect_options();
        given.password_for(&given.servers()[0]).unwrap()
    }
}

/// Debian's PostgreSQL, which unlike the fetched one is built with TLS.
fn programs() -> Option<PathBuf> {
    let found = ["18", "17", "16", "15"]
        .map(|major| Path::new("/usr/lib/postgresql").join(major).join("bin"))
        .into_iter()
        .find(|bin| bin.join("initdb").exists());
    if found.is_none() {
        eprintln!("SKIPPED: needs a PostgreSQL with TLS (Debian: apt-get install postgresql-15)");
    }
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: needs the command openssl");
        return None;
    }
    found
}

/// The server refuses a key that others may read, and runs as somebody else than root.
fn give_to_server(folder: &Path, files: &[&str]) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let id = |flag: &str| -> u32 {
        let output = Command::new("id").args([flag, "postgres"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    for file in files {
        chown(folder.join(file), Some(id("-u")), Some(id("-g"))).unwrap();
    }
}
