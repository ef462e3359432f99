//! Sign-in, and the errors of a sign-in, told apart by type.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lakefront_postgres::connect::{
    ConnectError, ConnectOptions, Endpoint, Password, SessionTarget, SignInRefusal,
};
use lakefront_testkit::{TestDatabase, server_options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn over_tcp() -> ConnectOptions {
    // The server is asked for its port, since it may be reached through a socket.
    let options = server_options().await;
    let client = options.connect().await.unwrap();
    let port: i32 = client.query_one("SELECT current_setting('port')::int", &[]).await.unwrap().get(0);
    let password = options.password_for(&options.servers()[0]).unwrap();
    let endpoint = Endpoint { host: "localhost".to_owned(), address: None, port: port.try_into().unwrap() };
    ConnectOptions::new(endpoint, options.user(), options.database()).with_password(password)
}

async fn failure(options: &ConnectOptions) -> ConnectError {
    match options.connect().await {
        Ok(_) => panic!("{} let us in", options.describe()),
        Err(error) => error,
    }
}

/// A server that gives these answers, one to each message, and then closes.
async fn answering(answers: Vec<Vec<u8>>) -> ConnectOptions {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut message = [0; 1024];
            let _ = socket.read(&mut message).await;
            for answer in &answers {
                let _ = socket.write_all(answer).await;
                let _ = socket.read(&mut message).await;
            }
        }
    });
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), address: None, port };
    ConnectOptions::new(endpoint, "anna", "shop")
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
    message.extend(body);
    message
}

fn refusal(sqlstate: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{sqlstate}\0Mno\0\0").as_bytes())
}

