//! Provider-defined functions: thin over `dns` and `policy`, and usable without credentials or configuration.
//!
//! **Invariant:** pure. A function gives the same for the same arguments, at plan and at apply.

mod forward_zones;
mod forwarder_config;
mod host_names;
mod presign_decision;
mod service_name;

use crate::dns::zones::Region;
use crate::framework::{Dynamic, Function, FunctionError, Parameter, Type};

/// All functions.
pub fn all() -> Vec<Box<dyn Function>> {
    vec![
        Box::new(forward_zones::ForwardZones),
        Box::new(forwarder_config::ForwarderConfig),
        Box::new(host_names::HostNames),
        Box::new(presign_decision::PresignDecision),
        Box::new(service_name::ServiceName),
    ]
}

fn parameter(name: &'static str, of: Type, description: &'static str) -> Parameter {
    Parameter { name, of, description }
}

fn region_parameter() -> Parameter {
    parameter("region", Type::String, "The Region, such as `eu-central-1`.")
}

/// An argument that the signature says is a string.
fn text(arguments: &[Dynamic], index: usize) -> &str {
    arguments.get(index).and_then(Dynamic::as_str).unwrap_or_default()
}

/// An argument that the signature says is a list of strings.
fn texts(arguments: &[Dynamic], index: usize) -> Vec<&str> {
    arguments.get(index).and_then(Dynamic::as_list).into_iter().flatten().filter_map(Dynamic::as_str).collect()
}

fn wrong(argument: i64, error: impl std::fmt::Display) -> FunctionError {
    FunctionError { argument: Some(argument), text: error.to_string() }
}

fn region(arguments: &[Dynamic], index: usize) -> Result<Region, FunctionError> {
    Region::new(text(arguments, index)).map_err(|error| wrong(index as i64, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::codec::to_json;
    use serde_json::json;

    fn call(name: &str, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        all().into_iter().find(|function| function.name() == name).unwrap().call(arguments)
    }

    fn check(name: &str, arguments: Vec<Dynamic>, expected: serde_json::Value) {
        assert_eq!(to_json(&call(name, arguments).unwrap()), expected, "{name}");
    }

    #[test]
    fn names_follow_the_region_and_its_partition() {
        let hosts =
            json!(["d-abc.studio.eu-central-1.sagemaker.aws", "studio-d-abc.studio.eu-central-1.sagemaker.aws"]);
        check("host_names", vec!["d-abc".into(), "eu-central-1".into()], hosts);
        check("forward_zones", vec!["cn-north-1".into()], json!(["studio.cn-north-1.sagemaker.com.cn"]));
        check("service_name", vec!["studio".into(), "eu-central-1".into()], json!("aws.sagemaker.eu-central-1.studio"));
        let runtime = json!("cn.com.amazonaws.cn-north-1.sagemaker.runtime");
        check("service_name", vec!["sagemaker.runtime".into(), "cn-north-1".into()], runtime);
    }

    #[test]
    fn the_argument_at_fault_is_named() {
        let at = |name: &str, arguments| call(name, arguments).unwrap_err().argument;
        assert_eq!(at("host_names", vec!["x".into(), "eu-central-1".into()]), Some(0));
        assert_eq!(at("host_names", vec!["d-abc".into(), "nowhere".into()]), Some(1));
        let zones: Dynamic = ["*.studio.eu-central-1.sagemaker.aws"].into_iter().collect();
        let ips: Dynamic = ["10.0.0.4"].into_iter().collect();
        let none: Dynamic = Vec::<&str>::new().into_iter().collect();
        let good: Dynamic = ["studio.eu-central-1.sagemaker.aws"].into_iter().collect();
        assert_eq!(at("forwarder_config", vec!["named".into(), good.clone(), ips.clone()]), Some(0));
        assert_eq!(at("forwarder_config", vec!["bind".into(), zones, ips]), Some(1));
        assert_eq!(at("forwarder_config", vec!["bind".into(), good, none]), Some(2));
    }
}
