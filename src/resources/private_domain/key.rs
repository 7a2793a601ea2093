//! The parts that a private domain has, by name.
//!
//! **Invariant:** pure.

use serde::{Deserialize, Serialize};

/// The service whose endpoint the hosted zones point at.
pub const STUDIO: &str = "studio";

/// The services that presigned URLs are used and made through.
pub const ACCESS: [&str; 2] = [STUDIO, "sagemaker.api"];

/// The one service that has gateways beside interface endpoints.
pub const S3: &str = "s3";

/// The key of the S3 gateway endpoint, beside the services' own.
pub const GATEWAY: &str = "s3_gateway";

/// Names one part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The security group of the domain's apps.
    DomainGroup,
    /// The security group of the endpoints.
    EndpointGroup,
    /// The domain, be it made or adopted.
    Domain,
    /// The endpoint that is made for a service.
    Endpoint(String),
    /// The endpoint that is adopted for a service.
    Adopted(String),
    /// The gateway endpoint for S3.
    Gateway,
    /// A user profile, by name.
    Profile(String),
    /// What users have made in the domain, and what keeps it from being deleted. It is never recorded.
    Contents,
    /// The two security groups that SageMaker leaves behind when it deletes a domain's file system. They are never made
    /// here.
    NfsGroups,
    /// A hosted zone.
    Zone(Slot),
}

/// What a hosted zone is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Slot {
    /// `d-….studio.…`: the domain's URL, Studio Classic, and the target of presigned URLs.
    Domain,
    /// `studio-d-….studio.…`: the web portal of the current Studio.
    Portal,
    /// The first under the FIPS parent.
    DomainFips,
    /// The second under the FIPS parent.
    PortalFips,
    /// A parent of Studio's names, by name.
    Parent(String),
    /// A zone that is adopted, by name.
    Existing(String),
}

impl Slot {
    /// The zones of a domain's own names.
    pub const HOSTS: [Slot; 4] = [Slot::Domain, Slot::Portal, Slot::DomainFips, Slot::PortalFips];

    /// Whether the zone is named by the domain's id.
    pub fn is_host(&self) -> bool {
        Slot::HOSTS.contains(self)
    }
}

impl Key {
    /// Whether this part is made after the other, where both are made, and deleted before it.
    ///
    /// An adopted domain is there before anything; the endpoints' group then lets its apps in.
    pub fn leans_on(&self, other: &Key, adopts_domain: bool) -> bool {
        match self {
            Key::DomainGroup | Key::Adopted(_) | Key::Gateway => false,
            Key::EndpointGroup if adopts_domain => matches!(other, Key::Domain),
            Key::EndpointGroup => matches!(other, Key::DomainGroup),
            Key::Domain => matches!(other, Key::DomainGroup | Key::NfsGroups),
            // The domain's group has the mark of the destruction, and goes last.
            Key::NfsGroups => matches!(other, Key::DomainGroup),
            // Private DNS for inbound resolvers alone needs the gateway for everybody else.
            Key::Endpoint(service) if service == S3 => matches!(other, Key::EndpointGroup | Key::Gateway),
            Key::Endpoint(_) => matches!(other, Key::EndpointGroup),
            Key::Profile(_) => matches!(other, Key::Domain),
            Key::Contents => matches!(other, Key::Domain | Key::Profile(_)),
            Key::Zone(slot) => match other {
                Key::Endpoint(service) | Key::Adopted(service) => service == STUDIO,
                Key::Domain => !matches!(slot, Slot::Parent(_)),
                _ => false,
            },
        }
    }

