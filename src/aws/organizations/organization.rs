//! The organization that the account belongs to.

use crate::aws::error::{Call, Service};
use crate::aws::{AwsError, Clients};

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id: `o-…`.
    pub id: String,
    /// Its ARN, which names its management account.
    pub arn: String,
}

impl Organization {
    /// The ARN of one of its units. That there is such a unit is not known by it.
    pub fn unit_arn(&self, unit: &str) -> String {
        format!("{}/{unit}", self.arn.replacen(":organization/", ":ou/", 1))
    }
}

/// Looks up the organization that the account belongs to; any of its accounts may ask. `None`: to none.
///
/// # Errors
/// Whatever Organizations refuses, such as `AccessDenied`.
pub async fn find_organization(clients: &Clients) -> Result<Option<Organization>, AwsError> {
    let call = Call::new(Service::Organizations, "DescribeOrganization", "the organization of the account");
    match clients.organizations().describe_organization().send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => {
            let found = answer.organization().and_then(|one| Some((one.id()?, one.arn()?)));
            let (id, arn) = found.ok_or_else(|| call.lacks("organization"))?;
            Ok(Some(Organization { id: id.to_owned(), arn: arn.to_owned() }))
        }
        Err(error) if error.has_code("AWSOrganizationsNotInUseException") => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_the_management_account_of_its_organization() {
        let arn = "arn:aws-us-gov:organizations::111111111111:organization/o-abc".to_owned();
        let organization = Organization { id: "o-abc".to_owned(), arn };
        assert_eq!(organization.unit_arn("ou-1-2"), "arn:aws-us-gov:organizations::111111111111:ou/o-abc/ou-1-2");
    }
}
