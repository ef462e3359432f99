//! Where things lie, and who may get at them.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::{self, Account};
use super::error::EmbeddedError;

/// The longest path of a Unix socket, in bytes without the final zero: `sun_path` is 108 bytes on
/// Linux and 104 on macOS.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

/// Where fetched programs are kept: for root a folder that the server's user can reach as well.
pub(super) fn cache() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if account::is_root() {
        return PathBuf::from("/var/cache/lakefront");
    }
    match (variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()), variable("HOME")) {
        (Some(cache), _) => cache.join("lakefront"),
        (None, Some(home)) if cfg!(target_os = "macos") => home.join("Library/Caches/lakefront"),
        (None, Some(home)) => home.join(".cache/lakefront"),
        (None, None) => {
            std::env::temp_dir().join(format!("lakefront-{}", rustix::process::geteuid().as_raw()))
        }
    }
}

/// A short name that stands for a path.
pub(super) fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Creates a folder with all above it. Those that were missing get the mode, whatever the umask.
pub(super) fn create(folder: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(folder) {
        // Another process was faster.
        Err(_) if folder.is_dir() => return Ok(()),
        result => result.map_err(EmbeddedError::io("create the folder", folder))?,
    }
    set_mode(folder, mode)
}

/// Sets the permission bits.
pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), EmbeddedError> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(EmbeddedError::io("set the permissions of", path))
}

/// Finds and creates the folder of a server: the wanted one, or, for root when the server's user
/// cannot reach that or own files there, one under `/var/lib/lakefront` that stands for it.
pub(super) fn server_folder(
    wanted: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, EmbeddedError> {
    let wanted = std::path::absolute(wanted).map_err(EmbeddedError::io("find", wanted))?;
    let Some(account) = Account::for_server(&wanted.join("pgdata"))? else {
        create(&wanted, 0o700)?;
        return canonical(&wanted);
    };
    let existing = wanted.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let elsewhere = Path::new("/var/lib/lakefront").join(short_hash(&wanted));
    let has_data = |folder: &Path| folder.join("pgdata/PG_VERSION").exists();
    // Where data are, they stay, whatever has changed around them.
    let is_fit = if has_data(&wanted) {
        account.can_enter(existing)
    } else {
        !has_data(&elsewhere) && account.can_enter(existing) && takes_owners(existing, account)
    };
    let folder = if is_fit {
        wanted
    } else {
        let folder = elsewhere;
        if !folder.is_dir() {
            progress(&format!(
                "PostgreSQL does not run as root and its user cannot work in {}: its files go to {}",
                wanted.display(),
                folder.display()
            ));
        }
        folder
    };
    create(&folder, 0o711)?;
    canonical(&folder)
}

/// True when the file system keeps the owner of a file, which those shared with a host often do not.
fn takes_owners(folder: &Path, account: Account) -> bool {
    let probe = folder.join(format!(".lakefront-{}", uuid::Uuid::new_v4().simple()));
    let taken = DirBuilder::new().create(&probe).is_ok()
        && account::give(Some(account), &probe).is_ok()
        && fs::metadata(&probe).is_ok_and(|found| found.uid() == account.uid);
    let _ = fs::remove_dir(&probe);
    taken
}

/// One name for one folder: whether a server is this folder's is told by its path.
fn canonical(folder: &Path) -> Result<PathBuf, EmbeddedError> {
    fs::canonicalize(folder).map_err(EmbeddedError::io("find", folder))
}

/// Finds and creates a folder for the socket: `run` beside the data, or, when that path is too long
/// or its file system has no sockets, a private one for temporary files.
pub(super) fn socket_folder(server: &Path, account: Option<Account>) -> Result<PathBuf, EmbeddedError> {
    let near = server.join("run");
    if is_speakable(&near) {
        create_private(&near, account)?;
        if takes_sockets(&near) {
            return Ok(near);
        }
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| account.is_none() && path.is_absolute() && path.is_dir());
    let user = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    let name = format!("lakefront-{user}-{}", short_hash(server));
    for parent in runtime.into_iter().chain([PathBuf::from("/tmp")]) {
        let folder = parent.join(&name);
        if is_speakable(&folder) && create_private(&folder, account).is_ok() && is_private(&folder, user) {
            return Ok(folder);
        }
    }
    // The name was taken by somebody else.
    let folder = PathBuf::from("/tmp").join(format!("{name}-{}", uuid::Uuid::new_v4().simple()));
    create_private(&folder, account)?;
    Ok(folder)
}

/// True when a socket in the folder has a path that the operating system, the server's
/// configuration (a list separated by commas) and every client's address can express.
fn is_speakable(folder: &Path) -> bool {
    let plain = folder.to_str().is_some_and(|path| !path.contains([',', '"', '\\', '\n']));
    plain && folder.join(".s.PGSQL.65535").as_os_str().len() <= SOCKET_PATH_LIMIT
}

fn create_private(folder: &Path, account: Option<Account>) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account::give(account, folder),
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(EmbeddedError::io("create the folder", folder)(error)),
    }
}

/// True for a real folder of the user that nobody else may enter.
fn is_private(folder: &Path, user: u32) -> bool {
    fs::symlink_metadata(folder)
        .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0)
}

fn takes_sockets(folder: &Path) -> bool {
    let probe = folder.join(".probe");
    let _ = fs::remove_file(&probe);
    let bound = UnixListener::bind(&probe).is_ok();
    let _ = fs::remove_file(&probe);
    bound
}
