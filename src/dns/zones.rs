//! Which names belong to Studio in a region: zones to forward, host names, endpoint services.
//!
//! Names that AWS publishes are stated as such; those that were only inferred or seen are marked
//! where they stand. Where AWS can be asked (the services and the private names of an endpoint),
//! ask: what stands here is what to ask for, and what to plan with.
//!
//! **Invariant:** no name is made up for a partition whose Studio names are not known.

mod services;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::services::{BadService, service_names};
use super::name::{NameError, ZoneName};

/// An AWS region, known by its name's form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    name: String,
    partition: Partition,
}

/// A partition: regions with names, accounts and endpoints of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// GovCloud (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// `us-iso-…`.
    AwsIso,
    /// `us-isob-…`.
    AwsIsoB,
    /// `eu-isoe-…`.
    AwsIsoE,
    /// `us-isof-…`.
    AwsIsoF,
}

/// Whether FIPS endpoints are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fips {
    /// The usual endpoints.
    #[default]
    No,
    /// FIPS endpoints, where they exist.
    Yes,
}

/// The id of a SageMaker domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(String);

/// Why names cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZonesError {
    /// Not a region's name.
    #[error("\"{0}\" is not the name of an AWS region, such as us-east-1")]
    NotARegion(String),
    /// Not a domain id.
    #[error("\"{0}\" is not the id of a SageMaker domain, such as d-abcdefghijkl")]
    NotADomainId(String),
    /// Studio's names there are not public.
    #[error("Studio's host names in the partition {0} are not known; name the zones yourself")]
    UnknownNames(Partition),
}

/// How a zone lies to the names that must be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It is one of them or lies below one.
    Within,
    /// It lies above these, and takes names of others with it.
    Swallows(Vec<ZoneName>),
    /// It has nothing to do with them.
    Elsewhere,
}

impl Region {
    /// Reads a region's name. New regions are known by their form alone, as the SDKs know them.
    ///
    /// # Errors
    /// [`ZonesError::NotARegion`].
    pub fn new(name: &str) -> Result<Self, ZonesError> {
        let bad = || ZonesError::NotARegion(name.to_owned());
        let parts: Vec<_> = name.split('-').collect();
        let (partition, place) = match parts[..] {
            ["us", "gov", ref place @ ..] => (Partition::AwsUsGov, place),
            ["us", "iso", ref place @ ..] => (Partition::AwsIso, place),
            ["us", "isob", ref place @ ..] => (Partition::AwsIsoB, place),
            ["eu", "isoe", ref place @ ..] => (Partition::AwsIsoE, place),
            ["us", "isof", ref place @ ..] => (Partition::AwsIsoF, place),
            ["eusc", "de", ref place @ ..] => (Partition::AwsEusc, place),
            ["cn", ref place @ ..] => (Partition::AwsCn, place),
            [area, ref place @ ..] if area.len() == 2 => (Partition::Aws, place),
            _ => return Err(bad()),
        };
        let [direction, number] = place else { return Err(bad()) };
        let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        match letters(parts[0]) && letters(direction) && digits {
            true => Ok(Self { name: name.to_owned(), partition }),
            false => Err(bad()),
        }
    }

    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The partition that it belongs to.
    pub fn partition(&self) -> Partition {
        self.partition
    }
}

impl Partition {
    /// The partition's name, as in ARNs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
        }
    }

    /// The suffix of its API endpoints, from the SDKs' endpoint data.
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsEusc => "amazonaws.eu",
            Self::AwsIso => "c2s.ic.gov",
            Self::AwsIsoB => "sc2s.sgov.gov",
            Self::AwsIsoE => "cloud.adc-e.uk",
            Self::AwsIsoF => "csp.hci.ic.gov",
        }
    }

    /// The suffix of its dual-stack API endpoints, from the SDKs' endpoint data.
    pub fn dual_stack_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "api.aws",
            Self::AwsCn => "api.amazonwebservices.com.cn",
            Self::AwsEusc => "api.amazonwebservices.eu",
            Self::AwsIso => "api.aws.ic.gov",
            Self::AwsIsoB => "api.aws.scloud",
            Self::AwsIsoE => "api.cloud-aws.adc-e.uk",
            Self::AwsIsoF => "api.aws.hci.ic.gov",
        }
    }
}

