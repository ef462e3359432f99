//! Secondary indexes that are declared beside the table.

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::QualifiedName;
use tokio_postgres::Client;

/// Begins the comment by which a declared index is known again.
const MARK: &str = "declared in Lakefront: ";

/// Creates one declared index on a table given as SQL text, and marks it. A declaration is what follows
/// `CREATE INDEX ON table`, such as `(price)` or `USING gin (tags)`; `UNIQUE` before it makes it unique.
///
/// # Errors
/// When the server refuses the declaration.
pub async fn create(client: &Client, table_sql: &str, declaration: &str) -> PgResult<()> {
    let doing = || format!("creating the declared index {declaration}");
    let (unique, rest) = match declaration.trim().split_once(char::is_whitespace) {
        Some((first, rest)) if first.eq_ignore_ascii_case("unique") => ("UNIQUE ", rest),
        _ => ("", declaration.trim()),
    };
    let made = async {
        client.batch_execute("BEGIN").await?;
        client.execute(&format!("CREATE {unique}INDEX ON {table_sql} {rest}"), &[]).await?;
        // Others may be creating indexes on the table at the same time; this transaction's own is told by its number.
        let name: String = client
            .query_one(
                "SELECT indexrelid::regclass::text FROM pg_index
                 WHERE indrelid = to_regclass($1) AND xmin = pg_current_xact_id()::xid",
                &[&table_sql],
            )
            .await?
            .get(0);
        let mark = ident::literal(&format!("{MARK}{}", declaration.trim()));
        client.batch_execute(&format!("COMMENT ON INDEX {name} IS {mark}; COMMIT")).await
    };
    if let Err(error) = made.await {
        // The session goes on; the statement's own error says more than one of the rollback.
        drop(client.batch_execute("ROLLBACK").await);
        return Err(crate::PgError::new(doing(), error));
    }
    Ok(())
}

/// Makes the live table's declared indexes what the declarations say: new ones are created (readers go on, the lock
/// is SHARE), those no longer declared are dropped. Indexes that users made are left alone.
///
/// # Errors
/// When the server refuses.
pub async fn reconcile(client: &Client, target: &QualifiedName, declared: &[String]) -> PgResult<()> {
    let doing = || format!("looking at the indexes of {target}");
    let table = ident::qualified(target);
    let rows = client
        .query(
            "SELECT indexrelid::regclass::text, obj_description(indexrelid, 'pg_class')
             FROM pg_index WHERE indrelid = to_regclass($1)",
            &[&table],
        )
        .await
        .doing(doing)?;
    let mut present = Vec::new();
    for row in &rows {
        let (name, comment): (String, Option<String>) = (row.get(0), row.get(1));
        let Some(declaration) = comment.as_deref().and_then(|c| c.strip_prefix(MARK)) else { continue };
        if declared.iter().any(|d| d.trim() == declaration) {
            present.push(declaration.to_owned());
        } else {
            client
                .batch_execute(&format!("DROP INDEX {name}"))
                .await
                .doing(|| format!("dropping the index {name}, which is no longer declared"))?;
        }
    }
    for declaration in declared.iter().filter(|d| !present.iter().any(|p| p == d.trim())) {
        create(client, &table, declaration).await?;
    }
    Ok(())
}
