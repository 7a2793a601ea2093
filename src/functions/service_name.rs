//! `provider::studio::service_name(service, region)`.

use super::{parameter, region, region_parameter, text, wrong};
use crate::dns::zones::{Fips, service_names};
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};

/// The whole name of an endpoint service.
pub struct ServiceName;

impl Function for ServiceName {
    fn name(&self) -> &'static str {
        "service_name"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The whole name of an endpoint service.",
            description: "The name under which EC2 knows the interface endpoint service for a key such as `studio`, `sagemaker.api` or `sts`, by the Region's partition. It is made from AWS's rules for such names; whether the service is offered in the Region, only EC2 can tell.",
            parameters: vec![
                parameter("service", Type::String, "The service's key, such as `studio` or `sagemaker.api`."),
                region_parameter(),
            ],
            result: Type::String,
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let region = region(&arguments, 1)?;
        let names = service_names(text(&arguments, 0), &region, Fips::No).map_err(|error| wrong(0, error))?;
        let name = names.first().ok_or_else(|| wrong(0, "there is no service of this key"))?;
        Ok(name.as_str().into())
    }
}
