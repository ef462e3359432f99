//! Machines that lack something: rights, room, or an extension.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lakefront_e2e::{Demo, Finished, ShopTable, as_normal_user, command, embeddings, is_root, lakefront};
use lakefront_testkit::TestDatabase;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_demo_runs_for_a_normal_user_with_an_empty_home() {
    if !is_root() {
        eprintln!("SKIPPED: not root: all other tests run as a normal user already");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("demo");
    let demo = Demo::start_by(as_normal_user(home.path()), &data, "off");
    assert_eq!(demo.json("/api/v1/products?page=1&page_size=1")["total"], 44_424);
    assert_eq!(demo.stop(), 0);
    let owner = std::fs::metadata(&data).unwrap().uid();
    assert_ne!(owner, 0);
}

/// A PostgreSQL of the system, which has no pgvector as Debian packages it.
fn without_pgvector() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.filter_map(|version| Some(version.ok()?.path())).find_map(|version| {
        let number = version.file_name()?.to_str()?.to_owned();
        let vector = format!("/usr/share/postgresql/{number}/extension/vector.control");
        (version.join("bin/postgres").exists() && !Path::new(&vector).exists()).then(|| version.join("bin"))
    })
}

#[test]
fn a_postgresql_without_pgvector_is_told_what_to_install() {
    let Some(bin) = without_pgvector() else {
        eprintln!("SKIPPED: no PostgreSQL without pgvector in /usr/lib/postgresql");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("embeddings");
    embeddings(&lake);
    let load = |more: &[&str]| {
        Finished::of(
            command()
                .env("LAKEFRONT_PG_BIN", &bin)
                .env("LAKEFRONT_DATA", folder.path().join("data"))
                .arg("load")
                .arg(&lake)
                .args(["--into", "shop.embeddings", "--key", "product_id"])
                .args(more),
        )
    };
    let refused = load(&["--override", "embedding=vector:3"]);
    assert_eq!(refused.code, 1);
    // Before it is told that a server is made, and where.
    let message = refused.stderr.find("error: ").map(|start| &refused.stderr[start..]);
    insta::assert_snapshot!("no_pgvector", message.unwrap());
    // Without the override the same server serves.
    assert_eq!(load(&["--json"]).good().json()["rows"], 1);
}

/// A file system of 40 MB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None, said loudly, where none can be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=40m", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("SKIPPED: no small file system can be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    fn enlarge(&self) {
        let enlarged = Command::new("mount").args(["-o", "remount,size=400m"]).arg(self.0.path()).status();
        assert!(enlarged.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still in it goes with it.
        drop(Command::new("umount").arg("--lazy").arg(self.0.path()).status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_leaves_the_last_good_data() {
    let Some(disk) = SmallDisk::mount() else { return };
    let database = TestDatabase::create().await;
    let url = database.url();
    let client = database.client().await;
    let data: String = client.query_one("SHOW data_directory", &[]).await.unwrap().get(0);
    let owner = std::fs::metadata(&data).unwrap();
    chown(disk.0.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    let space = format!("small_{}", std::process::id());
    let name: String = client.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);
    client
        .batch_execute(&format!("CREATE TABLESPACE {space} LOCATION '{}'", disk.0.path().display()))
        .await
        .unwrap();
    client.batch_execute(&format!("ALTER DATABASE {name} SET default_tablespace = {space}")).await.unwrap();

    let mut shop = ShopTable::with_rows(10_000);
    let source = shop.path().display().to_string();
    let load =
        || lakefront(["load", &source, "--into", "shop.products", "--key", "product_id", "--database", &url]);
    load().good();
    shop.append((10_001..=700_000).map(Some));
    let full = load();
    assert_eq!(full.code, 1);
    let digits_gone: String = full
        .stderr
        .replace(&source, "SOURCE")
        // PostgreSQL says so where it extends the file by many pages at once.
        .replace(" with FileFallocate()", "")
        .chars()
        .map(|c| if c.is_ascii_digit() { 'N' } else { c })
        .collect();
    let mut text = digits_gone;
    while text.contains("NN") {
        text = text.replace("NN", "N");
    }
    insta::assert_snapshot!("full_disk", text);
    let rows: i64 = client.query_one("SELECT count(*) FROM shop.products", &[]).await.unwrap().get(0);
    assert_eq!(rows, 10_000, "the last good data is not there any more");

    // What was rolled back takes its room until the next vacuum, and comparing needs some too.
    disk.enlarge();
    lakefront(["verify", "shop.products", "--database", &url]).good();
    load().good();
    lakefront(["verify", "shop.products", "--database", &url]).good();
    lakefront(["delete", "shop.products", "--purge", "--database", &url]).good();
    drop(client);
    let client = database.client().await;
    client.batch_execute("DROP SCHEMA lakefront CASCADE").await.unwrap();
    client.batch_execute(&format!("DROP TABLESPACE {space}")).await.unwrap();
}
