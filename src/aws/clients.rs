//! The SDK's clients, made when first used, for as many Regions as are asked for.
//!
//! **Invariant:** all clients share one pool of connections and one cache of credentials.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::SharedCredentialsProvider;
use tokio_util::sync::CancellationToken;

use super::assume::AssumedRole;
use super::config::AssumeRole;
use super::error::Service;
use super::ids::{AccountId, Region, RoleArn};
use super::interceptor::CallLog;
use super::partition::Partition;
use super::retry::QuotasStand;
use super::tags::{IgnoreTags, Tags};
use super::wait::Patience;

/// The way to AWS: cheap to clone, and safe to share.
#[derive(Clone)]
pub struct Clients {
    shared: Arc<Shared>,
    regional: Arc<Regional>,
}

/// What is the same in all Regions.
pub(super) struct Shared {
    /// Connections, credentials, retries and time-outs.
    pub(super) sdk: SdkConfig,
    /// Endpoints that the user set, by service.
    pub(super) endpoints: BTreeMap<Service, String>,
    /// The Region that STS is asked in, where it is not the same as for the rest.
    pub(super) sts_region: Option<Region>,
    /// What is added to the name we call ourselves by.
    pub(super) user_agent: String,
    /// The account, where it is known.
    pub(super) account_id: Option<AccountId>,
    /// Tags for everything we make.
    pub(super) default_tags: Tags,
    /// Tags to look past.
    pub(super) ignore_tags: IgnoreTags,
    /// The user's own pause between two looks.
    pub(super) poll_interval: Option<Duration>,
    /// What was made so far.
    pub(super) regions: Mutex<BTreeMap<Region, Arc<Regional>>>,
}

