//! `provider::studio::forwarder_config(kind, zones, ips)`.

use super::{parameter, text, texts, wrong};
use crate::dns::address::parse_address;
use crate::dns::name::ZoneName;
use crate::dns::render::{Forwarding, Kind, RenderError, render};
use crate::framework::{Dynamic, Function, FunctionError, Signature, Type};

/// Forwarder configuration without a resource.
pub struct ForwarderConfig;

impl Function for ForwarderConfig {
    fn name(&self) -> &'static str {
        "forwarder_config"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Forwarder configuration for a DNS server.",
            description: "The same text as `forwarder_configs` of `studio_dns_forwarding`, for zones and addresses of your own choice. It forwards only, fails closed, and says in its first line where it goes.",
            parameters: vec![
                parameter("kind", Type::String, "`bind`, `bind_options` or `unbound`."),
                parameter("zones", Type::list(Type::String), "The zones to forward, such as those of `forward_zones`."),
                parameter(
                    "ips",
                    Type::list(Type::String),
                    "The addresses to forward to, such as the `inbound_ips` of `studio_dns_forwarding`.",
                ),
            ],
            result: Type::String,
        }
    }

    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError> {
        let kind: Kind = text(&arguments, 0).parse().map_err(|error| wrong(0, error))?;
        let zones = texts(&arguments, 1).into_iter().map(ZoneName::parse).collect::<Result<Vec<_>, _>>();
        let zones = zones.map_err(|error| wrong(1, error))?;
        let ips = texts(&arguments, 2).into_iter().map(parse_address).collect::<Result<Vec<_>, _>>();
        let ips = ips.map_err(|error| wrong(2, error))?;
        let forwarding = Forwarding::new(zones, ips).map_err(|error| match error {
            RenderError::NoZones => wrong(1, error),
            _ => wrong(2, error),
        })?;
        Ok(render(kind, &forwarding).map_err(|error| wrong(0, error))?.into())
    }
}
