//! Views on a table, taken away and made anew as they were: PostgreSQL changes no column's type that a view shows.

use crate::error::Doing;
use crate::{PgResult, ident};
use lakefront_model::QualifiedName;
use tokio_postgres::GenericClient;

/// The views on a table and the views on these, the deepest last.
#[derive(Debug)]
pub(super) struct Views {
    views: Vec<View>,
    table: String,
}

#[derive(Debug)]
struct View {
    name: String,
    /// what makes it as it was
    statements: Vec<String>,
}

/// Views of a table with the depth at which they stand on it.
const DEPENDENT: &str = "
WITH RECURSIVE dependent (oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.refobjid = to_regclass($1) AND r.ev_class <> d.refobjid
    UNION
    SELECT r.ev_class, v.depth + 1 FROM dependent v
    JOIN pg_depend d ON d.refobjid = v.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> v.oid)
SELECT c.oid, n.nspname, c.relname, pg_get_viewdef(c.oid), c.reloptions, pg_get_userbyid(c.relowner),
       obj_description(c.oid, 'pg_class')
FROM (SELECT oid, max(depth) AS depth FROM dependent GROUP BY oid) v JOIN pg_class c USING (oid)
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' ORDER BY v.depth, c.oid";

/// Grants on a view and its columns, to others than its owner.
const GRANTS: &str = "
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), NULL::name
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner
UNION ALL
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), t.attname
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner";

impl Views {
    /// Looks for the views on a table. Others than plain views are not among them: they keep their own tables.
    pub(super) async fn on(client: &impl GenericClient, name: &QualifiedName) -> PgResult<Self> {
        let doing = || format!("looking for views on {name}");
        let table = ident::qualified(name);
        let found = client.query(DEPENDENT, &[&table]).await.doing(doing)?;
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
            views.push(View { name: view, statements });
        }
        Ok(Self { views, table: name.to_string() })
    }

    /// Takes them away, in the running transaction. Whatever else stands on one of them makes this fail.
    pub(super) async fn drop(&self, client: &impl GenericClient) -> PgResult<()> {
        for view in self.views.iter().rev() {
            let doing = || format!("taking the view {} away to change {}", view.name, self.table);
            client.batch_execute(&format!("DROP VIEW {}", view.name)).await.doing(doing)?;
        }
        Ok(())
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