/// The clients of one Region.
pub(super) struct Regional {
    region: Region,
    ec2: OnceLock<aws_sdk_ec2::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    organizations: OnceLock<aws_sdk_organizations::Client>,
    ram: OnceLock<aws_sdk_ram::Client>,
    route53: OnceLock<aws_sdk_route53::Client>,
    route53resolver: OnceLock<aws_sdk_route53resolver::Client>,
    sagemaker: OnceLock<aws_sdk_sagemaker::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

macro_rules! client {
    ($(#[$doc:meta])+ $name:ident, $sdk:ident, $service:expr, $this:ident => $region:expr) => {
        $(#[$doc])+
        pub(super) fn $name(&self) -> &$sdk::Client {
            self.regional.$name.get_or_init(|| {
                let $this = self;
                let mut config = $sdk::config::Builder::from(&self.shared.sdk)
                    .region(aws_config::Region::new($region.to_string()))
                    .interceptor(CallLog::new(&self.shared.user_agent))
                    .retry_classifier(QuotasStand);
                if let Some(url) = self.shared.endpoints.get(&$service) {
                    // The SDK refuses to look for variants of an endpoint that is given; it is taken as it is.
                    config = config.endpoint_url(url).use_fips(false).use_dual_stack(false);
                }
                $sdk::Client::from_conf(config.build())
            })
        }
    };
}

impl Clients {
    pub(super) fn new(shared: Shared, region: Region) -> Self {
        let shared = Arc::new(shared);
        let regional = shared.regional(&region);
        Self { shared, regional }
    }

    /// The Region that calls go to.
    pub fn region(&self) -> &Region {
        &self.regional.region
    }

    /// The partition of the Region.
    pub fn partition(&self) -> &'static Partition {
        Partition::of(self.region())
    }

    /// Whether calls go to FIPS endpoints.
    pub fn uses_fips(&self) -> bool {
        self.shared.sdk.use_fips().unwrap_or(false)
    }

    /// The account that the credentials belong to. `None` where the user asked us not to look.
    pub fn account_id(&self) -> Option<&AccountId> {
        self.shared.account_id.as_ref()
    }

    /// Tags for everything that is made.
    pub fn default_tags(&self) -> &Tags {
        &self.shared.default_tags
    }

    /// Tags to look past.
    pub fn ignore_tags(&self) -> &IgnoreTags {
        &self.shared.ignore_tags
    }

    /// Patience for so long from now, with the user's own pause between two looks.
    pub fn patience(&self, limit: Duration, stop: CancellationToken) -> Patience {
        Patience::lasting(limit, stop, self.shared.poll_interval)
    }

    /// The same account in another Region.
    pub fn in_region(&self, region: &Region) -> Self {
        Self { shared: Arc::clone(&self.shared), regional: self.shared.regional(region) }
    }

    /// Another role, assumed with the credentials of this one when it is first needed.
    pub fn assuming(&self, role: &RoleArn) -> Self {
        let assumed = AssumedRole::new(self.sts().clone(), AssumeRole::of(role));
        // An ARN has the account in its fifth place.
        let account_id = role.as_str().split(':').nth(4).filter(|id| !id.is_empty()).map(AccountId::from);
        self.with_credentials(SharedCredentialsProvider::new(assumed)).with_account(account_id)
    }

    /// The same way to AWS as someone else.
    pub(super) fn with_credentials(&self, provider: SharedCredentialsProvider) -> Self {
        let cache = IdentityCache::lazy().build();
        let sdk = self.shared.sdk.to_builder().credentials_provider(provider).identity_cache(cache).build();
        Self::new(Shared { sdk, account_id: None, ..self.shared.copied() }, self.region().clone())
    }

    /// The same, with the account that was found out.
    pub(super) fn with_account(&self, account_id: Option<AccountId>) -> Self {
        Self::new(Shared { account_id, ..self.shared.copied() }, self.region().clone())
    }

    client!(
        /// EC2 in the Region.
        ec2, aws_sdk_ec2, Service::Ec2, this => this.region()
    );
    client!(
        /// IAM of the partition.
        iam, aws_sdk_iam, Service::Iam, this => this.region()
    );
    client!(
        /// AWS Organizations of the partition.
        organizations, aws_sdk_organizations, Service::Organizations, this => this.region()
    );
    client!(
        /// RAM in the Region.
        ram, aws_sdk_ram, Service::Ram, this => this.region()
    );
    client!(
        /// Route 53 of the partition.
        route53, aws_sdk_route53, Service::Route53, this => this.region()
    );
    client!(
        /// Route 53 Resolver in the Region.
        route53resolver, aws_sdk_route53resolver, Service::Route53Resolver, this => this.region()
    );
    client!(
        /// SageMaker in the Region.
        sagemaker, aws_sdk_sagemaker, Service::SageMaker, this => this.region()
    );
    client!(
        /// STS in the Region, or in the one set for it.
        sts, aws_sdk_sts, Service::Sts, this => this.shared.sts_region.as_ref().unwrap_or(this.region())
    );
}

// Not derived: the SDK's configuration is long, and credentials have no place in a log.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients")
            .field("region", self.region())
            .field("account_id", &self.shared.account_id)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn regional(&self, region: &Region) -> Arc<Regional> {
        let mut regions = self.regions.lock().expect("no one panics while holding the list of Regions");
        Arc::clone(regions.entry(region.clone()).or_insert_with(|| Arc::new(Regional::new(region.clone()))))
    }

    fn copied(&self) -> Self {
        Self {
            sdk: self.sdk.clone(),
            endpoints: self.endpoints.clone(),
            sts_region: self.sts_region.clone(),
            user_agent: self.user_agent.clone(),
            account_id: self.account_id.clone(),
            default_tags: self.default_tags.clone(),
            ignore_tags: self.ignore_tags.clone(),
            poll_interval: self.poll_interval,
            regions: Mutex::default(),
        }
    }
}

impl Regional {
    fn new(region: Region) -> Self {
        Self {
            region,
            ec2: OnceLock::new(),
            iam: OnceLock::new(),
            organizations: OnceLock::new(),
            ram: OnceLock::new(),
            route53: OnceLock::new(),
            route53resolver: OnceLock::new(),
            sagemaker: OnceLock::new(),
            sts: OnceLock::new(),
        }
    }
}
