//! libpq as the judge: every combination of mode, roots, host and user ends as it does in `psql`.

use std::collections::HashSet;

use lakefront_postgres::connect::ConnectOptions;

use crate::authority::Authority;
use crate::tls_server::TlsServer;

const HOSTS: [&str; 3] = ["db.example.org", "127.0.0.1", "elsewhere.example.org"];
const USERS: [&str; 3] = ["postgres", "tls", "plain"];
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const ROOTS: [&str; 4] = ["root.crt", "other-root.crt", "server.crt", "missing.crt"];

async fn outcome(options: &ConnectOptions) -> Option<bool> {
    let client = options.connect().await.ok()?;
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Some(client.query_one(sql, &[]).await.unwrap().get(0))
}

async fn compare(prepare: impl FnOnce(&Authority)) {
    let Some(server) = TlsServer::start(prepare).await else { return };
    let mut different = Vec::new();
    let mut seen = HashSet::new();
    for host in HOSTS {
        for user in USERS {
            for mode in MODES {
                for root in ROOTS {
                    let root = server.authority.path(root);
                    let parameters = format!("sslmode={mode} sslrootcert={root}");
                    let ours = outcome(&server.options(host, user, &parameters)).await;
                    let theirs = server.asked_by_psql(host, user, &parameters);
                    seen.insert(theirs);
                    if ours != theirs {
                        different
                            .push(format!("{host} {user} {parameters}: ours {ours:?}, libpq {theirs:?}"));
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 3, "with TLS, without, and not at all must all occur: {seen:?}");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[tokio::test]
async fn with_alternative_names() {
    compare(|authority| {
        let names = "subjectAltName=DNS:db.example.org,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        authority.sign("server", "other.example.org", names, 30);
    })
    .await;
}

#[tokio::test]
async fn with_a_common_name_beside_names_of_another_kind() {
    compare(|authority| authority.sign("server", "db.example.org", "subjectAltName=IP:127.0.0.1\n", 30))
        .await;
}

#[tokio::test]
async fn with_a_common_name_only() {
    compare(|authority| authority.sign("server", "127.0.0.1", "basicConstraints=CA:FALSE\n", 30)).await;
}

#[tokio::test]
async fn of_version_1() {
    compare(|authority| authority.sign("server", "db.example.org", "", 30)).await;
}

#[tokio::test]
async fn signed_by_itself() {
    compare(|authority| authority.self_sign("server", "db.example.org")).await;
}

#[tokio::test]
async fn expired() {
    compare(|authority| {
        authority.sign("server", "db.example.org", "subjectAltName=DNS:db.example.org\n", -1)
    })
    .await;
}
