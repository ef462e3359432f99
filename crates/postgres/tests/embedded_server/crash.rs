//! Whatever is killed, the next start works and nothing committed is lost.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::folder::{Place, ask, execute, is_running, kill, wait_until};
use crate::process::{Other, begin_and_kill};

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let place = Place::new();
    let server = place.start().await;
    execute(&server, "CREATE TABLE kept (answer text); INSERT INTO kept VALUES ('committed')").await;
    let pid = place.postmaster_pid().unwrap();
    kill(pid, Signal::KILL);
    wait_until("the server to die", || !is_running(pid));
    drop(server);
    assert_eq!(place.postmaster_pid(), Some(pid), "the stale file is part of the test");

    let server = place.start().await;
    assert_eq!(ask(&server, "SELECT answer FROM kept").await, "committed");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_killed_server_leaves_running_is_waited_for() {
    let place = Place::new();
    let server = place.start().await;
    let backend = server.connect_options().connect().await.unwrap();
    let held: i32 = backend.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let pid = place.postmaster_pid().unwrap();
    // A process of the server that does not notice its end keeps the shared memory.
    kill(held, Signal::STOP);
    kill(pid, Signal::KILL);
    wait_until("the server to die", || !is_running(pid));
    drop(server);

    let log = place.server.join("postgresql.log");
    let start = place.start();
    let wake = async {
        let refused = || fs::read_to_string(&log).is_ok_and(|text| text.contains("shared memory block"));
        while !refused() {
            tokio::task::yield_now().await;
        }
        kill(held, Signal::CONT);
    };
    let (server, ()) = tokio::join!(start, wake);
    assert_eq!(ask(&server, "SELECT 'up'::text").await, "up");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_owner_was_killed_is_taken_over() {
    let place = Place::new();
    let other = Other::start(&place.server, false);
    assert!(other.is_owner);
    let pid = place.postmaster_pid().unwrap();
    other.kill();
    assert!(is_running(pid));

    let server = place.start().await;
    assert!(server.is_owner());
    assert_eq!(place.postmaster_pid(), Some(pid), "the same server goes on");
    server.stop().await.unwrap();
    wait_until("the server to end", || !is_running(pid));
}

#[tokio::test]
async fn a_throwaway_server_ends_with_its_owner_and_leaves_nothing() {
    let place = Place::new();
    let other = Other::start(&place.server, true);
    let pid = place.postmaster_pid().unwrap();
    other.kill();
    wait_until("the server to end", || !is_running(pid));
    wait_until("the folder to go", || !place.server.exists());
}

#[tokio::test]
async fn a_process_number_that_went_to_somebody_else_does_not_hinder() {
    let place = Place::new();
    place.start().await.stop().await.unwrap();
    // As after a restart of the machine: the number now belongs to this very test.
    let file = place.server.join("pgdata/postmaster.pid");
    let own = std::process::id();
    fs::write(&file, format!("{own}\n/x\n1\n1\n/x\n127.0.0.1\n 1 1\nready   \n")).unwrap();

    let server = place.start().await;
    assert!(server.is_owner());
    assert_ne!(place.postmaster_pid(), Some(own as i32));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_unfinished_creation_is_begun_anew() {
    let place = Place::new();
    let unfinished = place.server.join("creating-0/pgdata");
    fs::create_dir_all(unfinished.join("base")).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "18\n").unwrap();
    fs::write(place.server.join("password"), "of the unfinished one").unwrap();
    let server = place.start().await;
    assert_eq!(ask(&server, "SELECT 'new'::text").await, "new");
    assert!(!unfinished.exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_kill_at_any_moment_of_a_start_does_no_harm() {
    let place = Place::new();
    // From before the creation to after the start; a busy machine shifts the moments.
    for milliseconds in [1, 50, 150, 300, 500, 800, 1200, 1600, 2000, 2500, 3000] {
        begin_and_kill(&place.server, Duration::from_millis(milliseconds));
    }
    let server = place.start().await;
    assert!(server.is_owner());
    execute(&server, "CREATE TABLE kept AS SELECT 'yes'::text AS answer").await;
    let pid = place.postmaster_pid().unwrap();
    server.stop().await.unwrap();
    assert!(!is_running(pid));
    let server = place.start().await;
    assert_eq!(ask(&server, "SELECT answer FROM kept").await, "yes");
    server.stop().await.unwrap();
}
