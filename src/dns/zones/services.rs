//! The names of VPC endpoint services.

use super::{Fips, Partition, Region};

/// Not a service key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a service, such as studio, sagemaker.api or sts")]
pub struct BadService(pub String);

/// Services under `aws.sagemaker.REGION.…`, in China as elsewhere; inferred for the iso
/// partitions and the Sovereign Cloud.
const SAGEMAKER_OWN: [&str; 4] = ["studio", "notebook", "experiments", "partner-app"];

/// Services that bear the partition's own prefix in China, as far as a Studio user meets them.
const CHINA: [&str; 24] = [
    "application-autoscaling",
    "athena",
    "cassandra",
    "cloudformation",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "elasticfilesystem",
    "execute-api",
    "lambda",
    "monitoring",
    "rds",
    "redshift",
    "redshift-data",
    "s3",
    "sagemaker.api",
    "sagemaker.featurestore-runtime",
    "sagemaker.runtime",
    "servicecatalog",
    "sqs",
    "states",
    "sts",
    "transcribe",
    "xray",
];

/// The same for `us-iso` and `us-isob`.
const ISO: [&str; 11] = [
    "application-autoscaling",
    "autoscaling",
    "ebs",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "elasticfilesystem",
    "execute-api",
    "sagemaker.api",
    "sagemaker.runtime",
    "sqs",
];

/// The same for the partitions that few services do it in.
const FEW: [&str; 4] = ["ecr.api", "ecr.dkr", "execute-api", "securityhub"];

/// What the endpoint service of a key may be called, the likeliest first: FIPS forms before usual
/// ones if asked for. Which of them exists, in which zones and with which private names, only EC2
/// can say; ask it for all of them and take the first that is there.
///
/// The names follow the tables of the AWS CDK.
///
/// # Errors
/// [`BadService`] for a key that is no service name's suffix.
pub fn service_names(key: &str, region: &Region, fips: Fips) -> Result<Vec<String>, BadService> {
    if !is_key(key) {
        return Err(BadService(key.to_owned()));
    }
    let keys = match fips {
        Fips::No => vec![key.to_owned()],
        Fips::Yes if key.ends_with("-fips") => vec![key.to_owned()],
        Fips::Yes => vec![format!("{key}-fips"), key.to_owned()],
    };
    Ok(keys.iter().flat_map(|key| names_of(key, region)).collect())
}

fn names_of(key: &str, region: &Region) -> Vec<String> {
    let usual = key.strip_suffix("-fips").unwrap_or(key);
    if SAGEMAKER_OWN.contains(&usual) {
        return vec![format!("aws.sagemaker.{region}.{key}")];
    }
    // China's transcribe has a suffix of its own.
    let tail = match (region.partition(), key) {
        (Partition::AwsCn, "transcribe") => ".cn",
        _ => "",
    };
    let name = |prefix: &str| format!("{prefix}.{region}.{key}{tail}");
    match own_prefix(region.partition()) {
        None => vec![name("com.amazonaws")],
        Some((own, services)) if services.contains(&usual) => {
            vec![name(own), name("com.amazonaws")]
        }
        Some((own, _)) => vec![name("com.amazonaws"), name(own)],
    }
}

/// The prefix that a partition has beside `com.amazonaws`, and the services known to bear it.
fn own_prefix(partition: Partition) -> Option<(&'static str, &'static [&'static str])> {
    match partition {
        Partition::Aws | Partition::AwsUsGov => None,
        Partition::AwsCn => Some(("cn.com.amazonaws", &CHINA)),
        Partition::AwsEusc => Some(("eu.amazonaws", &FEW)),
        Partition::AwsIso => Some(("gov.ic.c2s", &ISO)),
        Partition::AwsIsoB => Some(("gov.sgov.sc2s", &ISO)),
        Partition::AwsIsoE => Some(("uk.adc-e.cloud", &FEW)),
        Partition::AwsIsoF => Some(("gov.ic.hci.csp", &FEW)),
    }
}

fn is_key(key: &str) -> bool {
    let label =
        |part: &str| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    // A whole service name would get a second prefix.
    let whole = ["com.amazonaws.", "cn.com.amazonaws.", "aws.sagemaker."];
    key.split('.').all(label) && !whole.iter().any(|prefix| key.starts_with(prefix))
}
