//! A data directory made once and copied for each server, since `initdb` takes longer than all the
//! rest of a start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lakefront_postgres::embedded::{EmbeddedOptions, EmbeddedServer};

/// What a copy consists of.
const PARTS: [&str; 2] = ["pgdata", "password"];

/// Fills a server's folder from the template. Whatever fails leaves the folder out, and the server
/// creates its data itself.
pub(crate) async fn copy_to(folder: &Path) -> bool {
    let template = place();
    if !template.is_dir() && !create(&template).await {
        return false;
    }
    let copied = copy(&template, folder);
    if !copied {
        let _ = fs::remove_dir_all(folder);
    }
    copied
}

/// Removes the template, so that the next server makes a new one.
pub(crate) fn forget() {
    let _ = fs::remove_dir_all(place());
}

/// Beside temporary files, one for each user, set of programs and version of this crate.
fn place() -> PathBuf {
    let programs = std::env::var("LAKEFRONT_PG_BIN").unwrap_or_default();
    let name: String = format!(
        "lakefront-template-{}-{}-{programs}",
        env!("CARGO_PKG_VERSION"),
        rustix::process::geteuid().as_raw(),
    )
    .chars()
    .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
    .collect();
    std::env::temp_dir().join(name.trim_end_matches('-'))
}

async fn create(template: &Path) -> bool {
    let draft = template.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let progress = |step: &str| eprintln!("testkit: {step}");
    let stopped = match EmbeddedServer::start(EmbeddedOptions::new(&draft), &progress).await {
        Ok(server) => {
            let is_there = fs::canonicalize(&draft).is_ok_and(|draft| draft == server.folder());
            server.stop().await.is_ok() && is_there
        }
        Err(_) => false,
    };
    // Another process may have been faster; its template is as good.
    let is_there = stopped && (fs::rename(&draft, template).is_ok() || template.is_dir());
    let _ = fs::remove_dir_all(&draft);
    is_there
}

/// Copies with owners and permissions, sharing blocks where the file system can.
fn copy(template: &Path, folder: &Path) -> bool {
    if fs::create_dir_all(folder).is_err() {
        return false;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The server's user passes through, nobody reads.
        if fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).is_err() {
            return false;
        }
    }
    let mut cp = Command::new("cp");
    cp.arg("-Rp");
    if cfg!(target_os = "macos") {
        cp.arg("-c");
    }
    cp.args(PARTS.map(|part| template.join(part)))
        .arg(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
