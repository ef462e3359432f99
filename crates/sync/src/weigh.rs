//! Whether copying everything again is cheaper than applying what changed.

use lakefront_lake::ChangePlan;
use lakefront_model::{FullRefreshThreshold, SyncedTableSpec};

/// The default threshold, as measured: docs/design/incremental-refresh.md.
const DEFAULT: FullRefreshThreshold = FullRefreshThreshold::Percent(200);
/// Smaller tables are refreshed in a moment either way, and an incremental refresh says which rows changed.
const LEAST_ROWS: u64 = 100_000;

/// Why the changes of a copy of so many rows are better not applied one by one; None when they are. Rows that earlier parts
/// of the same refresh replaced count as well. New rows do not: a full refresh copies them just as well, and the old ones
/// besides.
pub(crate) fn full_is_cheaper(
    changes: &ChangePlan,
    replaced_before: u64,
    rows: Option<i64>,
    spec: &SyncedTableSpec,
) -> Option<String> {
    let rows = u64::try_from(rows?).ok()?;
    exceeded(
        changes.replaced_rows?.saturating_add(replaced_before),
        rows,
        spec.full_refresh_threshold.unwrap_or(DEFAULT),
    )
}

fn exceeded(replaced: u64, rows: u64, threshold: FullRefreshThreshold) -> Option<String> {
    let FullRefreshThreshold::Percent(threshold) = threshold else { return None };
    if rows < LEAST_ROWS {
        return None;
    }
    let share = replaced.saturating_mul(100) / rows;
    (share > u64::from(threshold))
        .then(|| format!("the changes are {share} % of the table (threshold {threshold} %)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_tables_are_copied_from_the_threshold_on() {
        let percent = FullRefreshThreshold::Percent;
        assert_eq!(exceeded(600_000, 1_000_000, percent(60)), None);
        assert_eq!(
            exceeded(834_000, 1_000_000, percent(60)).as_deref(),
            Some("the changes are 83 % of the table (threshold 60 %)")
        );
        assert_eq!(
            exceeded(2_500_000, 1_000_000, percent(200)).as_deref(),
            Some("the changes are 250 % of the table (threshold 200 %)")
        );
        assert_eq!(exceeded(u64::MAX, 1_000_000, FullRefreshThreshold::Never), None);
    }

    #[test]
    fn small_tables_tell_which_rows_changed() {
        assert_eq!(exceeded(99_999, 99_999, FullRefreshThreshold::Percent(1)), None);
        assert!(exceeded(100_000, 100_000, FullRefreshThreshold::Percent(1)).is_some());
    }
}
