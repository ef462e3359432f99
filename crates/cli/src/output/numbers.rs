//! Numbers for people.

/// 44424 → `44,424`.
pub fn count(n: impl TryInto<i128>) -> String {
    let n = n.try_into().unwrap_or(i128::MAX);
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What became of rows: `1,200 inserted, 3 updated, 0 deleted`.
pub fn changed(inserted: i64, updated: i64, deleted: i64) -> String {
    format!("{} inserted, {} updated, {} deleted", count(inserted), count(updated), count(deleted))
}

/// Bytes in binary units: `1.5 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {name}") }
}

/// Seconds: `0.42 s`, `12.3 s`, `2 min 5 s`, `3 h 2 min`.
pub fn seconds(s: f64) -> String {
    let whole = s.round() as u64;
    match s {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 90.0 => format!("{s:.1} s"),
        s if s < 5400.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0u64), "0");
        assert_eq!(count(999u64), "999");
        assert_eq!(count(44_424i64), "44,424");
        assert_eq!(count(-1_234_567i64), "-1,234,567");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(seconds(0.421), "0.42 s");
        assert_eq!(seconds(125.0), "2 min 5 s");
    }
}