impl DomainId {
    /// Reads a domain id.
    ///
    /// # Errors
    /// [`ZonesError::NotADomainId`], also for an id of more than 56 characters. The API would allow
    /// 63, but `studio-<id>` has to be a DNS label; ids have 14 in practice.
    pub fn new(id: &str) -> Result<Self, ZonesError> {
        let legal = |part: &str| {
            let bytes = || part.bytes();
            !part.is_empty() && !part.ends_with('-') && bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        match id.strip_prefix("d-") {
            Some(part) if legal(part) && id.len() <= 56 => Ok(Self(id.to_owned())),
            _ => Err(ZonesError::NotADomainId(id.to_owned())),
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parents under which all of Studio lives in a region: portal, domains, and every app under a
/// random name of its own, which is why no zone for one domain covers them. These are the zones to
/// forward.
///
/// # Errors
/// [`ZonesError::UnknownNames`] where the partition's names are not known.
pub fn studio_parents(region: &Region, fips: Fips) -> Result<Vec<ZoneName>, ZonesError> {
    let mut parents = vec![first_parent(region)?];
    let name = region.as_str();
    match (region.partition(), fips) {
        (Partition::AwsUsGov, Fips::Yes) => {
            // In the Public Suffix List for both GovCloud regions.
            parents.push(known(format!("studio-fips.{name}.sagemaker.aws")));
        }
        // No other partition has a FIPS parent in that list.
        (_, Fips::Yes | Fips::No) => {}
    }
    match region.partition() {
        // Newer apps. Seen in two commercial regions, where it is also among the endpoint's private
        // names; inferred for the others and for GovCloud. Forwarding a parent that is not in use
        // does no harm.
        Partition::Aws | Partition::AwsUsGov => {
            parents.push(known(format!("studio.sagemaker.{name}.app.aws")));
        }
        // Not seen in China.
        Partition::AwsCn => {}
        Partition::AwsEusc | Partition::AwsIso | Partition::AwsIsoB | Partition::AwsIsoE | Partition::AwsIsoF => {}
    }
    Ok(parents)
}

/// The parents that an endpoint of the studio service really serves, from its private names: those of the Region first,
/// in their order. Where nothing is known of it, the Region's own.
///
/// A parent shows as a name with the same name under a wildcard, `studio.…` and `*.studio.…`.
pub fn served_parents(private_names: &[String], region: &Region, fips: Fips) -> Vec<ZoneName> {
    let known = studio_parents(region, fips).unwrap_or_default();
    let plain = private_names.iter().filter(|name| !name.starts_with("*."));
    let mut served: Vec<ZoneName> = plain.filter_map(|name| ZoneName::parse(name).ok()).collect();
    if served.is_empty() {
        return known;
    }
    let place = |zone: &ZoneName| known.iter().position(|parent| parent == zone).unwrap_or(known.len());
    served.sort_by(|one, other| place(one).cmp(&place(other)).then_with(|| one.cmp(other)));
    served.dedup();
    served
}

/// The host names of a domain: its URL's and the portal's. Its apps have further, random names.
///
/// # Errors
/// [`ZonesError::UnknownNames`] where the partition's names are not known.
pub fn host_names(domain: &DomainId, region: &Region) -> Result<Vec<ZoneName>, ZonesError> {
    let parent = first_parent(region)?;
    let id = domain.as_str();
    Ok(vec![known(format!("{id}.{parent}")), known(format!("studio-{id}.{parent}"))])
}

/// The zones of the SageMaker API and runtime, in their usual and dual-stack forms. The labels stand
/// the other way round than in the name of the endpoint's service.
///
/// The FIPS forms follow the SDKs' endpoint rules, which give them for any region; AWS runs them in
/// some regions only.
pub fn api_zones(region: &Region, fips: Fips) -> Vec<ZoneName> {
    let (name, partition) = (region.as_str(), region.partition());
    let (suffix, dual_stack) = (partition.dns_suffix(), partition.dual_stack_suffix());
    let mut zones = Vec::new();
    for api in ["api", "runtime"] {
        zones.push(known(format!("{api}.sagemaker.{name}.{suffix}")));
        zones.push(known(format!("{api}.sagemaker.{name}.{dual_stack}")));
        if fips == Fips::Yes {
            zones.extend(fips_zone(api, region));
            zones.push(known(format!("{api}.sagemaker-fips.{name}.{dual_stack}")));
        }
    }
    zones
}

/// How `zone` lies to everything of Studio's in a region. Worth a warning where it swallows more:
/// forwarding `sagemaker.aws` or `amazonaws.com` sends other services' names to the VPC as well.
pub fn reach(zone: &ZoneName, region: &Region) -> Reach {
    // A partition without known parents still has its API names.
    let mut names = studio_parents(region, Fips::Yes).unwrap_or_default();
    names.extend(api_zones(region, Fips::Yes));
    if names.iter().any(|name| name.covers(zone)) {
        return Reach::Within;
    }
    names.retain(|name| zone.covers(name));
    match names.is_empty() {
        true => Reach::Elsewhere,
        false => Reach::Swallows(names),
    }
}

/// The parent of domain URLs, from the Public Suffix List.
fn first_parent(region: &Region) -> Result<ZoneName, ZonesError> {
    let name = region.as_str();
    match region.partition() {
        Partition::Aws | Partition::AwsUsGov => Ok(known(format!("studio.{name}.sagemaker.aws"))),
        Partition::AwsCn => Ok(known(format!("studio.{name}.sagemaker.com.cn"))),
        Partition::AwsEusc | Partition::AwsIso | Partition::AwsIsoB | Partition::AwsIsoE | Partition::AwsIsoF => {
            Err(ZonesError::UnknownNames(region.partition()))
        }
    }
}

/// The FIPS form with the usual suffix. The SDKs put the `fips` in another place outside the
/// commercial regions, and GovCloud's usual runtime name is the FIPS one too.
fn fips_zone(api: &str, region: &Region) -> Option<ZoneName> {
    let (name, suffix) = (region.as_str(), region.partition().dns_suffix());
    match (region.partition(), api) {
        (Partition::AwsUsGov, "runtime") => None,
        (Partition::Aws | Partition::AwsUsGov, _) => Some(known(format!("{api}-fips.sagemaker.{name}.{suffix}"))),
        _ => Some(known(format!("{api}.sagemaker-fips.{name}.{suffix}"))),
    }
}

/// A name put together from checked parts.
fn known(name: String) -> ZoneName {
    let checked: Result<ZoneName, NameError> = ZoneName::parse(&name);
    checked.expect("regions, domain ids and suffixes are made of legal labels")
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
