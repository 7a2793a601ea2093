//! `studio_presigned_url`: a URL by which a user profile is signed in to Studio, made when it is needed.
//!
//! There is nothing to renew, because SageMaker has no call for it, and nothing to close, because a URL cannot be
//! taken back: it ends by itself.
//!
//! **Invariant:** the URL goes into the attribute `url` and nowhere else: into no log, no error, no private data.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::hosts;
use crate::aws::sagemaker::domain::find_domain;
use crate::aws::sagemaker::domain_types::{AuthMode, Domain};
use crate::aws::sagemaker::presigned_url::{self, PresignRequest, create_presigned_url, host_of};
use crate::aws::{AwsError, Clients, DomainId, Kind};
use crate::connection::Connection;
use crate::framework::schema::{Check, Schema};
use crate::framework::{
    Attribute, Call, Diagnostic, Diagnostics, EphemeralResource, Opened, Path, Private, Value, checks,
};
use crate::resources::landing::landing_uri;

/// The ephemeral resource.
pub struct PresignedUrl {
    connection: Connection,
}

impl PresignedUrl {
    /// The ephemeral resource, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        PresignedUrl { connection }
    }
}

/// A presigned URL, as Terraform sees it. It has no `Debug`, so that nothing can print it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Model {
    pub region: Value<String>,
    pub domain_id: Value<String>,
    pub user_profile_name: Value<String>,
    pub space_name: Value<String>,
    pub landing_uri: Value<String>,
    pub expires_in: Value<String>,
    pub session_expiration: Value<String>,
    pub url: Value<String>,
    pub host: Value<String>,
    pub expires_at: Value<String>,
}

#[async_trait]
impl EphemeralResource for PresignedUrl {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_presigned_url"
    }

    fn schema(&self) -> Schema {
        Schema { description: DESCRIPTION, attributes: attributes(), ..Schema::default() }
    }

    async fn open(&self, call: &Call, config: Model) -> Result<Option<Opened<Model>>, Diagnostics> {
        let Some(clients) = self.connection.clients(config.region.text())? else { return Ok(None) };
        tokio::select! {
            opened = open(&clients, config) => opened.map(Some),
            () = call.stop.cancelled() => Err(interrupted().into()),
        }
    }
}

const DESCRIPTION: &str = "A presigned URL, with which whoever has it is signed in to Studio as a user profile, without a further question. It is made each time Terraform needs it, during a plan as well as during an apply, and is in no state, no plan and no log.\n\nThe domain has to sign people in with IAM. Where a policy confines presigned URLs to a private path, as `studio_presign_policy` makes it, Terraform has to run on that path.\n\nNeeds the permissions `sagemaker:CreatePresignedDomainUrl` and `sagemaker:DescribeDomain`.\n\nIn Terraform 1.11.4, `terraform show -json` of a plan crashes where an ephemeral resource has a `precondition` or `postcondition`. Put such a condition on an output or on a resource.";

/// What SageMaker takes for `ExpiresInSeconds`.
const EXPIRES_IN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(300)];
/// What SageMaker takes for `SessionExpirationDurationInSeconds`.
const SESSION: [Duration; 2] = [Duration::from_secs(1800), Duration::from_secs(43_200)];

