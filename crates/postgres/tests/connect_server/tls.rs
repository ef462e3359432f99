//! `sslmode`, mode by mode, against a server that speaks TLS.

use lakefront_postgres::connect::{ConnectError, ConnectOptions, TlsProblem};

use crate::authority::Authority;
use crate::tls_server::TlsServer;

const NAMES: &str =
    "subjectAltName=DNS:db.example.org,DNS:*.wild.example.org,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";

fn good(authority: &Authority) {
    authority.sign("server", "db.example.org", NAMES, 30);
}

/// Whether the session is within TLS.
async fn is_encrypted(options: &ConnectOptions) -> Result<bool, ConnectError> {
    let client = options.connect().await?;
    let row =
        client.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await.unwrap();
    Ok(row.get(0))
}

#[track_caller]
fn problem(result: Result<bool, ConnectError>) -> TlsProblem {
    match result {
        Err(ConnectError::Tls { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_roots_the_modes_differ_in_what_they_insist_on() {
    let Some(server) = TlsServer::start(good).await else { return };
    let encrypted = async |user: &str, mode: &str| {
        is_encrypted(&server.options("elsewhere.example.org", user, &format!("sslmode={mode}"))).await
    };
    // Anybody may come either way: the mode decides.
    for (mode, expected) in [("disable", false), ("allow", false), ("prefer", true), ("require", true)] {
        assert_eq!(encrypted("postgres", mode).await.unwrap(), expected, "{mode}");
    }
    // The server insists on TLS.
    assert!(matches!(encrypted("tls", "disable").await, Err(ConnectError::Refused { .. })));
    for mode in ["allow", "prefer", "require"] {
        assert!(encrypted("tls", mode).await.unwrap(), "{mode}");
    }
    // The server insists on no TLS.
    for mode in ["disable", "allow", "prefer"] {
        assert!(!encrypted("plain", mode).await.unwrap(), "{mode}");
    }
    assert!(matches!(encrypted("plain", "require").await, Err(ConnectError::Refused { .. })));
    // Nothing to verify against.
    for mode in ["verify-ca", "verify-full"] {
        assert!(matches!(problem(encrypted("postgres", mode).await), TlsProblem::NoRootFile(_)), "{mode}");
    }
}

#[tokio::test]
async fn roots_are_verified_whenever_there_are_any() {
    let Some(server) = TlsServer::start(good).await else { return };
    let encrypted = async |host: &str, mode: &str, root: &str| {
        let root = server.authority.path(root);
        is_encrypted(&server.options(host, "postgres", &format!("sslmode={mode} sslrootcert={root}"))).await
    };
    for mode in ["require", "verify-ca"] {
        assert!(encrypted("elsewhere.example.org", mode, "root.crt").await.unwrap(), "{mode}");
        assert!(
            matches!(
                problem(encrypted("db.example.org", mode, "other-root.crt").await),
                TlsProblem::Untrusted { .. }
            ),
            "{mode}"
        );
    }
    // Without trust `prefer` goes on without TLS, as libpq does.
    assert!(!encrypted("db.example.org", "prefer", "other-root.crt").await.unwrap());
    // A missing file is as none.
    assert!(encrypted("db.example.org", "require", "missing.crt").await.unwrap());
    assert!(matches!(
        problem(encrypted("db.example.org", "require", "server.csr").await),
        TlsProblem::File { .. }
    ));

    for host in ["db.example.org", "DB.Example.org", "a.wild.example.org", "127.0.0.1"] {
        assert!(encrypted(host, "verify-full", "root.crt").await.unwrap(), "{host}");
    }
    for host in ["elsewhere.example.org", "a.b.wild.example.org", "wild.example.org", "example.org"] {
        match problem(encrypted(host, "verify-full", "root.crt").await) {
            TlsProblem::WrongName { host: named, presented } => {
                assert_eq!(named, host);
                assert!(presented.contains("db.example.org"), "{presented}");
            }
            other => panic!("{host}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_password_can_be_bound_to_the_channel() {
    let Some(server) = TlsServer::start(good).await else { return };
    let with = |mode: &str| {
        server.options("db.example.org", "postgres", &format!("sslmode={mode} channel_binding=require"))
    };
    assert!(is_encrypted(&with("require")).await.unwrap());
    assert!(matches!(is_encrypted(&with("disable")).await, Err(ConnectError::Refused { .. })));
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    let Some(server) = TlsServer::start(|authority| {
        good(authority);
        authority.revoke("server");
    })
    .await
    else {
        return;
    };
    let (root, list) = (server.authority.path("root.crt"), server.authority.path("revoked.crl"));
    let with = |more: &str| {
        server.options(
            "db.example.org",
            "postgres",
            &format!("sslmode=verify-full sslrootcert={root} {more}"),
        )
    };
    assert!(is_encrypted(&with("")).await.unwrap());
    assert!(matches!(problem(is_encrypted(&with(&format!("sslcrl={list}"))).await), TlsProblem::Revoked));
}

#[tokio::test]
async fn the_default_root_file_turns_require_into_verify_ca() {
    let Some(server) = TlsServer::start(good).await else { return };
    let folder = server.authority.folder.join(".postgresql");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(server.authority.path("other-root.crt"), folder.join("root.crt")).unwrap();
    let options = server.options("db.example.org", "postgres", "sslmode=require");
    assert!(matches!(problem(is_encrypted(&options).await), TlsProblem::Untrusted { .. }));
    std::fs::copy(server.authority.path("root.crt"), folder.join("root.crt")).unwrap();
    let options = server.options("elsewhere.example.org", "postgres", "sslmode=require");
    assert!(is_encrypted(&options).await.unwrap());
}

#[tokio::test]
async fn the_operating_systems_roots_do_not_know_a_private_authority() {
    let Some(server) = TlsServer::start(good).await else { return };
    let options = server.options("db.example.org", "postgres", "sslrootcert=system");
    assert!(matches!(
        problem(is_encrypted(&options).await),
        TlsProblem::Untrusted { .. } | TlsProblem::NoSystemRoots
    ));
}

#[tokio::test]
async fn the_manuals_recipes_work() {
    // Signed by an authority, without extensions: X.509 version 1, and only a common name.
    let version_1 = |authority: &Authority| authority.sign("server", "db.example.org", "", 30);
    let Some(server) = TlsServer::start(version_1).await else { return };
    assert!(server.authority.text_of("server").contains("Version: 1"), "the case under test");
    let root = server.authority.path("root.crt");
    let encrypted = async |host: &str, parameters: &str| {
        is_encrypted(&server.options(host, "postgres", parameters)).await
    };
    assert!(encrypted("any.example.org", "sslmode=require").await.unwrap());
    assert!(encrypted("any.example.org", &format!("sslmode=verify-ca sslrootcert={root}")).await.unwrap());
    assert!(encrypted("db.example.org", &format!("sslmode=verify-full sslrootcert={root}")).await.unwrap());
    assert!(matches!(
        problem(encrypted("any.example.org", &format!("sslmode=verify-full sslrootcert={root}")).await),
        TlsProblem::WrongName { .. }
    ));
    let other = server.authority.path("other-root.crt");
    assert!(encrypted("db.example.org", &format!("sslmode=verify-ca sslrootcert={other}")).await.is_err());

    // Signed by itself, and itself the root.
    let Some(server) = TlsServer::start(|authority| authority.self_sign("server", "db.example.org")).await
    else {
        return;
    };
    let root = server.authority.path("server.crt");
    let other = server.authority.path("root.crt");
    let encrypted = async |host: &str, parameters: &str| {
        is_encrypted(&server.options(host, "postgres", parameters)).await
    };
    assert!(encrypted("db.example.org", &format!("sslmode=verify-full sslrootcert={root}")).await.unwrap());
    assert!(encrypted("any.example.org", &format!("sslmode=verify-ca sslrootcert={root}")).await.unwrap());
    assert!(encrypted("db.example.org", &format!("sslmode=verify-ca sslrootcert={other}")).await.is_err());
}

#[tokio::test]
async fn an_expired_certificate_is_told_as_such() {
    let expired = |authority: &Authority| authority.sign("server", "db.example.org", NAMES, -1);
    let Some(server) = TlsServer::start(expired).await else { return };
    let root = server.authority.path("root.crt");
    let options =
        server.options("db.example.org", "postgres", &format!("sslmode=verify-full sslrootcert={root}"));
    assert!(matches!(problem(is_encrypted(&options).await), TlsProblem::Expired));
    // Nothing is verified without a root, so it does not matter.
    assert!(is_encrypted(&server.options("db.example.org", "postgres", "sslmode=require")).await.unwrap());
}

#[tokio::test]
async fn a_client_signs_in_with_its_certificate() {
    let with_clients = |authority: &Authority| {
        good(authority);
        authority.sign("client", "certified", "basicConstraints=CA:FALSE\n", 30);
        authority.sign("client-1", "certified", "", 30);
        authority.sign_by("other-root", "stranger", "certified", "basicConstraints=CA:FALSE\n", 30);
    };
    for version in ["TLSv1.2", "TLSv1.3"] {
        let settings = [("ssl_min_protocol_version", version), ("ssl_max_protocol_version", version)];
        let Some(server) = TlsServer::start_with(with_clients, &settings).await else { return };
        let with = |name: &str, key: &str| {
            let (certificate, key) = (server.authority.path(name), server.authority.path(key));
            server.options(
                "db.example.org",
                "certified",
                &format!("sslmode=require sslcert={certificate} sslkey={key}"),
            )
        };
        assert!(is_encrypted(&with("client.crt", "client.key")).await.unwrap(), "{version}");
        assert!(is_encrypted(&with("client-1.crt", "client-1.key")).await.unwrap(), "{version}");
        // The server's reason is lost when its closing of the connection overtakes it.
        match is_encrypted(&with("stranger.crt", "stranger.key")).await {
            Err(ConnectError::Tls {
                problem: TlsProblem::ClientCertificate | TlsProblem::Handshake(_),
                ..
            }) => {}
            Err(ConnectError::Lost { .. }) => {}
            other => panic!("{version}: {other:?}"),
        }
        assert!(matches!(
            problem(is_encrypted(&with("client.crt", "stranger.key")).await),
            TlsProblem::File { .. }
        ));
        assert!(matches!(
            problem(is_encrypted(&with("client.crt", "missing.key")).await),
            TlsProblem::File { .. }
        ));
        // Without one the server itself says what it wants.
        assert!(matches!(
            is_encrypted(&with("missing.crt", "missing.key")).await,
            Err(ConnectError::Refused { .. })
        ));
        std::fs::set_permissions(
            server.authority.path("client.key"),
            std::os::unix::fs::PermissionsExt::from_mode(0o644),
        )
        .unwrap();
        assert!(matches!(
            problem(is_encrypted(&with("client.crt", "client.key")).await),
            TlsProblem::File { .. }
        ));
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_as_such() {
    let options = lakefront_testkit::server_options().await;
    let client = options.connect().await.unwrap();
    let row = client.query_one("SELECT current_setting('ssl'), current_setting('port')", &[]).await.unwrap();
    if row.get::<_, String>(0) == "on" {
        eprintln!("SKIPPED: the test server speaks TLS");
        return;
    }
    let password = options.password_for(&options.servers()[0]).unwrap();
    let with = |mode: &str| {
        let address = format!(
            "host=127.0.0.1 port={} user={} dbname=postgres sslmode={mode}",
            row.get::<_, String>(1),
            options.user()
        );
        ConnectOptions::parse_in(&address, &[]).unwrap().with_password(password.clone())
    };
    for mode in ["disable", "allow", "prefer"] {
        assert!(!is_encrypted(&with(mode)).await.unwrap(), "{mode}");
    }
    let error = with("require").connect().await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("sslmode=require"), "{error}");
    assert!(matches!(error, ConnectError::Tls { problem: TlsProblem::NotOffered, .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("sslmode=prefer"));
}
