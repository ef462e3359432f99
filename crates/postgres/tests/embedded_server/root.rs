//! PostgreSQL does not run as root, so root runs it as somebody else.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use lakefront_postgres::embedded::EmbeddedOptions;

use crate::folder::{Place, ask, postmaster_pid, start};

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: only root has rights to give up");
    }
    root
}

#[tokio::test]
async fn root_gives_up_its_rights() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let server = place.start().await;
    let pid = place.postmaster_pid().unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(!line("Uid:").split_whitespace().skip(1).any(|uid| uid == "0"), "{}", line("Uid:"));
    assert!(!line("Gid:").split_whitespace().skip(1).any(|gid| gid == "0"), "{}", line("Gid:"));
    assert!(!line("Groups:").split_whitespace().skip(1).any(|gid| gid == "0"), "{}", line("Groups:"));
    assert_ne!(fs::metadata(place.server.join("pgdata")).unwrap().uid(), 0);
    assert_eq!(fs::metadata(place.server.join("password")).unwrap().uid(), 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_only_root_reaches_is_replaced() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let closed = place.server.parent().unwrap().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let wanted = closed.join("server");
    let server = start(EmbeddedOptions::new(&wanted)).await;
    let folder = server.folder().to_owned();
    assert!(folder.starts_with("/var/lib/lakefront"), "{}", folder.display());
    assert_eq!(ask(&server, "SELECT 'there'::text").await, "there");
    server.stop().await.unwrap();
    // The same wish leads to the same place.
    let server = start(EmbeddedOptions::new(&wanted)).await;
    assert_eq!(server.folder(), folder);
    server.stop().await.unwrap();
    assert_eq!(postmaster_pid(&folder), None);
    fs::remove_dir_all(folder).unwrap();
}
