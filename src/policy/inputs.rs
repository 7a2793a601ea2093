//! The settings of a presign policy, checked one by one.
//!
//! Each `check_…` function takes a single value, so that a plan with unknown values can still check
//! the known ones. [`super::presign::Presign::new`] checks them all together.
//!
//! **Invariant:** an error names the setting and the index at fault, as the user wrote them.

use std::fmt;

use ipnet::IpNet;

use super::variables::{BadVariable, Piece, pieces};

/// A wrong setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct InputError {
    /// Which setting.
    pub at: At,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Where in the settings. Indices count from 0, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// `domain_arns`, as a whole.
    DomainArns,
    /// One of `domain_arns`.
    DomainArn(usize),
    /// `user_profile`.
    UserProfile,
    /// `allowed`, as a whole.
    Allowed,
    /// One path of `allowed`.
    Path(usize),
    /// One list of a path.
    PathList(usize, Key),
    /// One value in a list of a path: path, list, index.
    PathValue(usize, Key, usize),
    /// One of `exempt_principal_arns`.
    ExemptPrincipalArn(usize),
    /// One of `resource_tags`, by tag key.
    ResourceTag(String),
}

/// What a path can ask of a request. Each is one list in the settings and one condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `vpc_endpoint_ids`: the endpoint that the request came through.
    SourceVpce,
    /// `vpc_ids`: the VPC that owns that endpoint. By all accounts it need not be the client's own;
    /// AWS does not spell this out.
    SourceVpc,
    /// `source_cidr_blocks`: the public address. Absent where a request comes through an endpoint.
    SourceIp,
    /// `vpc_source_cidr_blocks`: the private address, where a request comes through an endpoint.
    VpcSourceIp,
}

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No domain at all.
    #[error("name at least one domain")]
    NoDomains,
    /// Not the ARN of a domain.
    #[error(
        "\"{0}\" is not the ARN of a SageMaker domain, such as \
         arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl"
    )]
    NotDomainArn(String),
    /// An ARN of another partition than the first domain's.
    #[error("\"{arn}\" is not in the partition {expected} of the first domain")]
    OtherPartition {
        /// The ARN.
        arn: String,
        /// The partition of the first domain.
        expected: String,
    },
    /// A profile pattern that IAM could not match.
    #[error("\"{0}\" is not a user profile name, a pattern with * or ?, or a policy variable")]
    BadProfile(String),
    /// A `${` that is no variable.
    #[error(transparent)]
    BadVariable(#[from] BadVariable),
    /// No path at all.
    #[error("allow at least one path")]
    NoPaths,
    /// A path that asks nothing.
    #[error("a path must ask for an endpoint, a VPC or an address, else it allows everything")]
    EmptyPath,
    /// A list with nothing in it.
    #[error("the list is empty, so nothing could meet it; leave it out to ask nothing")]
    EmptyList,
    /// Not the id of a VPC endpoint.
    #[error("\"{0}\" is not the id of a VPC endpoint, such as vpce-0123456789abcdef0")]
    NotEndpointId(String),
    /// Not the id of a VPC.
    #[error("\"{0}\" is not the id of a VPC, such as vpc-0123456789abcdef0")]
    NotVpcId(String),
    /// Not an address range.
    #[error("\"{0}\" is not an address range in CIDR notation, such as 10.0.0.0/16")]
    NotCidr(String),
    /// An address in place of a range.
    #[error("\"{given}\" is an address inside the range {network}; write the range")]
    HostBits {
        /// What was written.
        given: String,
        /// The range that it lies in.
        network: IpNet,
    },
    /// Not the ARN of a principal.
    #[error("\"{0}\" is not the ARN of a role, a user or an account's root, or a pattern for them")]
    NotPrincipalArn(String),
    /// The ARN of a session: `aws:PrincipalArn` holds the role's.
    #[error("\"{0}\" is the ARN of a session, which never matches; give the ARN of its role")]
    SessionArn(String),
    /// A variable in an exemption.
    #[error("\"{0}\" holds a policy variable; a caller without a value for it would escape every Deny")]
    VariableInExemption(String),
    /// A tag key that AWS does not accept.
    #[error("\"{0}\" is not a tag key")]
    BadTagKey(String),
    /// A tag value that AWS does not accept.
    #[error("\"{0}\" is not a tag value")]
    BadTagValue(String),
    /// The alternatives multiply to too many statements.
    #[error(
        "these paths need more than {0} Deny statements; give each path fewer kinds of lists, or \
         split them over several policies"
    )]
    TooManyDenies(usize),
}

