//! Who may depend on whom, as ARCHITECTURE.md says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

/// The crates of this workspace that a crate's manifest names under `[dependencies]`.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).unwrap_or_else(|e| panic!("{}: {e}", manifest.display()));
    let section = text.split("\n[").find(|s| s.starts_with("dependencies]")).unwrap_or_default();
    let ours = section.lines().filter_map(|line| line.strip_prefix("lakefront-"));
    ours.map(|rest| rest.split(['.', ' ', '=']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn crates_see_only_what_they_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let rules: [(&str, &[&str]); 8] = [
        ("crates/model", &[]),
        ("crates/lake", &["model"]),
        ("crates/postgres", &["model"]),
        ("crates/sync", &["model", "lake", "postgres"]),
        ("crates/delta-writer", &[]),
        ("crates/demo", &["delta-writer"]),
        ("crates/cli", &["model", "lake", "postgres", "sync", "demo", "storefront"]),
        ("apps/storefront", &[]),
    ];
    for (krate, allowed) in rules {
        let found = dependencies(&root.join(krate).join("Cargo.toml"));
        let allowed: BTreeSet<String> = allowed.iter().map(|&a| a.to_owned()).collect();
        assert!(found.is_subset(&allowed), "{krate} may see {allowed:?} and sees {found:?}");
    }
}

#[test]
fn files_stay_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut lengths = Vec::new();
    for top in ["crates", "apps", "e2e"] {
        collect(&root.join(top), &mut lengths);
    }
    assert!(lengths.len() > 100, "the sources were not found");
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    let (longest, file) = lengths.last().unwrap();
    assert!(median < 150, "half of the files have {median} lines or more");
    assert!(*longest <= 700, "{file} has {longest} lines");
}

fn collect(folder: &Path, lengths: &mut Vec<(usize, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            collect(&path, lengths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            lengths
                .push((std::fs::read_to_string(&path).unwrap().lines().count(), path.display().to_string()));
        }
    }
}
