//! The roles that own and read synced tables.
//!
//! Applications must not be able to write to a copy, so it belongs to a role that nobody signs in as;
//! the user that Lakefront connects as is a member of it.

use crate::error::Doing;
use crate::{PgError, PgResult, ident};
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
