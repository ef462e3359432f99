//! Comments follow the source where the user has set none.

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::{QualifiedName, SourceSchema, TableMapping};
use tokio_postgres::GenericClient;

/// Copies the source's comments on table and columns in the running transaction. A comment that is neither absent
/// nor what the source said at the last checkpoint is the user's own and stays.
///
/// # Errors
/// When the server refuses.
pub async fn follow_source_comments(
    client: &impl GenericClient,
    target: &QualifiedName,
    mapping: &TableMapping,
    comment: Option<&str>,
    before: (Option<&SourceSchema>, Option<&str>),
) -> PgResult<()> {
    let doing = || format!("copying the source's comments to {target}");
    let table = ident::qualified(target);
    let rows = client
        .query(
            "SELECT ''::name, obj_description(to_regclass($1), 'pg_class')
             UNION ALL
             SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
            &[&table],
        )
        .await
        .doing(doing)?;
    let mut steps = Vec::new();
    for row in &rows {
        let (column, found): (String, Option<String>) = (row.get(0), row.get(1));
        let (object, wanted, was) = if column.is_empty() {
            (format!("TABLE {table}"), comment, before.1)
        } else {
            let Some(wanted) = mapping.columns.iter().find(|c| c.name == column) else { continue };
            let was = before.0.and_then(|s| s.find(&column)).and_then(|c| c.comment.as_deref());
            (format!("COLUMN {table}.{}", ident::quote(&column)), wanted.comment.as_deref(), was)
        };
        let is_ours = found.is_none() || found.as_deref() == was;
        if is_ours && found.as_deref() != wanted {
            let text = wanted.map_or_else(|| "NULL".to_owned(), ident::literal);
            steps.push(format!("COMMENT ON {object} IS {text}"));
        }
    }
    if steps.is_empty() {
        return Ok(());
    }
    client.batch_execute(&steps.join("; ")).await.doing(doing)
}
