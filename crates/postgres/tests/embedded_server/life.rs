//! Starting, attaching, stopping.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use lakefront_postgres::connect::{Endpoint, Password};

use crate::folder::{Place, ask, execute, is_running, start, wait_until};
use crate::process::Other;

#[tokio::test]
async fn data_and_port_stay_from_start_to_start() {
    let place = Place::new();
    let server = place.start().await;
    assert!(server.is_owner());
    execute(&server, "CREATE TABLE kept AS SELECT 'yes'::text AS answer").await;
    let port = server.port();
    let pid = place.postmaster_pid().unwrap();
    server.stop().await.unwrap();
    assert!(!is_running(pid));
    assert_eq!(place.postmaster_pid(), None);

    let begun = Instant::now();
    let server = place.start().await;
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(5), "a start took {taken:?}");
    assert_eq!(ask(&server, "SELECT answer FROM kept").await, "yes");
    assert_eq!(server.port(), port);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_set_up_as_promised() {
    let place = Place::new();
    let server = place.start().await;
    let setting = async |name: &str| ask(&server, &format!("SELECT current_setting('{name}')")).await;
    assert_eq!(setting("listen_addresses").await, "127.0.0.1");
    assert_eq!(setting("wal_level").await, "minimal");
    assert_eq!(setting("fsync").await, "on");
    assert_eq!(setting("synchronous_commit").await, "on");
    assert_eq!(setting("data_checksums").await, "on");
    assert_eq!(setting("jit").await, "off");
    assert_eq!(setting("server_encoding").await, "UTF8");
    assert_eq!(ask(&server, "SELECT lower('ÄÖÜ')").await, "äöü");
    let applied = "SELECT string_agg(name || ': ' || error, ', ') IS NULL FROM pg_file_settings WHERE error IS NOT NULL";
    let client = server.connect_options().connect().await.unwrap();
    assert!(client.query_one(applied, &[]).await.unwrap().get::<_, bool>(0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn signing_in_needs_the_password_on_socket_and_tcp() {
    let place = Place::new();
    let server = place.start().await;
    let password_file = fs::metadata(place.server.join("password")).unwrap();
    assert_eq!(password_file.mode() & 0o777, 0o600);
    let password = fs::read_to_string(place.server.join("password")).unwrap();
    for host in [server.connect_options().servers()[0].host.clone(), "127.0.0.1".to_owned()] {
        let endpoint = Endpoint { host, address: None, port: server.port() };
        let options = lakefront_postgres::connect::ConnectOptions::new(endpoint, "postgres", "postgres");
        options.clone().with_password(Password::new(password.trim())).connect().await.unwrap();
        assert!(options.clone().with_password(Password::new("wrong")).connect().await.is_err());
        assert!(options.connect().await.is_err());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_attaches_and_does_not_stop_the_server() {
    let place = Place::new();
    let owner = place.start().await;
    let guest = place.start().await;
    assert!(owner.is_owner() && !guest.is_owner());
    execute(&guest, "CREATE TABLE by_guest AS SELECT 'seen'::text AS answer").await;
    guest.stop().await.unwrap();
    assert_eq!(ask(&owner, "SELECT answer FROM by_guest").await, "seen");
    owner.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_process_attaches_and_leaves_the_server_running() {
    let place = Place::new();
    let owner = place.start().await;
    let other = Other::start(&place.server, false);
    assert!(!other.is_owner);
    other.finish();
    assert_eq!(ask(&owner, "SELECT 'alive'::text").await, "alive");
    owner.stop().await.unwrap();
}

#[tokio::test]
async fn two_processes_at_once_make_one_server() {
    let place = Place::new();
    let folder = place.server.clone();
    let first = std::thread::spawn({
        let folder = folder.clone();
        move || Other::start(&folder, false)
    });
    let second = Other::start(&folder, false);
    let first = first.join().unwrap();
    assert_ne!(first.is_owner, second.is_owner);
    let (owner, guest) = if first.is_owner { (first, second) } else { (second, first) };
    guest.finish();
    let pid = place.postmaster_pid().unwrap();
    owner.finish();
    assert!(!is_running(pid));
}

#[tokio::test]
async fn dropping_stops_it() {
    let place = Place::new();
    let server = place.start().await;
    let pid = place.postmaster_pid().unwrap();
    assert!(is_running(pid));
    drop(server);
    wait_until("the server to end", || !is_running(pid));
}

#[tokio::test]
async fn a_port_that_somebody_took_is_changed() {
    let place = Place::new();
    let server = place.start().await;
    let port = server.port();
    server.stop().await.unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let server = place.start().await;
    assert_ne!(server.port(), port);
    assert_eq!(ask(&server, "SELECT current_setting('port')").await, server.port().to_string());
    drop(taken);
    let changed = server.port();
    server.stop().await.unwrap();
    // The new one is remembered.
    let server = place.start().await;
    assert_eq!(server.port(), changed);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_hindrance() {
    let place = Place::new();
    let long = place.server.join("long".repeat(30));
    let server = start(lakefront_postgres::embedded::EmbeddedOptions::new(&long)).await;
    let socket = server.connect_options().servers()[0].host.clone();
    assert!(socket.starts_with('/') && !socket.starts_with(&*long.to_string_lossy()), "{socket}");
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(ask(&server, "SELECT 'here'::text").await, "here");
    server.stop().await.unwrap();
    assert!(!std::path::Path::new(&socket).exists(), "{socket} is left");
}

#[tokio::test]
async fn a_path_with_odd_characters_is_no_hindrance() {
    let place = Place::new();
    for name in ["a b", "it's \"x\"", "a,b", "$HOME", "grün"] {
        let options = lakefront_postgres::embedded::EmbeddedOptions::new(place.server.join(name));
        let server = start(options.clone()).await;
        assert_eq!(ask(&server, "SELECT 'here'::text").await, "here");
        let url = server.connect_options().url_with_password();
        lakefront_postgres::connect::ConnectOptions::parse_in(&url, &[]).unwrap().connect().await.unwrap();
        server.stop().await.unwrap();
        start(options).await.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_shell_command_opens_a_session() {
    let place = Place::new();
    let server = start(lakefront_postgres::embedded::EmbeddedOptions::new(place.server.join("it's"))).await;
    let command = server.psql_command();
    let secret = fs::read_to_string(server.folder().join("password")).unwrap();
    assert!(!command.contains(secret.trim()));
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("{command} -XAtc 'SELECT 6 * 7'")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("psql: not found") {
        eprintln!("SKIPPED: needs psql");
    } else {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n", "{said}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn own_settings_win() {
    let place = Place::new();
    let server =
        start(place.options().with_setting("work_mem", "7MB").with_setting("cluster_name", "it's")).await;
    assert_eq!(ask(&server, "SELECT current_setting('work_mem')").await, "7MB");
    assert_eq!(ask(&server, "SELECT current_setting('cluster_name')").await, "it's");
    server.stop().await.unwrap();
}
