//! PostgreSQL as installed on the machine.

use std::fs;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::binaries::{Binaries, BinarySource};
use super::command;

/// Folders whose children each hold a version, with the way from there to the programs: Debian and
/// Ubuntu, Red Hat and SUSE, Alpine, Homebrew on both kinds of Mac, Postgres.app.
const PLACES: [(&str, &str); 7] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/pgsql", "bin"),
    ("/usr/lib", "bin"),
    ("/usr/libexec", ""),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// The newest installed PostgreSQL that can be run; one of the wanted major version if there is.
pub(super) async fn find(wanted: Option<u32>, account: Option<Account>) -> Option<Binaries> {
    let mut found: Vec<Binaries> = Vec::new();
    for folder in candidates().await {
        if let Ok(binaries) = Binaries::probe(&folder, BinarySource::Installed, account).await {
            found.push(binaries);
        }
    }
    // The last of equals wins below; the search path comes first.
    found.reverse();
    found.into_iter().max_by_key(|binaries| (Some(binaries.major) == wanted, binaries.major))
}

async fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut ask = command::new(None, Path::new("pg_config"));
    ask.arg("--bindir");
    if let Ok(folder) = command::run(ask).await {
        folders.push(PathBuf::from(folder.trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    for (parent, way) in PLACES {
        let Ok(children) = fs::read_dir(parent) else { continue };
        folders.extend(
            children
                .flatten()
                .filter(|child| names_postgres(parent, &child.file_name().to_string_lossy()))
                .map(|child| child.path().join(way)),
        );
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    // Links to the same folder count once.
    let mut folders: Vec<PathBuf> = folders
        .into_iter()
        .filter(|folder| folder.join("postgres").exists() && folder.join("initdb").exists())
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|program| program.parent().map(Path::to_owned))
        .collect();
    let mut seen = std::collections::HashSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

/// Parents that hold other things as well need a look at the name.
fn names_postgres(parent: &str, name: &str) -> bool {
    match parent {
        "/usr/lib" | "/usr/libexec" | "/opt/homebrew/opt" | "/usr/local/opt" => {
            name.starts_with("postgresql")
        }
        _ => true,
    }
}