/// The ARN of a SageMaker domain, in parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainArn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The region.
    pub region: String,
    /// The twelve digits of the account.
    pub account: String,
    /// The domain id, `d-…`.
    pub domain_id: String,
}

impl DomainArn {
    /// The ARN of the domain's profiles that match `pattern`.
    pub fn user_profiles(&self, pattern: &str) -> String {
        let Self { partition, region, account, domain_id } = self;
        format!("arn:{partition}:sagemaker:{region}:{account}:user-profile/{domain_id}/{pattern}")
    }
}

impl Key {
    /// All keys, in the order of the settings.
    pub const ALL: [Self; 4] = [Self::SourceVpce, Self::SourceVpc, Self::SourceIp, Self::VpcSourceIp];

    /// The name of the list in the settings.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::SourceVpce => "vpc_endpoint_ids",
            Self::SourceVpc => "vpc_ids",
            Self::SourceIp => "source_cidr_blocks",
            Self::VpcSourceIp => "vpc_source_cidr_blocks",
        }
    }

    /// IAM's condition key.
    pub fn condition_key(self) -> &'static str {
        match self {
            Self::SourceVpce => "aws:SourceVpce",
            Self::SourceVpc => "aws:SourceVpc",
            Self::SourceIp => "aws:SourceIp",
            Self::VpcSourceIp => "aws:VpcSourceIp",
        }
    }

    /// Whether its values are address ranges rather than ids.
    pub fn holds_addresses(self) -> bool {
        match self {
            Self::SourceVpce | Self::SourceVpc => false,
            Self::SourceIp | Self::VpcSourceIp => true,
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DomainArns => write!(f, "domain_arns"),
            Self::DomainArn(index) => write!(f, "domain_arns[{index}]"),
            Self::UserProfile => write!(f, "user_profile"),
            Self::Allowed => write!(f, "allowed"),
            Self::Path(path) => write!(f, "allowed[{path}]"),
            Self::PathList(path, key) => write!(f, "allowed[{path}].{}", key.attribute()),
            Self::PathValue(path, key, index) => {
                write!(f, "allowed[{path}].{}[{index}]", key.attribute())
            }
            Self::ExemptPrincipalArn(index) => write!(f, "exempt_principal_arns[{index}]"),
            Self::ResourceTag(key) => write!(f, "resource_tags[\"{key}\"]"),
        }
    }
}

/// Reads the ARN of a domain, `arn:PARTITION:sagemaker:REGION:ACCOUNT:domain/d-…`.
///
/// # Errors
/// [`Problem::NotDomainArn`]. Wildcards are refused: the domains must be named.
pub fn check_domain_arn(arn: &str) -> Result<DomainArn, Problem> {
    let bad = || Problem::NotDomainArn(arn.to_owned());
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "sagemaker", region, account, resource] = parts[..] else {
        return Err(bad());
    };
    let domain_id = resource.strip_prefix("domain/").ok_or_else(bad)?;
    let id_part = domain_id.strip_prefix("d-").ok_or_else(bad)?;
    let legal = is_partition(partition)
        && is_words(region)
        && is_account(account)
        && is_words(id_part)
        && domain_id.len() <= 63;
    let own = str::to_owned;
    legal
        .then(|| DomainArn {
            partition: own(partition),
            region: own(region),
            account: own(account),
            domain_id: own(domain_id),
        })
        .ok_or_else(bad)
}

/// Checks the profile part of an ARN: a name, a pattern, or policy variables in it.
///
/// # Errors
/// [`Problem::BadProfile`], [`Problem::BadVariable`].
pub fn check_user_profile(profile: &str) -> Result<(), Problem> {
    let bad = || Problem::BadProfile(profile.to_owned());
    let pieces = pieces(profile)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "-*?".contains(c);
    let fine = pieces.iter().all(|piece| match piece {
        Piece::Text(text) => text.chars().all(legal),
        Piece::Variable { .. } => true,
        // No profile name has such a character in it.
        Piece::Escaped(_) => false,
    });
    // AWS allows profile names of up to 63 characters; a variable's length is not known here.
    let name = matches!(&pieces[..], [Piece::Text(_)]);
    if pieces.is_empty() || !fine || (name && profile.len() > 63) { Err(bad()) } else { Ok(()) }
}

