//! The hosts that a presigned URL of a domain may name.
//!
//! **Invariant:** pure.

/// The domain's own host and the portal's, under the parent of the domain's URL and under its FIPS sibling. Where the
/// domain's host has a form that is not known, it alone.
///
/// The forms are those of the domain's private hosted zones. `studio-fips.` is in the Public Suffix List for GovCloud;
/// elsewhere no such name is known, and to allow it does no harm, because it lies under the same parent.
pub fn of_domain(host: &str, id: &str) -> Vec<String> {
    let portal = format!("studio-{id}");
    let parent = [id, &portal].iter().find_map(|first| host.strip_prefix(*first)?.strip_prefix('.'));
    let Some(parent) = parent else { return vec![host.to_owned()] };
    let parents = [Some(parent.to_owned()), fips_sibling(parent)];
    let names = |parent: String| [format!("{id}.{parent}"), format!("{portal}.{parent}")];
    parents.into_iter().flatten().flat_map(names).collect()
}

/// `studio-fips.…` for `studio.…`, and the other way round.
fn fips_sibling(parent: &str) -> Option<String> {
    match parent.split_once('.')? {
        ("studio", rest) => Some(format!("studio-fips.{rest}")),
        ("studio-fips", rest) => Some(format!("studio.{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_two_names_under_each_of_two_parents() {
        let (usual, fips) = ("studio.us-gov-west-1.sagemaker.aws", "studio-fips.us-gov-west-1.sagemaker.aws");
        for parent in [usual, fips] {
            let mut found = of_domain(&format!("d-1.{parent}"), "d-1");
            found.sort();
            let mut expected: Vec<String> = [usual, fips]
                .iter()
                .flat_map(|parent| [format!("d-1.{parent}"), format!("studio-d-1.{parent}")])
                .collect();
            expected.sort();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_portals_name_leads_to_the_same() {
        let parent = "studio.cn-north-1.sagemaker.com.cn";
        assert_eq!(of_domain(&format!("studio-d-1.{parent}"), "d-1"), of_domain(&format!("d-1.{parent}"), "d-1"));
    }

    #[test]
    fn a_host_of_another_form_stands_for_itself_alone() {
        for host in ["d-12.studio.eu-west-1.sagemaker.aws", "d-1", "xd-1.studio.eu-west-1.sagemaker.aws"] {
            assert_eq!(of_domain(host, "d-1"), [host]);
        }
        assert_eq!(of_domain("d-1.example.com", "d-1"), ["d-1.example.com", "studio-d-1.example.com"]);
    }
}
