//! The roles that own and read synced tables.
//!
//! Applications must not be able to write to a copy, so it belongs to a role that nobody signs in as;
//! the user that Lakefront connects as is a member of it.

use crate::error::Doing;
use crate::{PgError, PgResult, ident, ledger};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Owns all synced tables.
pub const OWNER: &str = "lakefront_owner";
/// May read all synced tables; granted to applications by the operator.
pub const READER: &str = "lakefront_reader";

/// How far the roles could be set up with the rights of the user that Lakefront connects as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// the tables belong to [`OWNER`]
    Role,
    /// the user may not create roles: the tables belong to that user itself, which applications must not use
    ConnectedUser,
}

/// Makes the roles if they are missing, and the connected user a member of the owner.
///
/// # Errors
/// Any refusal but a missing right to create roles, which [`Ownership::ConnectedUser`] tells.
pub async fn ensure(client: &Client) -> PgResult<Ownership> {
    for role in [OWNER, READER] {
        let exists = client
            .query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&role])
            .await
            .doing(|| format!("looking for the role {role}"))?;
        if exists.is_none() {
            match client.batch_execute(&format!("CREATE ROLE {} NOLOGIN", ident::quote(role))).await {
                Ok(()) => {}
                // Roles are shared by all databases of a server, so another process may have been first.
                Err(e) if e.code() == Some(&SqlState::DUPLICATE_OBJECT) => {}
                Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
                Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                    return Ok(Ownership::ConnectedUser);
                }
                Err(e) => return Err(PgError::new(format!("creating the role {role}"), e)),
            }
        }
    }
    let member: bool = client
        .query_one("SELECT pg_has_role(current_user, $1, 'MEMBER')", &[&OWNER])
        .await
        .doing(|| format!("looking for membership in {OWNER}"))?
        .get(0);
    if member {
        return Ok(Ownership::Role);
    }
    match client.batch_execute(&format!("GRANT {} TO current_user", ident::quote(OWNER))).await {
        Ok(()) => Ok(Ownership::Role),
        Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Ownership::ConnectedUser),
        Err(e) => Err(PgError::new(format!("joining the role {OWNER}"), e)),
    }
}

/// Lets the owner into the schemas of the synced tables: who checks a foreign key to a copy is the copy's owner
/// (PostgreSQL runs the check as that role). A schema that the connected user may not grant on is left as it is.
///
/// # Errors
/// When the server refuses otherwise.
pub async fn enter_schemas(client: &mut Client) -> PgResult<()> {
    let doing = || format!("letting {OWNER} into the schemas of synced tables");
    let closed = client
        .query(
            "SELECT DISTINCT n.nspname FROM lakefront.synced_tables t JOIN pg_namespace n ON n.nspname = t.schema_name
             WHERE NOT has_schema_privilege($1::name, n.oid, 'USAGE')",
            &[&OWNER],
        )
        .await
        .doing(doing)?;
    for row in &closed {
        let txn = client.transaction().await.doing(doing)?;
        // Two at once would be refused.
        txn.execute("SELECT pg_advisory_xact_lock($1)", &[&ledger::LEDGER_LOCK]).await.doing(doing)?;
        match txn.batch_execute(&usage_of(row.get(0), OWNER)).await {
            Ok(()) => txn.commit().await.doing(doing)?,
            Err(e) if e.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                txn.rollback().await.doing(doing)?;
            }
            Err(e) => return Err(PgError::new(doing(), e)),
        }
    }
    Ok(())
}

/// The statement that lets a role into a schema.
pub(crate) fn usage_of(schema: &str, role: &str) -> String {
    format!("GRANT USAGE ON SCHEMA {} TO {}", ident::quote(schema), ident::quote(role))
}

/// Makes a database where it is missing.
///
/// # Errors
/// When the user may not create databases.
pub async fn ensure_database(client: &Client, database: &str) -> PgResult<()> {
    let doing = || format!("creating the database {database}");
    if client
        .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&database])
        .await
        .doing(doing)?
        .is_some()
    {
        return Ok(());
    }
    match client.batch_execute(&format!("CREATE DATABASE {}", ident::quote(database))).await {
        Ok(()) => Ok(()),
        // Another process was first.
        Err(e) if e.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(()),
        Err(e) => Err(PgError::new(doing(), e)),
    }
}

/// Gives an application a sign-in that may read the synced tables and write none of them.
///
/// # Errors
/// When the user may not create roles.
pub async fn ensure_reader_login(client: &Client, user: &str, password: &str) -> PgResult<()> {
    let doing = || format!("creating the sign-in {user}");
    let name = ident::quote(user);
    if client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&user]).await.doing(doing)?.is_none() {
        client.batch_execute(&format!("CREATE ROLE {name} LOGIN")).await.doing(doing)?;
    }
    let reader = ident::quote(READER);
    let sql = format!("ALTER ROLE {name} PASSWORD {}; GRANT {reader} TO {name}", ident::literal(password));
    client.batch_execute(&sql).await.doing(doing)
}

/// A password that nobody can guess: 122 random bits of a version 4 UUID.
pub fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
