//! Where the programs come from.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use lakefront_postgres::embedded::EmbeddedServer;

use crate::folder::Place;
use crate::process::{CACHE, Other};

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn two_fetches_at_once_leave_one_complete_build() {
    let (one, two) = (Place::new(), Place::new());
    let cache = one.server.parent().unwrap().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
    // What a killed fetch leaves behind, long ago and just now.
    for (name, age) in [(".fetch-old", 48), (".fetch-new", 1)] {
        fs::create_dir(cache.join(name)).unwrap();
        let time = SystemTime::now() - Duration::from_secs(age * 60 * 60);
        fs::File::open(cache.join(name)).unwrap().set_modified(time).unwrap();
    }
    let said = Mutex::new(String::new());
    let progress = |step: &str| said.lock().unwrap().push_str(&format!("{step}\n"));
    let (first, second) = tokio::join!(
        EmbeddedServer::start(one.options().with_cache(&cache), &progress),
        EmbeddedServer::start(two.options().with_cache(&cache), &progress),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    let said = said.into_inner().unwrap();
    if said.contains("could not be fetched") || !said.contains("fetching PostgreSQL 18") {
        eprintln!("SKIPPED: PostgreSQL cannot be fetched here, or LAKEFRONT_PG_BIN names one: {said}");
        return;
    }
    let client = first.connect_options().connect().await.unwrap();
    client.batch_execute("CREATE EXTENSION vector").await.unwrap();
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    let left = entries(&cache);
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0], ".fetch-new");
    assert!(left[1].starts_with("postgresql-18-"), "{left:?}");
}

#[tokio::test]
async fn without_python_an_installed_server_is_run() {
    let debian = Path::new("/usr/lib/postgresql");
    if !debian.is_dir() || std::env::var_os("LAKEFRONT_PG_BIN").is_some() {
        eprintln!(
            "SKIPPED: needs PostgreSQL of Debian (apt-get install postgresql-15) and no LAKEFRONT_PG_BIN"
        );
        return;
    }
    let place = Place::new();
    let path = place.server.parent().unwrap().join("path");
    fs::create_dir(&path).unwrap();
    let id = ["/usr/bin/id", "/bin/id"].into_iter().find(|tool| Path::new(tool).exists()).unwrap();
    symlink(id, path.join("id")).unwrap();
    let nothing = place.server.parent().unwrap().join("no-cache");
    let other = Other::start_with(&place.server, false, &[("PATH", &path), (CACHE, &nothing)]);
    let major = fs::read_to_string(place.server.join("pgdata/PG_VERSION")).unwrap();
    assert!(debian.join(major.trim()).is_dir(), "{major}");
    other.finish();
    // The data stay with the version that made them, although the other could be fetched now.
    let server = place.start().await;
    assert_eq!(fs::read_to_string(place.server.join("pgdata/PG_VERSION")).unwrap(), major);
    server.stop().await.unwrap();
}
