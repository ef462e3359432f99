//! The first copy becomes visible: the stage takes the live table's name.

use crate::error::Doing;
use crate::roles::Ownership;
use crate::table::Stage;
use crate::{PgResult, ident, ledger, roles};
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

/// Moves a complete stage to the live table's name, in the running transaction. The schema is made if it is missing.
/// Ownership goes to Lakefront's role, so that no application can write.
///
/// # Errors
/// When the server refuses, such as for a name that is taken.
pub async fn publish(
    client: &impl GenericClient,
    stage: &Stage,
    target: &QualifiedName,
    ownership: Ownership,
) -> PgResult<()> {
    let doing = || format!("making {target} visible");
    let schema = ident::quote(&target.schema);
    // Two first copies into one schema would both make it and grant on it, which PostgreSQL refuses the second one.
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&ledger::LEDGER_LOCK]).await.doing(doing)?;
    if client
        .query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&target.schema])
        .await
        .doing(doing)?
        .is_none()
    {
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await.doing(doing)?;
    }
    let renames = index_names(client, stage, target).await?;
    let mut steps = vec![format!("ALTER TABLE {} RESET (autovacuum_enabled)", stage.sql())];
    if ownership == Ownership::Role {
        steps.push(format!("ALTER TABLE {} OWNER TO {}", stage.sql(), ident::quote(roles::OWNER)));
    }
    steps.push(format!("ALTER TABLE {} SET SCHEMA {schema}", stage.sql()));
    steps.push(format!(
        "ALTER TABLE {schema}.{} RENAME TO {}",
        ident::quote(stage.name()),
        ident::quote(&target.table)
    ));
    for (from, to) in renames {
        steps.push(format!("ALTER INDEX {schema}.{} RENAME TO {}", ident::quote(&from), ident::quote(&to)));
    }
    client.batch_execute(&steps.join("; ")).await.doing(doing)?;
    if ownership == Ownership::Role {
        // As whom foreign keys to the table are checked.
        client.batch_execute(&roles::usage_of(&target.schema, roles::OWNER)).await.doing(doing)?;
        grant_readers(client, target).await?;
    }
    Ok(())
}

/// Lets members of `lakefront_reader` read the table.
///
/// # Errors
/// When the server refuses.
pub async fn grant_readers(client: &impl GenericClient, target: &QualifiedName) -> PgResult<()> {
    let grant = format!(
        "GRANT SELECT ON {} TO {}; {}",
        ident::qualified(target),
        ident::quote(roles::READER),
        roles::usage_of(&target.schema, roles::READER),
    );
    client.batch_execute(&grant).await.doing(|| format!("granting SELECT on {target} to {}", roles::READER))
}

/// The names that the stage's indexes get: what PostgreSQL would have chosen for the live table's name.
async fn index_names(
    client: &impl GenericClient,
    stage: &Stage,
    target: &QualifiedName,
) -> PgResult<Vec<(String, String)>> {
    let doing = || format!("naming the indexes of {target}");
    let rows = client
        .query(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE i.indrelid = to_regclass($1) ORDER BY c.relname",
            &[&stage.sql()],
        )
        .await
        .doing(doing)?;
    let taken = client
        .query(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1",
            &[&target.schema],
        )
        .await
        .doing(doing)?;
    let mut taken: Vec<String> = taken.iter().map(|r| r.get(0)).collect();
    let mut renames = Vec::with_capacity(rows.len());
    for row in &rows {
        let from: String = row.get(0);
        let Some(suffix) = from.strip_prefix(stage.name()) else { continue };
        let to = free_name(&target.table, suffix, &taken);
        taken.push(to.clone());
        renames.push((from, to));
    }
    Ok(renames)
}

/// `table` and `suffix` within 63 bytes, with a number behind it while the name is taken.
fn free_name(table: &str, suffix: &str, taken: &[String]) -> String {
    (0u32..)
        .map(|n| {
            let suffix = if n == 0 { suffix.to_owned() } else { format!("{suffix}{n}") };
            let mut room = 63usize.saturating_sub(suffix.len()).min(table.len());
            while !table.is_char_boundary(room) {
                room -= 1;
            }
            format!("{}{suffix}", table.get(..room).unwrap_or_default())
        })
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| format!("{table}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::free_name;

    #[test]
    fn names_fit_and_are_free() {
        assert_eq!(free_name("products", "_price_idx", &[]), "products_price_idx");
        let taken = ["products_price_idx".to_owned(), "products_price_idx1".to_owned()];
        assert_eq!(free_name("products", "_price_idx", &taken), "products_price_idx2");
        let long = "é".repeat(31);
        assert_eq!(free_name(&long, "_pkey", &[]), format!("{}_pkey", "é".repeat(29)));
    }
}
