//! The live table's end.

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

/// Drops the live table. What depends on it stops that, and the server's message names it.
///
/// # Errors
/// When views depend on the table, or the server refuses otherwise.
pub async fn drop_live(client: &impl GenericClient, name: &QualifiedName) -> PgResult<()> {
    client
        .batch_execute(&format!("DROP TABLE IF EXISTS {}", ident::qualified(name)))
        .await
        .doing(|| format!("dropping {name}"))
}

/// Gives the live table to the connected user: it is an ordinary table from then on.
///
/// # Errors
/// When the server refuses.
pub async fn hand_over(client: &impl GenericClient, name: &QualifiedName) -> PgResult<()> {
    client
        .batch_execute(&format!("ALTER TABLE IF EXISTS {} OWNER TO current_user", ident::qualified(name)))
        .await
        .doing(|| format!("handing {name} over"))
}