    /// In words, for messages.
    pub fn name(&self) -> String {
        match self {
            Key::DomainGroup => "security group of the domain".to_owned(),
            Key::EndpointGroup => "security group of the endpoints".to_owned(),
            Key::Domain => "domain".to_owned(),
            Key::Endpoint(service) => format!("VPC endpoint for {service}"),
            Key::Adopted(service) => format!("adopted VPC endpoint for {service}"),
            Key::Gateway => "gateway endpoint for S3".to_owned(),
            Key::Profile(name) => format!("user profile {name}"),
            Key::Contents => "apps and spaces of the domain".to_owned(),
            Key::NfsGroups => "pair of NFS groups of the file system".to_owned(),
            Key::Zone(Slot::Domain) => "hosted zone of the domain".to_owned(),
            Key::Zone(Slot::Portal) => "hosted zone of the web portal".to_owned(),
            Key::Zone(Slot::DomainFips) => "hosted zone of the domain's FIPS name".to_owned(),
            Key::Zone(Slot::PortalFips) => "hosted zone of the web portal's FIPS name".to_owned(),
            Key::Zone(Slot::Parent(name)) => format!("hosted zone {name}"),
            Key::Zone(Slot::Existing(name)) => format!("adopted hosted zone {name}"),
        }
    }

    /// The value of the tag that says which part of its owner something is.
    pub fn part(&self) -> String {
        match self {
            Key::DomainGroup => "domain-group".to_owned(),
            Key::EndpointGroup => "endpoint-group".to_owned(),
            Key::Domain => "domain".to_owned(),
            Key::Endpoint(service) => format!("endpoint/{service}"),
            Key::Adopted(service) => format!("adopted/{service}"),
            Key::Gateway => "gateway".to_owned(),
            Key::Profile(name) => format!("profile/{name}"),
            Key::Contents => "contents".to_owned(),
            Key::NfsGroups => "nfs-groups".to_owned(),
            Key::Zone(slot) => format!("zone/{}", String::from(slot.clone())),
        }
    }

    /// The part that such a tag names.
    pub fn from_part(part: &str) -> Option<Key> {
        match part {
            "domain-group" => Some(Key::DomainGroup),
            "endpoint-group" => Some(Key::EndpointGroup),
            "domain" => Some(Key::Domain),
            "gateway" => Some(Key::Gateway),
            _ => match part.split_once('/')? {
                ("endpoint", service) => Some(Key::Endpoint(service.to_owned())),
                ("profile", name) => Some(Key::Profile(name.to_owned())),
                ("zone", slot) => Slot::try_from(slot.to_owned()).ok().map(Key::Zone),
                _ => None,
            },
        }
    }
}

impl From<Slot> for String {
    fn from(slot: Slot) -> String {
        match slot {
            Slot::Domain => "domain".to_owned(),
            Slot::Portal => "portal".to_owned(),
            Slot::DomainFips => "domain-fips".to_owned(),
            Slot::PortalFips => "portal-fips".to_owned(),
            Slot::Parent(name) => format!("parent/{name}"),
            Slot::Existing(name) => format!("existing/{name}"),
        }
    }
}

impl TryFrom<String> for Slot {
    type Error = String;

    fn try_from(text: String) -> Result<Slot, String> {
        match text.as_str() {
            "domain" => Ok(Slot::Domain),
            "portal" => Ok(Slot::Portal),
            "domain-fips" => Ok(Slot::DomainFips),
            "portal-fips" => Ok(Slot::PortalFips),
            _ => match text.split_once('/') {
                Some(("parent", name)) => Ok(Slot::Parent(name.to_owned())),
                Some(("existing", name)) => Ok(Slot::Existing(name.to_owned())),
                _ => Err(format!("{text:?} names no hosted zone")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_a_part_names_the_part() {
        let zones = Slot::HOSTS.into_iter().chain([Slot::Parent("studio.eu-west-1.sagemaker.aws".to_owned())]);
        let parts = [Key::DomainGroup, Key::EndpointGroup, Key::Domain, Key::Gateway]
            .into_iter()
            .chain([Key::Endpoint("sts".to_owned()), Key::Profile("a".to_owned())])
            .chain(zones.map(Key::Zone));
        for key in parts {
            assert_eq!(Key::from_part(&key.part()), Some(key.clone()), "{key:?}");
        }
    }

    #[test]
    fn what_is_adopted_carries_no_tag_of_ours() {
        assert_eq!(Key::from_part("adopted/studio"), None);
        assert_eq!(Key::from_part("contents"), None);
        assert_eq!(Key::from_part("nfs-groups"), None);
    }
}
