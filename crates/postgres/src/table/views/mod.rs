//! Views on a table, taken away and made anew as they were: PostgreSQL changes no column's type that a view shows.

mod definition;

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

/// The views that use some columns of a table, and the views on these; those that others are made of come first.
#[derive(Debug)]
pub(super) struct Views {
    views: Vec<View>,
    table: String,
}

#[derive(Debug)]
struct View {
    oid: u32,
    /// the views that it is made of
    uses: Vec<u32>,
    name: String,
    /// what makes it
    create: String,
    /// what makes it as it was, once all are there: rules can speak of other ones
    rest: Vec<String>,
}

/// Views whose query or rules use columns, and views that use these: a view is taken away only with all that stands on
/// it, whichever of its columns that uses. What is no plain view keeps a table of its own, and is left to the server to
/// name.
const DEPENDENT: &str = "
WITH RECURSIVE uses (view, used, used_column) AS (
    SELECT r.ev_class, d.refobjid, d.refobjsubid
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid <> r.ev_class AND c.relkind = 'v'),
dependent (oid) AS (
    SELECT u.view FROM uses u JOIN pg_attribute a ON a.attrelid = u.used AND a.attnum = u.used_column
    WHERE u.used = to_regclass($1) AND a.attname::text = ANY ($2)
    UNION
    SELECT u.view FROM dependent v JOIN uses u ON u.used = v.oid)
SELECT c.oid, n.nspname, c.relname,
       ARRAY (SELECT d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
              WHERE r.ev_class = c.oid AND r.rulename = '_RETURN' AND d.classid = 'pg_rewrite'::regclass
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid)
FROM dependent v JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY c.oid";

impl Views {
    /// Looks for the views that use any of a table's columns, and the views on these.
    pub(super) async fn using(
        client: &impl GenericClient,
        name: &QualifiedName,
        columns: &[&str],
    ) -> PgResult<Self> {
        let doing = || format!("looking for views on {name}");
        let table = ident::qualified(name);
        let found = client.query(DEPENDENT, &[&table, &columns]).await.doing(doing)?;
        let mut views = Vec::with_capacity(found.len());
        for row in &found {
            let oid: u32 = row.get(0);
            let view = format!("{}.{}", ident::quote(row.get(1)), ident::quote(row.get(2)));
            let create = definition::create(client, oid, &view).await.doing(doing)?;
            let rest = definition::rest(client, oid, &view).await.doing(doing)?;
            views.push(View { oid, uses: row.get(3), name: view, create, rest });
        }
        Ok(Self { views: in_order(views), table: name.to_string() })
    }

    /// Takes them away, in the running transaction. Whatever else stands on one of them makes this fail.
    pub(super) async fn drop(&self, client: &impl GenericClient) -> PgResult<()> {
        if self.views.is_empty() {
            return Ok(());
        }
        // In one statement, as rules can make views depend on each other.
        let names: Vec<_> = self.views.iter().map(|view| view.name.as_str()).collect();
        let doing = || format!("taking views away to change {}", self.table);
        client.batch_execute(&format!("DROP VIEW {}", names.join(", "))).await.doing(doing)
    }

    /// Makes them as they were, in the running transaction.
    pub(super) async fn make(&self, client: &impl GenericClient) -> PgResult<()> {
        let made = self.views.iter().map(|view| (view, view.create.clone()));
        let finished = self.views.iter().map(|view| (view, view.rest.join("; ")));
        for (view, statements) in made.chain(finished) {
            let doing = || format!("making the view {} on {} anew", view.name, self.table);
            client.batch_execute(&statements).await.doing(doing)?;
        }
        Ok(())
    }
}

/// Puts views behind those that they are made of.
fn in_order(mut views: Vec<View>) -> Vec<View> {
    let mut ordered = Vec::with_capacity(views.len());
    while !views.is_empty() {
        let left: Vec<u32> = views.iter().map(|view| view.oid).collect();
        let (waiting, ready): (Vec<_>, Vec<_>) =
            views.into_iter().partition(|view| view.uses.iter().any(|used| left.contains(used)));
        if ready.is_empty() {
            // Views that are made of each other cannot be made, as the server will say.
            ordered.extend(waiting);
            break;
        }
        ordered.extend(ready);
        views = waiting;
    }
    ordered
}