fn attributes() -> Vec<Attribute> {
    let string = Attribute::string;
    vec![
        string("region")
            .optional_computed()
            .check(checks::region())
            .describe("The Region that the domain is in. By default the provider's."),
        string("domain_id")
            .required()
            .check(checks::prefix(&["d-"], "a domain id such as d-abcdefghijkl"))
            .describe("The domain's id."),
        string("user_profile_name").required().check(name()).describe("The user profile to sign in as."),
        string("space_name").check(name()).describe("The space to open."),
        string("landing_uri").check(checks::text(landing_uri)).describe(
            "Where to land: `studio::` and a path in Studio, or `app:`, the kind of an app, `:` and a path in it, such as `app:JupyterLab:`. Up to 1023 characters. By default what the domain or the user profile says.",
        ),
        string("expires_in")
            .default_to("5m")
            .check(whole_seconds(EXPIRES_IN, "5s to 5m"))
            .describe("How long the URL can be used to sign in, from `\"5s\"` to `\"5m\"`."),
        string("session_expiration")
            .default_to("12h")
            .check(whole_seconds(SESSION, "30m to 12h"))
            .describe("How long one stays signed in, from `\"30m\"` to `\"12h\"`."),
        string("url").computed().sensitive().describe("The URL. Whoever has it is signed in."),
        string("host").computed().describe("The URL's host, which is one of the domain's own names."),
        string("expires_at").computed().describe(
            "When the URL ends, as in RFC 3339, in UTC. Reckoned by this machine's clock from just before the URL was asked for.",
        ),
    ]
}

/// The pattern is SageMaker's, for user profiles and spaces.
fn name() -> Check {
    checks::text(|text| {
        if text.len() <= 63 && checks::is_hyphenated(text) {
            return Ok(());
        }
        Err(format!("{text:?} may have up to 63 letters, digits and hyphens, with a letter or digit at both ends."))
    })
}

fn whole_seconds([shortest, longest]: [Duration; 2], range: &'static str) -> Check {
    checks::text(move |text| match checks::parse_duration(text) {
        None => Err(format!("{text:?} is not a duration such as \"90s\" or \"1h30m\".")),
        Some(duration) if duration < shortest || duration > longest => {
            Err(format!("{text:?} is not within {range}, which is what SageMaker takes."))
        }
        Some(duration) if duration.subsec_nanos() != 0 => Err(format!("{text:?} is not in whole seconds.")),
        Some(_) => Ok(()),
    })
}

async fn open(clients: &Clients, config: Model) -> Result<Opened<Model>, Diagnostics> {
    let request = request(&config)?;
    let domain = domain(clients, &request.domain_id).await?;
    let begin = OffsetDateTime::now_utc();
    let url = create_presigned_url(clients, &request).await.map_err(|error| refused(&error, &request))?;
    let host = checked_host(&url, &domain)?;
    let lasts = request.expires_in_seconds.unwrap_or_default();
    tracing::info!(domain_id = %request.domain_id, %host, lasts, "created a presigned URL");
    let result = Model {
        region: Value::Known(clients.region().to_string()),
        url: url.expose().into(),
        host: Value::Known(host),
        expires_at: Value::Known(expiry(begin, lasts)),
        ..config
    };
    Ok(Opened { result, private: Private::default(), renew_at: None })
}

/// What to ask SageMaker for. The schema has checked it, and has defaults for both durations.
fn request(config: &Model) -> Result<PresignRequest, Diagnostics> {
    let seconds = |written: &Value<String>| {
        let duration = written.text().and_then(checks::parse_duration)?;
        u32::try_from(duration.as_secs()).ok()
    };
    let (Some(domain_id), Some(user_profile_name)) = (config.domain_id.text(), config.user_profile_name.text()) else {
        return Err(Diagnostic::bug("A presigned URL was asked for without a domain or a user profile.").into());
    };
    Ok(PresignRequest {
        domain_id: domain_id.into(),
        user_profile_name: user_profile_name.to_owned(),
        space_name: config.space_name.text().map(str::to_owned),
        landing_uri: config.landing_uri.text().map(str::to_owned),
        expires_in_seconds: seconds(&config.expires_in),
        session_seconds: seconds(&config.session_expiration),
    })
}

