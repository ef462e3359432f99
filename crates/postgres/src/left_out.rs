//! Rows that were sent to a live table and did not get there although nothing refused them, as users' own triggers and
//! rules can have it.

use crate::error::Doing;
use crate::{PgError, PgResult, ident};
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

/// Triggers that see a row before it is written and can leave it out, and rules that put something in the place of a
/// statement.
const ABLE_TO: &str = "
SELECT 'trigger ' || quote_ident(tgname) FROM pg_trigger
WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D' AND tgtype::integer & 3 = 3
UNION ALL
SELECT 'rule ' || quote_ident(rulename) FROM pg_rewrite
WHERE ev_class = to_regclass($1) AND is_instead AND ev_enabled <> 'D'";

/// The triggers and rules of a table that can leave rows out.
///
/// # Errors
/// When the catalog cannot be read.
pub(crate) async fn able_to(client: &impl GenericClient, target: &QualifiedName) -> PgResult<Vec<String>> {
    let found = client.query(ABLE_TO, &[&ident::qualified(target)]).await;
    let found = found.doing(|| format!("looking at the triggers of {target}"))?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}

/// The error that so many rows make: it names what can have left them out.
pub async fn error(client: &impl GenericClient, target: &QualifiedName, rows: u64) -> PgError {
    match able_to(client, target).await {
        Ok(by) => PgError::of_rows_left_out(format!("writing rows of {target}"), rows, by),
        Err(error) => error,
    }
}
