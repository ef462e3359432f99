//! Views on a table, taken away and made anew as they were: PostgreSQL changes no column's type that a view shows.

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
    /// what makes it as it was
    statements: Vec<String>,
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
SELECT c.oid, n.nspname, c.relname, pg_get_viewdef(c.oid), c.reloptions, pg_get_userbyid(c.relowner),
       obj_description(c.oid, 'pg_class'),
       ARRAY (SELECT d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
              WHERE r.ev_class = c.oid AND r.rulename = '_RETURN' AND d.classid = 'pg_rewrite'::regclass
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid)
FROM dependent v JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY c.oid";

/// Grants on a view and its columns, to others than its owner.
const GRANTS: &str = "
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), NULL::name
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner
UNION ALL
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), t.attname
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner";

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
            let options: Option<Vec<String>> = row.get(4);
            let options =
                options.map_or_else(String::new, |options| format!(" WITH ({})", options.join(", ")));
            let definition: &str = row.get(3);
            let mut statements = vec![
                format!("CREATE VIEW {view}{options} AS {}", definition.trim_end_matches(';')),
                format!("ALTER VIEW {view} OWNER TO {}", ident::quote(row.get(5))),
            ];
            if let Some(comment) = row.get::<_, Option<&str>>(6) {
                statements.push(format!("COMMENT ON VIEW {view} IS {}", ident::literal(comment)));
            }
            for grant in client.query(GRANTS, &[&oid]).await.doing(doing)? {
                let (privilege, again, to): (&str, bool, &str) = (grant.get(0), grant.get(1), grant.get(2));
                let column: Option<&str> = grant.get(3);
                let column = column.map_or_else(String::new, |column| format!(" ({})", ident::quote(column)));
                let to = if to.is_empty() { "PUBLIC".to_owned() } else { ident::quote(to) };
                let again = if again { " WITH GRANT OPTION" } else { "" };
                statements.push(format!("GRANT {privilege}{column} ON {view} TO {to}{again}"));
            }
            let columns = client
                .query(
                    "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
                     WHERE attrelid = $1 AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL",
                    &[&oid],
                )
                .await
                .doing(doing)?;
            statements.extend(columns.iter().map(|row| {
                let (column, comment) = (ident::quote(row.get(0)), ident::literal(row.get(1)));
                format!("COMMENT ON COLUMN {view}.{column} IS {comment}")
            }));
            views.push(View { oid, uses: row.get(7), name: view, statements });
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
        for view in &self.views {
            let doing = || format!("making the view {} on {} anew", view.name, self.table);
            client.batch_execute(&view.statements.join("; ")).await.doing(doing)?;
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
