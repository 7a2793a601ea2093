//! AWS's partitions and Regions, from the tables of AWS's SDKs.
//!
//! **Invariant:** pure, and never asked of AWS: the tables decide what is known, not what exists.

use super::ids::Region;

/// A part of AWS with accounts, names and a DNS suffix of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Its name as ARNs have it, such as `aws-cn`.
    pub name: &'static str,
    /// The end of its services' host names, such as `amazonaws.com.cn`.
    pub dns_suffix: &'static str,
    prefixes: &'static [&'static str],
    regions: &'static [&'static str],
}

impl Partition {
    /// The partition of a Region. One that no prefix fits counts as commercial.
    pub fn of(region: &Region) -> &'static Self {
        let fits = |partition: &&Self| partition.prefixes.iter().any(|prefix| region.as_str().starts_with(prefix));
        PARTITIONS.iter().find(fits).unwrap_or(&PARTITIONS[PARTITIONS.len() - 1])
    }

    /// Whether AWS's tables have the Region. They are as old as this program.
    pub fn knows(region: &Region) -> bool {
        Self::of(region).regions.contains(&region.as_str())
    }
}

/// Whether the text is shaped like a Region: words, a dash before a number at the end.
pub(super) fn is_region_shaped(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    !number.is_empty()
        && number.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words.split('-').count() >= 2
        && words.split('-').all(is_word)
}

/// The commercial partition stands last: some prefixes of others begin with one of its own.
const PARTITIONS: &[Partition] = &[
    Partition {
        name: "aws-cn",
        dns_suffix: "amazonaws.com.cn",
        prefixes: &["cn-"],
        regions: &["cn-north-1", "cn-northwest-1"],
    },
    Partition {
        name: "aws-us-gov",
        dns_suffix: "amazonaws.com",
        prefixes: &["us-gov-"],
        regions: &["us-gov-east-1", "us-gov-west-1"],
    },
    Partition {
        name: "aws-iso-b",
        dns_suffix: "sc2s.sgov.gov",
        prefixes: &["us-isob-"],
        regions: &["us-isob-east-1", "us-isob-west-1"],
    },
    Partition {
        name: "aws-iso-f",
        dns_suffix: "csp.hci.ic.gov",
        prefixes: &["us-isof-"],
        regions: &["us-isof-east-1", "us-isof-south-1"],
    },
    Partition {
        name: "aws-iso",
        dns_suffix: "c2s.ic.gov",
        prefixes: &["us-iso-"],
        regions: &["us-iso-east-1", "us-iso-west-1"],
    },
    Partition {
        name: "aws-iso-e",
        dns_suffix: "cloud.adc-e.uk",
        prefixes: &["eu-isoe-"],
        regions: &["eu-isoe-west-1"],
    },
    Partition { name: "aws-eusc", dns_suffix: "amazonaws.eu", prefixes: &["eusc-"], regions: &["eusc-de-east-1"] },
    Partition {
        name: "aws",
        dns_suffix: "amazonaws.com",
        prefixes: &["af-", "ap-", "ca-", "eu-", "il-", "me-", "mx-", "sa-", "us-east-", "us-west-"],
        regions: &[
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_belongs_to_its_partition() {
        for (region, name, suffix) in [
            ("eu-central-1", "aws", "amazonaws.com"),
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
        ] {
            let partition = Partition::of(&region.into());
            assert_eq!((partition.name, partition.dns_suffix), (name, suffix), "{region}");
        }
    }

    #[test]
    fn a_region_of_the_future_belongs_to_a_partition_and_is_not_known() {
        let region = Region::from("eu-north-9");
        assert_eq!(Partition::of(&region).name, "aws");
        assert!(!Partition::knows(&region));
        assert!(Partition::knows(&"eu-north-1".into()));
    }

    #[test]
    fn a_region_has_a_shape() {
        for good in ["eu-central-1", "us-gov-east-1", "eusc-de-east-1", "ap-southeast-12"] {
            assert!(is_region_shaped(good), "{good}");
        }
        for bad in ["", "eu", "eu-central", "eu-central-1a", "EU-central-1", "eu central-1", "eu--1", "frankfurt-1"] {
            assert!(!is_region_shaped(bad), "{bad}");
        }
    }
}
