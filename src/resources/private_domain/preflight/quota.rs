//! Whether the hosted zones that are going to be made still fit into the account.
//!
//! **Invariant:** pure.

use crate::aws::route53::limits::Quota;
use crate::framework::{Diagnostic, Path};

/// An error where they do not fit, a warning where hardly any are left afterwards: fewer than five, or than two in a
/// hundred.
pub fn check(quota: Quota, wanted: usize) -> Option<Diagnostic> {
    let Quota { limit, used } = quota;
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let path = Path::root("hosted_zone");
    let state = format!("The account has {used} hosted zones, and may have {limit}. {wanted} more are to be made");
    let Some(left) = limit.checked_sub(used.saturating_add(wanted)) else {
        let text = format!(
            "{state}. Ask AWS for a higher quota of hosted zones, delete zones that are of no use any more, adopt zones with hosted_zone.existing_zone_ids, or set hosted_zone.mode to \"none\"."
        );
        return Some(Diagnostic::error("The quota of hosted zones is used up", text).at(path));
    };
    let is_low = left < (limit / 50).max(5);
    let text = format!(
        "{state}, which leaves {left}. Each further domain needs its own. Ask AWS for a higher quota of hosted zones in time."
    );
    is_low.then(|| Diagnostic::warning("The quota of hosted zones is nearly used up", text).at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Severity;

    fn severity(limit: u64, used: u64, wanted: usize) -> Option<Severity> {
        check(Quota { limit, used }, wanted).map(|found| found.severity)
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_what_just_fits_a_warning() {
        assert_eq!(severity(500, 499, 2), Some(Severity::Error));
        assert_eq!(severity(500, 500, 1), Some(Severity::Error));
        assert_eq!(severity(500, 498, 2), Some(Severity::Warning));
    }

    #[test]
    fn two_in_a_hundred_or_five_have_to_be_left() {
        assert_eq!(severity(500, 489, 2), Some(Severity::Warning));
        assert_eq!(severity(500, 488, 2), None);
        assert_eq!(severity(20, 14, 2), Some(Severity::Warning));
        assert_eq!(severity(20, 13, 2), None);
    }

    #[test]
    fn the_numbers_are_told() {
        let text = check(Quota { limit: 500, used: 499 }, 2).unwrap().detail;
        assert!(
            text.starts_with("The account has 499 hosted zones, and may have 500. 2 more are to be made."),
            "{text}"
        );
    }
}
