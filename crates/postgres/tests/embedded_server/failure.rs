//! What an unlucky user is told.

use std::fs;
use std::path::Path;

use lakefront_postgres::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedServer};

use crate::folder::Place;

async fn failure(options: EmbeddedOptions) -> EmbeddedError {
    match EmbeddedServer::start(options, &|step| eprintln!("{step}")).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_failed_start_shows_the_end_of_the_log() {
    let place = Place::new();
    let error = failure(place.options().with_setting("max_connections", "many")).await;
    let EmbeddedError::NotStarted { log, tail } = &error else { panic!("{error:?}") };
    assert!(log.ends_with("server/postgresql.log"), "{}", log.display());
    assert!(tail.contains("max_connections"), "{tail}");
    assert!(error.to_string().contains("postgresql.log"), "{error}");
    // The next start is not spoiled by it.
    place.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_another_major_version_are_named() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    fs::write(place.server.join("pgdata/PG_VERSION"), "14\n").unwrap();
    let error = failure(place.options()).await;
    assert!(matches!(error, EmbeddedError::WrongMajor { data: 14, .. }), "{error:?}");
}

#[tokio::test]
async fn other_programs_than_the_data_were_made_with_are_refused() {
    let old = Path::new("/usr/lib/postgresql/15/bin");
    if !old.join("initdb").exists() {
        eprintln!("SKIPPED: needs PostgreSQL 15 of Debian (apt-get install postgresql-15)");
        return;
    }
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    let error = failure(place.options().with_binaries(old)).await;
    let EmbeddedError::WrongMajor { data, found, .. } = error else { panic!("{error:?}") };
    assert_eq!(found, 15);
    assert_ne!(data, 15);
}

#[tokio::test]
async fn a_wrong_folder_of_programs_is_named() {
    let place = Place::new();
    let error = failure(place.options().with_binaries("/no/such/bin")).await;
    assert!(matches!(&error, EmbeddedError::BinFolder { folder, .. } if folder == Path::new("/no/such/bin")));
    assert!(error.hint().unwrap().contains("initdb"), "{error:?}");
}

#[tokio::test]
async fn a_lost_password_is_told() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    fs::remove_file(place.server.join("password")).unwrap();
    let error = failure(place.options()).await;
    assert!(
        matches!(&error, EmbeddedError::LostPassword(file) if file.ends_with("server/password")),
        "{error:?}"
    );
}
