//! Names of AWS objects as types, so that a function that takes two of them cannot be called the
//! wrong way round.
//!
//! **Invariant:** nothing here checks a name. AWS decides what a valid one is, and answers for it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the name as AWS writes it.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Debug prints the bare name: it goes into log fields, where the type adds nothing.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

ids! {
    /// A VPC, such as `vpc-0abc`.
    VpcId;
    /// A subnet, such as `subnet-0abc`.
    SubnetId;
    /// A security group, such as `sg-0abc`.
    SecurityGroupId;
    /// One rule of a security group, such as `sgr-0abc`.
    SecurityGroupRuleId;
    /// A route table, such as `rtb-0abc`.
    RouteTableId;
    /// A network interface, such as `eni-0abc`.
    NetworkInterfaceId;
    /// A managed prefix list, such as `pl-0abc`.
    PrefixListId;
    /// A VPC endpoint, such as `vpce-0abc`.
    VpcEndpointId;
    /// A Route 53 hosted zone, without the `/hostedzone/` that Route 53 puts before it.
    HostedZoneId;
    /// A change that Route 53 is spreading to its servers, without the `/change/` before it.
    ChangeId;
    /// A SageMaker domain, such as `d-abc`.
    DomainId;
    /// A Route 53 Resolver endpoint, such as `rslvr-in-0abc`.
    ResolverEndpointId;
    /// One address of a Resolver endpoint, such as `rni-0abc`.
    ResolverAddressId;
    /// A Resolver rule, such as `rslvr-rr-0abc`.
    ResolverRuleId;
    /// A Resolver rule on a VPC, such as `rslvr-rrassoc-0abc`.
    ResolverRuleAssociationId;
    /// A RAM resource share.
    ResourceShareArn;
    /// An EFS file system, such as `fs-0abc`.
    FileSystemId;
    /// A managed IAM policy.
    PolicyArn;
    /// An IAM role.
    RoleArn;
    /// An AWS account: twelve digits.
    AccountId;
    /// A Region, such as `eu-central-1`.
    Region;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_plain_string_in_json() {
        let id = VpcId::from("vpc-1");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"vpc-1\"");
        assert_eq!(serde_json::from_str::<VpcId>(&json).unwrap(), id);
    }

    #[test]
    fn an_id_prints_as_aws_writes_it() {
        let id = RoleArn::from("arn:aws:iam::123456789012:role/r");
        assert_eq!(format!("{id} {id:?}"), "arn:aws:iam::123456789012:role/r arn:aws:iam::123456789012:role/r");
    }
}
