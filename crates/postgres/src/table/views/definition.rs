//! The statements that make a view as it is.

use crate::ident;
use tokio_postgres::{Error, GenericClient, Row};

/// Rules and triggers. (PostgreSQL disables none of a view: ALTER VIEW has no such form.)
const RULES_AND_TRIGGERS: &str = "
SELECT 'RULE', rulename, pg_get_ruledef(oid), obj_description(oid, 'pg_rewrite') FROM pg_rewrite
WHERE ev_class = $1 AND rulename <> '_RETURN'
UNION ALL
SELECT 'TRIGGER', tgname, pg_get_triggerdef(oid), obj_description(oid, 'pg_trigger') FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal";

/// Defaults of columns, for inserts into the view, and comments.
const COLUMNS: &str = "
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0";

/// Grants on a view and its columns, to others than its owner.
const GRANTS: &str = "
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), NULL::name
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner
UNION ALL
SELECT a.privilege_type, a.is_grantable, coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), t.attname
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner";

/// The statement that makes a view with its options, as SQL text names it.
pub(super) async fn create(client: &impl GenericClient, oid: u32, view: &str) -> Result<String, Error> {
    let sql = "SELECT pg_get_viewdef(oid), reloptions FROM pg_class WHERE oid = $1";
    let row = client.query_one(sql, &[&oid]).await?;
    let (definition, options): (&str, Option<Vec<String>>) = (row.get(0), row.get(1));
    let options = options.map_or_else(String::new, |options| format!(" WITH ({})", options.join(", ")));
    Ok(format!("CREATE VIEW {view}{options} AS {}", definition.trim_end_matches(';')))
}

/// The statements that give it what it has besides: rules, triggers, defaults, comments, its owner and grants.
pub(super) async fn rest(client: &impl GenericClient, oid: u32, view: &str) -> Result<Vec<String>, Error> {
    let mut statements = Vec::new();
    for row in client.query(RULES_AND_TRIGGERS, &[&oid]).await? {
        let (kind, name): (&str, &str) = (row.get(0), row.get(1));
        statements.push(row.get(2));
        statements.extend(comment(&row, 3, &format!("{kind} {} ON {view}", ident::quote(name))));
    }
    for row in client.query(COLUMNS, &[&oid]).await? {
        let (name, default): (String, Option<&str>) = (ident::quote(row.get(0)), row.get(1));
        statements
            .extend(default.map(|default| format!("ALTER VIEW {view} ALTER {name} SET DEFAULT {default}")));
        statements.extend(comment(&row, 2, &format!("COLUMN {view}.{name}")));
    }
    let sql =
        "SELECT pg_get_userbyid(relowner), obj_description(oid, 'pg_class') FROM pg_class WHERE oid = $1";
    let row = client.query_one(sql, &[&oid]).await?;
    statements.extend(comment(&row, 1, &format!("VIEW {view}")));
    statements.push(format!("ALTER VIEW {view} OWNER TO {}", ident::quote(row.get(0))));
    statements.extend(client.query(GRANTS, &[&oid]).await?.iter().map(|row| grant(row, view)));
    Ok(statements)
}

/// The statement for a comment, where there is one at this place of the row.
fn comment(row: &Row, place: usize, object: &str) -> Option<String> {
    let comment: Option<&str> = row.get(place);
    comment.map(|comment| format!("COMMENT ON {object} IS {}", ident::literal(comment)))
}

fn grant(row: &Row, view: &str) -> String {
    let (privilege, again, to): (&str, bool, &str) = (row.get(0), row.get(1), row.get(2));
    let column: Option<&str> = row.get(3);
    let column = column.map_or_else(String::new, |column| format!(" ({})", ident::quote(column)));
    let to = if to.is_empty() { "PUBLIC".to_owned() } else { ident::quote(to) };
    let again = if again { " WITH GRANT OPTION" } else { "" };
    format!("GRANT {privilege}{column} ON {view} TO {to}{again}")
}
