//! The password file, `~/.pgpass`.
//!
//! Source: the PostgreSQL manual, "The Password File".

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::address::Endpoint;
use super::password::Password;

/// Looks a password up. A file that does not exist gives none; one that others may read is left
/// unused, as libpq does, with a warning.
pub(super) fn look_up(file: &Path, server: &Endpoint, database: &str, user: &str) -> Option<Password> {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            file = %file.display(),
            "password file is not used: others may read it; chmod 0600 it"
        );
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    // Sockets in the usual folders are entered as localhost.
    let host = match server.host.as_str() {
        host if super::assemble::SOCKET_FOLDERS.contains(&host) => "localhost",
        host => host,
    };
    find(&text, [host, &server.port.to_string(), database, user])
}

fn find(text: &str, wanted: [&str; 4]) -> Option<Password> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(fields)
        .find(|fields| {
            fields.len() >= 5
                && fields.iter().zip(wanted).all(|(field, wanted)| field.any || field.text == wanted)
        })
        .and_then(|fields| fields.into_iter().nth(4))
        .map(|field| Password::new(field.text))
}

#[derive(Default)]
struct Field {
    text: String,
    /// A bare `*`; an escaped one stands for itself.
    any: bool,
}

fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field::default()];
    let mut escaped = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            ':' if fields.len() < 5 => {
                close(&mut fields, escaped);
                escaped = false;
                fields.push(Field::default());
                continue;
            }
            '\\' => {
                escaped = true;
                chars.next().unwrap_or('\\')
            }
            c => c,
        };
        if let Some(field) = fields.last_mut() {
            field.text.push(c);
        }
    }
    close(&mut fields, escaped);
    fields
}

fn close(fields: &mut [Field], escaped: bool) {
    if let Some(field) = fields.last_mut() {
        field.any = !escaped && field.text == "*";
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const FILE: &str =
        "# host:port:db:user:password\nlocalhost:5432:shop:anna:o\\:ne\n*:*:shop:*:two\n\\*:1:*:*:three\n";

    fn password(wanted: [&str; 4]) -> Option<String> {
        find(FILE, wanted).map(|password| password.reveal().to_owned())
    }

    #[test]
    fn first_matching_line_wins_and_escapes_are_undone() {
        assert_eq!(password(["localhost", "5432", "shop", "anna"]).as_deref(), Some("o:ne"));
        assert_eq!(password(["db", "6543", "shop", "bert"]).as_deref(), Some("two"));
        assert_eq!(password(["*", "1", "x", "y"]).as_deref(), Some("three"));
        assert_eq!(password(["db", "1", "x", "y"]), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgpass");
        fs::write(&file, "*:*:*:*:secret\n").unwrap();
        let server = Endpoint { host: "h".to_owned(), address: None, port: 1 };
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(look_up(&file, &server, "d", "u"), None);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(look_up(&file, &server, "d", "u"), Some(Password::new("secret")));
    }
}