/// Checks the id of a VPC endpoint or a VPC, by the key whose list it stands in.
///
/// # Errors
/// [`Problem::NotEndpointId`], [`Problem::NotVpcId`].
///
/// # Panics
/// For a key whose lists hold address ranges.
pub fn check_id(key: Key, id: &str) -> Result<(), Problem> {
    let (prefix, problem): (_, fn(String) -> Problem) = match key {
        Key::SourceVpce => ("vpce-", Problem::NotEndpointId),
        Key::SourceVpc => ("vpc-", Problem::NotVpcId),
        Key::SourceIp | Key::VpcSourceIp => panic!("{} holds addresses", key.attribute()),
    };
    let hex = |digits: &str| digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match id.strip_prefix(prefix) {
        Some(digits) if (8..=17).contains(&digits.len()) && hex(digits) => Ok(()),
        _ => Err(problem(id.to_owned())),
    }
}

/// Reads an address range. A range must start at its first address: `10.0.0.1/16` more often means
/// one address than the range around it.
///
/// # Errors
/// [`Problem::NotCidr`], [`Problem::HostBits`].
pub fn check_cidr(cidr: &str) -> Result<IpNet, Problem> {
    let net: IpNet = cidr.parse().map_err(|_| match cidr.parse::<std::net::IpAddr>() {
        Ok(address) => Problem::HostBits { given: cidr.to_owned(), network: IpNet::from(address) },
        Err(_) => Problem::NotCidr(cidr.to_owned()),
    })?;
    match net.addr() == net.network() {
        true => Ok(net),
        false => Err(Problem::HostBits { given: cidr.to_owned(), network: net.trunc() }),
    }
}

/// Checks an ARN, or a pattern of ARNs, that `aws:PrincipalArn` can match; gives its partition
/// where it names one.
///
/// # Errors
/// [`Problem::NotPrincipalArn`], [`Problem::SessionArn`], [`Problem::VariableInExemption`].
pub fn check_principal_arn(arn: &str) -> Result<Option<&str>, Problem> {
    let bad = || Problem::NotPrincipalArn(arn.to_owned());
    if arn.contains('$') {
        return Err(Problem::VariableInExemption(arn.to_owned()));
    }
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, "", account, resource] = parts[..] else { return Err(bad()) };
    let pattern = |text: &str| text.contains(['*', '?']);
    let kinds: &[&str] = match service {
        "iam" => &["role/", "user/"],
        "sts" if resource.starts_with("assumed-role/") => {
            return Err(Problem::SessionArn(arn.to_owned()));
        }
        "sts" => &["federated-user/"],
        _ => return Err(bad()),
    };
    let named = |kind: &&str| resource.strip_prefix(*kind).is_some_and(|name| !name.is_empty());
    let root = service == "iam" && resource == "root";
    let legal_resource = kinds.iter().any(named) || root || pattern(resource);
    let legal_characters = resource.chars().all(|c| c.is_ascii_graphic() && c != '"');
    let legal_partition = pattern(partition) || is_partition(partition);
    let legal_account =
        is_account(account) || (pattern(account) && account.bytes().all(|b| b.is_ascii_digit() || b"*?".contains(&b)));
    if !(legal_resource && legal_characters && legal_partition && legal_account) {
        return Err(bad());
    }
    Ok((!pattern(partition)).then_some(partition))
}

/// Checks a tag that a profile must have; the value may hold policy variables, whose keys are
/// given back where they have no default.
///
/// # Errors
/// [`Problem::BadTagKey`], [`Problem::BadTagValue`], [`Problem::BadVariable`].
pub fn check_resource_tag(key: &str, value: &str) -> Result<Vec<String>, Problem> {
    // The characters that AWS allows in tags; none of them can start a variable.
    let legal = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    if !(1..=128).contains(&key.chars().count()) || !key.chars().all(legal) {
        return Err(Problem::BadTagKey(key.to_owned()));
    }
    let mut keys = Vec::new();
    for piece in pieces(value)? {
        match piece {
            Piece::Text(text) if text.chars().count() <= 256 && text.chars().all(legal) => {}
            Piece::Variable { default: Some(_), .. } => {}
            Piece::Variable { key, default: None } => keys.push(key),
            Piece::Text(_) | Piece::Escaped(_) => {
                return Err(Problem::BadTagValue(value.to_owned()));
            }
        }
    }
    Ok(keys)
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.strip_prefix("aws-").is_some_and(is_words)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Lower-case letters and digits, with single or repeated hyphens inside.
fn is_words(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) && !text.ends_with('-')
}

#[cfg(test)]
mod tests;
