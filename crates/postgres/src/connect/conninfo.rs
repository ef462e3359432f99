//! The two forms of a libpq connection string, taken apart into keywords and values.
//!
//! Source: the PostgreSQL manual, "Connection Strings"; where the text is loose the behaviour
//! follows `conninfo_parse` and `conninfo_uri_parse_options` of libpq.

use super::address::AddressError;

/// Keywords with their values in the order given; a later one of the same keyword wins.
pub(super) type Pairs = Vec<(String, String)>;

/// Takes a URL or key=value pairs apart.
///
/// # Errors
/// [`AddressError::Form`] and [`AddressError::Syntax`]; neither repeats any of the text.
pub(super) fn split(text: &str) -> Result<Pairs, AddressError> {
    let text = text.trim();
    for scheme in ["postgres://", "postgresql://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return split_url(rest);
        }
    }
    if text.contains("://") || !text.contains('=') {
        return Err(AddressError::Form);
    }
    split_pairs(text)
}

fn split_pairs(text: &str) -> Result<Pairs, AddressError> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (keyword, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            return Err(AddressError::Syntax(
                "a keyword without = (a value with spaces must be quoted with ')",
            ));
        };
        let (value, after) = take_value(after.trim_start())?;
        pairs.push((keyword.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

fn take_value(text: &str) -> Result<(String, &str), AddressError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices();
    if quoted {
        chars.next();
    }
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, text.get(at + 1..).unwrap_or(""))),
            c if !quoted && c.is_whitespace() => return Ok((value, text.get(at..).unwrap_or(""))),
            c => value.push(c),
        }
    }
    if quoted {
        return Err(AddressError::Syntax("a quoted value without its closing '"));
    }
    Ok((value, ""))
}

fn split_url(text: &str) -> Result<Pairs, AddressError> {
    let mut pairs = Pairs::new();
    let mut rest = text;
    if let Some(at) = rest.find(['@', '/']).filter(|at| rest[*at..].starts_with('@')) {
        let (user, password) = match rest[..at].split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (&rest[..at], None),
        };
        push_decoded(&mut pairs, "user", user)?;
        push_decoded(&mut pairs, "password", password.unwrap_or(""))?;
        rest = &rest[at + 1..];
    }
    rest = split_hosts(rest, &mut pairs)?;
    if let Some(path) = rest.strip_prefix('/') {
        let end = path.find('?').unwrap_or(path.len());
        push_decoded(&mut pairs, "dbname", &path[..end])?;
        rest = &path[end..];
    }
    if let Some(query) = rest.strip_prefix('?') {
        for parameter in query.split('&').filter(|part| !part.is_empty()) {
            let Some((keyword, value)) = parameter.split_once('=') else {
                return Err(AddressError::Syntax("a parameter after ? without ="));
            };
            let (keyword, value) = (decode(keyword)?, decode(value)?);
            // JDBC's spelling, which libpq takes as well.
            if keyword == "ssl" && value == "true" {
                pairs.push(("sslmode".to_owned(), "require".to_owned()));
            } else {
                pairs.push((keyword, value));
            }
        }
    }
    Ok(pairs)
}

/// Reads `host[:port][,host[:port]…]` and gives back what follows it.
fn split_hosts<'a>(text: &'a str, pairs: &mut Pairs) -> Result<&'a str, AddressError> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    let mut rest = text;
    loop {
        let host = if let Some(inside) = rest.strip_prefix('[') {
            let Some((host, after)) = inside.split_once(']') else {
                return Err(AddressError::Syntax("an IPv6 address without its closing ]"));
            };
            rest = after;
            host
        } else {
            let end = rest.find([':', '/', '?', ',']).unwrap_or(rest.len());
            let host = &rest[..end];
            rest = &rest[end..];
            host
        };
        hosts.push(decode(host)?);
        let mut port = String::new();
        if let Some(after) = rest.strip_prefix(':') {
            let end = after.find(['/', '?', ',']).unwrap_or(after.len());
            port = decode(&after[..end])?;
            rest = &after[end..];
        }
        ports.push(port);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.is_empty() || rest.starts_with(['/', '?']) => break,
            None => return Err(AddressError::Syntax("unexpected text after the host")),
        }
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        pairs.push(("host".to_owned(), hosts.join(",")));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        pairs.push(("port".to_owned(), ports.join(",")));
    }
    Ok(rest)
}

fn push_decoded(pairs: &mut Pairs, keyword: &str, value: &str) -> Result<(), AddressError> {
    if !value.is_empty() {
        pairs.push((keyword.to_owned(), decode(value)?));
    }
    Ok(())
}

/// Percent-decoding; unlike in web forms `+` stands for itself.
fn decode(text: &str) -> Result<String, AddressError> {
    const WRONG: AddressError =
        AddressError::Syntax("a % that is not followed by two hexadecimal digits of UTF-8 text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or(WRONG);
        let value = (digit()? << 4) | digit()?;
        match u8::try_from(value) {
            Ok(value) if value != 0 => bytes.push(value),
            _ => return Err(AddressError::Syntax("%00 is not allowed")),
        }
    }
    String::from_utf8(bytes).map_err(|_| WRONG)
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
