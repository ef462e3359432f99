//! Rows that policy set aside, as the ledger keeps them.

use crate::PgResult;
use crate::error::Doing;
use std::collections::BTreeMap;
use tokio_postgres::Client;

/// How many rows of a table are set aside, by reason.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn left_out(client: &Client, table_id: i64) -> PgResult<BTreeMap<String, u64>> {
    let sql = "SELECT reason, count(*) FROM lakefront.quarantine WHERE table_id = $1 GROUP BY reason";
    let doing = || "counting the rows that are set aside".to_owned();
    let rows = client.query(sql, &[&table_id]).await.doing(doing)?;
    let counted = |row: &tokio_postgres::Row| {
        Ok((row.try_get(0)?, u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or_default()))
    };
    rows.iter().map(counted).collect::<Result<_, tokio_postgres::Error>>().doing(doing)
}
