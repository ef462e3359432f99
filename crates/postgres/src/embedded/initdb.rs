//! Creating the data directory.

use std::fs;
use std::process::Command;

use super::account;
use super::binaries::Binaries;
use super::cluster::{self, Cluster, SUPERUSER};
use super::command;
use super::error::EmbeddedError;
use super::folders;

/// The file that the server's configuration includes.
pub(super) const CONF: &str = "lakefront.conf";

/// Creates the data directory beside its place and moves it there when it is complete, so that a
/// kill in between leaves nothing that looks like data.
pub(super) async fn create(
    cluster: &Cluster,
    binaries: &Binaries,
    throwaway: bool,
) -> Result<(), EmbeddedError> {
    let (data, draft) = (cluster.data(), cluster.folder.join("pgdata.new"));
    // An empty folder may have been made by somebody beforehand; anything else is not ours.
    if data.exists() {
        fs::remove_dir(&data).map_err(EmbeddedError::io("make room for the server's data in", &data))?;
    }
    // 244 random bits, as hexadecimal digits.
    let password = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let password_copy = cluster.folder.join("initdb-password");
    cluster::write(&cluster.password_file(), &password, 0o600, None)?;
    cluster::write(&password_copy, &password, 0o600, cluster.account)?;
    let mut result = Err(EmbeddedError::LostPassword(password_copy.clone()));
    for locale in locales(binaries.major) {
        let _ = fs::remove_dir_all(&draft);
        folders::create(&draft, 0o700)?;
        account::give(cluster.account, &draft)?;
        let mut initdb: Command = command::new(cluster.account, &binaries.program("initdb"));
        initdb
            .arg("-D")
            .arg(&draft)
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pwfile")
            .arg(&password_copy)
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"])
            .args(*locale);
        if throwaway {
            initdb.arg("--no-sync");
        }
        result = command::run(initdb).await;
        if result.is_ok() {
            break;
        }
    }
    let _ = fs::remove_file(&password_copy);
    result?;
    include_conf(cluster, &draft)?;
    fs::rename(&draft, &data).map_err(EmbeddedError::io("create", &data))?;
    cluster::sync_folder(&cluster.folder)
}

/// Text is compared by code point, and upper and lower case are those of Unicode. PostgreSQL 17 and
/// later do that by themselves; earlier ones need a locale of the system, which not all have.
fn locales(major: u32) -> &'static [&'static [&'static str]] {
    if major >= 17 {
        &[&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=C"]]
    }
}

fn include_conf(cluster: &Cluster, data: &std::path::Path) -> Result<(), EmbeddedError> {
    cluster::write(&data.join(CONF), "", 0o600, cluster.account)?;
    let main = data.join("postgresql.conf");
    let text = fs::read_to_string(&main).map_err(EmbeddedError::io("read", &main))?;
    cluster::write(&main, &format!("{text}\ninclude = '{CONF}'\n"), 0o600, cluster.account)
}