/// The domain, if presigned URLs can be made for it.
async fn domain(clients: &Clients, id: &DomainId) -> Result<Domain, Diagnostics> {
    let found = find_domain(clients, id).await.map_err(|error| {
        let text = format!(
            "{error}. The domain is looked at to check the URL's host. Nothing was created. Where access is denied, allow sagemaker:DescribeDomain."
        );
        Diagnostic::error("Could not look up the domain of the presigned URL", text)
    })?;
    let at = |summary: &str, text: String| Diagnostic::error(summary, text).at(Path::root("domain_id")).into();
    let Some(found) = found else {
        let text = format!(
            "No domain in {}, in the account of the credentials, has the id {id}. Nothing was created.",
            clients.region()
        );
        return Err(at("There is no such domain", text));
    };
    match found.auth_mode {
        Some(AuthMode::Sso) => Err(at(
            "Presigned URLs exist in IAM mode only",
            format!(
                "The domain {id} signs people in with IAM Identity Center (auth_mode = \"SSO\"), and SageMaker makes presigned URLs only for domains with auth_mode = \"IAM\". Nothing was created. Give the people of this domain its own URL instead, or use a domain with auth_mode = \"IAM\"."
            ),
        )),
        // What is not known here, SageMaker refuses in its own words.
        Some(AuthMode::Iam) | None => Ok(found),
    }
}

/// The URL's host, if it is one of the domain's own. What the message says of the URL is its host alone.
fn checked_host(url: &presigned_url::PresignedUrl, domain: &Domain) -> Result<String, Diagnostics> {
    let wrong = |text: String| {
        let end = "The URL was thrown away, and ends by itself. Check where the provider's SageMaker endpoint (endpoints, AWS_ENDPOINT_URL_SAGEMAKER, a proxy) really leads, because something between Terraform and AWS may have changed the answer.";
        Diagnostics::from(Diagnostic::error("The presigned URL does not lead to the domain", format!("{text} {end}")))
    };
    let Some(own) = domain.url.as_deref().and_then(host_of) else {
        return Err(wrong(format!("SageMaker gave no URL of the domain {} to compare it with.", domain.id)));
    };
    let Some(host) = url.host() else {
        return Err(wrong("It has no host that can be read, or is not for HTTPS.".to_owned()));
    };
    let hosts = hosts::of_domain(&own, domain.id.as_str());
    if hosts.contains(&host) {
        return Ok(host);
    }
    Err(wrong(format!("Its host is {host}; those of the domain {} are {}.", domain.id, hosts.join(", "))))
}

/// When something ends that was asked for at `begin`. The fraction is cut off, which errs on the early side.
fn expiry(begin: OffsetDateTime, seconds: u32) -> String {
    let end =
        begin.replace_nanosecond(0).expect("0 is a number of nanoseconds") + time::Duration::seconds(seconds.into());
    end.format(&Rfc3339).expect("the year has four digits")
}

fn refused(error: &AwsError, request: &PresignRequest) -> Diagnostics {
    let failed = |text: &str| {
        Diagnostic::error("Could not create the presigned URL", format!("{error}. Nothing was created. {text}"))
    };
    match error.kind {
        Kind::AccessDenied => failed(&denied(error.request_id.as_deref())),
        Kind::NotFound if request.space_name.is_none() => {
            failed("Check that the domain has a user profile of this name.").at(Path::root("user_profile_name"))
        }
        Kind::NotFound => failed("Check that the domain has a user profile and a space of these names."),
        _ => failed("Run again when the cause is mended."),
    }
    .into()
}

/// What a refusal means here. It is mostly not the permission that is missing, but the path that is the wrong one.
fn denied(request_id: Option<&str>) -> String {
    let event = match request_id {
        Some(id) => format!("its event with the requestID {id}"),
        None => "its event CreatePresignedDomainUrl".to_owned(),
    };
    format!(
        "Either the caller lacks sagemaker:CreatePresignedDomainUrl, or a policy confines presigning to another path than the one that this call took: with studio_presign_policy and its like, the call has to come through the sagemaker.api endpoint, the VPC or the addresses that the policy names. Run Terraform where the name of the SageMaker API leads to that endpoint, or add the path, or the caller as exempt, to the policy. In CloudTrail, {event} shows by which endpoint (vpcEndpointId) and from which address (sourceIPAddress) the call came."
    )
}

fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "The run was interrupted",
        "It stopped while a presigned URL was being made. If SageMaker made one, nobody has it, and it ends by itself.",
    )
}
