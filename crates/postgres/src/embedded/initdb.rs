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

/// How the folders begin in which data are prepared.
const DRAFT: &str = "creating-";

/// Creates the data directory beside its place and moves it there when it is complete, so that a
/// kill in between leaves nothing that looks like data. The place beside has a new name each time:
/// `initdb` outlives a Lakefront that is killed.
pub(super) async fn create(
    cluster: &Cluster,
    binaries: &Binaries,
    throwaway: bool,
) -> Result<(), EmbeddedError> {
    remove_drafts(cluster);
    let data = cluster.data();
    // An empty folder may have been made by somebody beforehand; anything else is not ours.
    if data.exists() {
        fs::remove_dir(&data).map_err(EmbeddedError::io("make room for the server's data in", &data))?;
    }
    let folder = cluster.folder.join(format!("{DRAFT}{}", uuid::Uuid::new_v4().simple()));
    folders::create(&folder, 0o700)?;
    account::give(cluster.account, &folder)?;
    // 244 random bits, as hexadecimal digits.
    let password = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let password_file = folder.join("password");
    cluster::write(&password_file, &password, 0o600, cluster.account)?;
    let draft = folder.join("pgdata");
    let mut result = Ok(String::new());
    for locale in locales(binaries.major) {
        let _ = fs::remove_dir_all(&draft);
        let mut initdb: Command = command::new(cluster.account, &binaries.program("initdb"));
        initdb
            .arg("-D")
            .arg(&draft)
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pwfile")
            .arg(&password_file)
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
    if let Err(error) = result {
        remove_drafts(cluster);
        return Err(error);
    }
    include_conf(cluster, &draft)?;
    cluster::write(&cluster.password_file(), &password, 0o600, None)?;
    fs::rename(&draft, &data).map_err(EmbeddedError::io("create", &data))?;
    cluster::sync_folder(&cluster.folder)?;
    remove_drafts(cluster);
    Ok(())
}

/// Removes what unfinished creations left, as far as their `initdb` lets go of it.
pub(super) fn remove_drafts(cluster: &Cluster) {
    let Ok(entries) = fs::read_dir(&cluster.folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(DRAFT) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
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