#[tokio::test]
async fn a_session_has_the_right_user_database_and_name() {
    let database = TestDatabase::create().await;
    let client = database.options().connect().await.unwrap();
    let row = client
        .query_one(
            "SELECT current_user::text, current_database()::text, current_setting('application_name')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), database.options().user());
    assert_eq!(row.get::<_, String>(1), database.name());
    assert_eq!(row.get::<_, String>(2), "lakefront");
    let again = ConnectOptions::parse(&database.url()).unwrap();
    again.connect().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_names_user_database_and_host() {
    let options = over_tcp().await.with_password(Password::new("wr0ng"));
    let error = failure(&options).await;
    let ConnectError::Refused { user, database, server, reason: SignInRefusal::Server(answer) } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (user.as_str(), database.as_str(), server.host.as_str()),
        (options.user(), options.database(), "localhost")
    );
    assert_eq!(answer.code().code(), "28P01");
    assert!(!error.is_transient());
    assert!(!format!("{error} {error:?}").contains("wr0ng"));
}

#[tokio::test]
async fn a_missing_password_says_where_to_put_it() {
    let user = over_tcp().await.user().to_owned();
    let error = failure(&over_tcp().await.with_user(user)).await;
    assert!(matches!(&error, ConnectError::Refused { reason: SignInRefusal::NoPassword, .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("PGPASSWORD"));
}

#[tokio::test]
async fn the_password_file_is_used_for_the_right_database_only() {
    let given = over_tcp().await;
    let server = &given.servers()[0];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgpass");
    let secret = given.password_for(server).unwrap();
    std::fs::write(&file, format!("localhost:{}:{}:*:{}\n", server.port, given.database(), secret.reveal()))
        .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let address = given.url();
    let options = ConnectOptions::parse_in(&address, &[("PGPASSFILE", file.to_str().unwrap())]).unwrap();
    options.connect().await.unwrap();
    let error = failure(&options.with_database("elsewhere")).await;
    assert!(matches!(error, ConnectError::Refused { reason: SignInRefusal::NoPassword, .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let error = failure(&over_tcp().await.with_database("no such one")).await;
    assert!(
        matches!(&error, ConnectError::MissingDatabase { database, .. } if database == "no such one"),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_unreachable_server_names_host_and_port() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let options =
        ConnectOptions::new(Endpoint { host: "127.0.0.1".to_owned(), address: None, port }, "u", "d");
    let error = failure(&options).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot reach PostgreSQL at 127.0.0.1:{port}"));
    assert!(error.is_transient());

    let folder = tempfile::tempdir().unwrap();
    let socket = Endpoint { host: folder.path().to_str().unwrap().to_owned(), address: None, port: 5432 };
    let error = failure(&ConnectOptions::new(socket, "u", "d")).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("socket"));

    let unknown = Endpoint { host: "no-such-host.invalid".to_owned(), address: None, port: 5432 };
    let error = failure(&ConnectOptions::new(unknown, "u", "d")).await;
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint =
        Endpoint { host: "127.0.0.1".to_owned(), address: None, port: silent.local_addr().unwrap().port() };
    let options =
        ConnectOptions::new(endpoint, "u", "d").with_connect_timeout(Some(Duration::from_millis(200)));
    let error = failure(&options).await;
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_are_told_apart_by_sqlstate() {
    let error = async |sqlstate| failure(&answering(vec![refusal(sqlstate)]).await).await;
    assert!(matches!(error("28000").await, ConnectError::Refused { .. }));
    assert!(matches!(error("28P01").await, ConnectError::Refused { .. }));
    assert!(matches!(error("42501").await, ConnectError::Refused { .. }));
    assert!(matches!(error("3D000").await, ConnectError::MissingDatabase { .. }));
    assert!(matches!(error("53300").await, ConnectError::Full { .. }));
    assert!(matches!(error("57P03").await, ConnectError::NotReady { .. }));
    assert!(matches!(error("XX000").await, ConnectError::Server { .. }));
    let lost = failure(&answering(Vec::new()).await).await;
    assert!(matches!(lost, ConnectError::Lost { .. }), "{lost:?}");
}

#[tokio::test]
async fn a_server_too_old_is_refused() {
    let mut columns = vec![0, 4];
    let mut row = vec![0, 4];
    for value in ["140009", "14.9", "off", "f"] {
        columns.extend(b"c\0");
        columns.extend([0; 18]);
        row.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        row.extend(value.bytes());
    }
    let welcome = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
    let version =
        [message(b'T', &columns), message(b'D', &row), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")]
            .concat();
    let error = failure(&answering(vec![welcome, version]).await).await;
    assert!(matches!(&error, ConnectError::TooOld { version, .. } if version == "14.9"), "{error:?}");
}

#[tokio::test]
async fn the_next_host_is_tried_when_one_does_not_answer() {
    let given = over_tcp().await;
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let port = given.servers()[0].port;
    let password = given.password_for(&given.servers()[0]).unwrap();
    let address = format!(
        "host=127.0.0.1,127.0.0.1 port={free},{port} user={} dbname={}",
        given.user(),
        given.database()
    );
    let options = ConnectOptions::parse_in(&address, &[]).unwrap().with_password(password);
    options.connect().await.unwrap();
    // A refused sign-in is final.
    let wrong = options.with_password(Password::new("wrong"));
    assert!(matches!(failure(&wrong).await, ConnectError::Refused { .. }));
}

#[tokio::test]
async fn the_kind_of_session_is_checked() {
    let given = over_tcp().await;
    let with = |target: &str| {
        let address = format!("{}&target_session_attrs={target}", given.url_with_password());
        ConnectOptions::parse_in(&address, &[]).unwrap()
    };
    for target in ["any", "read-write", "primary", "prefer-standby"] {
        with(target).connect().await.unwrap();
    }
    for target in ["standby", "read-only"] {
        let error = failure(&with(target)).await;
        assert!(matches!(
            error,
            ConnectError::WrongKind { wanted: SessionTarget::Standby | SessionTarget::ReadOnly, .. }
        ));
    }
}

#[tokio::test]
async fn a_running_statement_can_be_cancelled() {
    let options = over_tcp().await;
    let client = options.connect().await.unwrap();
    let token = client.cancel_token();
    let watcher = options.connect().await.unwrap();
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let sleeping = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(600)").await });
    loop {
        let row = watcher
            .query_one("SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%pg_sleep%'", &[&pid])
            .await
            .unwrap();
        if row.get::<_, i64>(0) == 1 {
            break;
        }
    }
    options.cancel(&token).await.unwrap();
    let error = sleeping.await.unwrap().unwrap_err();
    assert_eq!(error.code().unwrap().code(), "57014");
}
