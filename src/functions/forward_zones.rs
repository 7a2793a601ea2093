//! `provider::studio::forward_zones(region)`.

use super::{region, region_parameter, wrong};
use crate::dns::zones::{Fips, studio_parents};
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};

/// The parents of Studio's host names in a Region.
pub struct ForwardZones;

impl Function for ForwardZones {
    fn name(&self) -> &'static str {
        "forward_zones"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The zones that a corporate DNS must forward.",
            description: "The parents of Studio's host names in a Region, without trailing dots. Apps have host names under them that cannot be told beforehand, so the parents are forwarded whole.",
            parameters: vec![region_parameter()],
            result: Type::list(Type::String),
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let parents = studio_parents(&region(&arguments, 0)?, Fips::No).map_err(|error| wrong(0, error))?;
        Ok(parents.iter().map(|zone| zone.as_str()).collect())
    }
}
