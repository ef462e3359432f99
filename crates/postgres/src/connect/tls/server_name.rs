//! Whether a certificate is for a host.
//!
//! Source: the PostgreSQL manual, "Client Verification of Server Certificates", and
//! `pgtls_verify_peer_name_matches_certificate_guts` of libpq.

use std::net::IpAddr;

use super::certificate::Certificate;

/// True when the certificate names the host: as an alternative name, or, when it has no
/// alternative name of the host's kind, as its common name.
pub(super) fn matches(certificate: &Certificate, host: &str) -> bool {
    let names = certificate.dns_names();
    let common_name = || certificate.common_name();
    match host.parse::<IpAddr>() {
        Ok(wanted) => {
            let addresses = certificate.addresses();
            addresses.contains(&wanted)
                || names.iter().any(|name| name == host)
                || (addresses.is_empty() && common_name().is_some_and(|name| name == host))
        }
        Err(_) => {
            names.iter().any(|name| name_matches(name, host))
                || (names.is_empty() && common_name().is_some_and(|name| name_matches(&name, host)))
        }
    }
}

/// The names a reader should see in an error.
pub(super) fn presented(certificate: &Certificate) -> Vec<String> {
    let mut names = certificate.dns_names();
    names.extend(certificate.addresses().iter().map(IpAddr::to_string));
    if names.is_empty() {
        names.extend(certificate.common_name());
    }
    names
}

/// Equal but for case, or by a leading `*.` that stands for one label.
fn name_matches(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((label, rest))) => {
            !domain.is_empty() && !label.is_empty() && domain.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(name_matches("DB.example.org", "db.EXAMPLE.org"));
        assert!(name_matches("*.example.org", "db.example.org"));
        assert!(!name_matches("*.example.org", "a.db.example.org"));
        assert!(!name_matches("*.example.org", "example.org"));
        assert!(!name_matches("*.example.org", ".example.org"));
        assert!(!name_matches("d*.example.org", "db.example.org"));
        assert!(!name_matches("*.", "db."));
    }
}
