//! `provider::studio::host_names(domain_id, region)`.

use super::{parameter, region, region_parameter, text, wrong};
use crate::dns::zones::{self, DomainId};
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};

/// The host names of a domain.
pub struct HostNames;

impl Function for HostNames {
    fn name(&self) -> &'static str {
        "host_names"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The host names of a domain.",
            description: "The host names of a domain that can be told beforehand: that of its URL and of presigned URLs, and that of the web portal of the current Studio. Apps have further ones under the same parents, which `forward_zones` gives.",
            parameters: vec![
                parameter("domain_id", Type::String, "The domain's id, such as `d-abcdefghijkl`."),
                region_parameter(),
            ],
            result: Type::list(Type::String),
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let domain = DomainId::new(text(&arguments, 0)).map_err(|error| wrong(0, error))?;
        let names = zones::host_names(&domain, &region(&arguments, 1)?).map_err(|error| wrong(1, error))?;
        Ok(names.iter().map(|name| name.as_str()).collect())
    }
}
