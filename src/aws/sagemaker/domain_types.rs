//! What a domain is, and how our settings stand in SageMaker's.
//!
//! **Invariant:** pure. The calls are in `domain`.
//! **Invariant:** a setting that is not given is not sent, and what stands beside it is kept.

use std::collections::BTreeSet;

use aws_sdk_sagemaker as sagemaker;
use sagemaker::types::{
    AppLifecycleManagement, CodeEditorAppSettings, DockerSettings, FeatureStatus, IdleSettings, JupyterLabAppSettings,
    LifecycleManagement, StudioWebPortal,
};
use serde::{Deserialize, Serialize};

use super::{Status, Toggle};
use crate::aws::{DomainId, FileSystemId, RoleArn, SecurityGroupId, SubnetId, Tags, VpcId, ids, names};

/// How people sign in to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMode {
    /// With presigned URLs.
    Iam,
    /// With IAM Identity Center.
    Sso,
}

impl AuthMode {
    /// The word that SageMaker and users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Sso => "SSO",
        }
    }

    /// Reads the word that SageMaker and users write.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "IAM" => Some(Self::Iam),
            "SSO" => Some(Self::Sso),
            _ => None,
        }
    }
}

/// Which way apps reach the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NetworkAccess {
    /// Through the VPC alone.
    VpcOnly,
    /// Through a VPC that SageMaker owns.
    PublicInternet,
}

/// The family of a domain's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DomainAddressType {
    /// IPv4 alone.
    Ipv4,
    /// Both.
    Dualstack,
}

impl DomainAddressType {
    /// The word that SageMaker and users write.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Dualstack => "dualstack",
        }
    }

    pub(super) fn to_sagemaker(self) -> sagemaker::types::IpAddressType {
        match self {
            Self::Ipv4 => sagemaker::types::IpAddressType::Ipv4,
            Self::Dualstack => sagemaker::types::IpAddressType::Dualstack,
        }
    }
}

/// When an idle JupyterLab or Code Editor app is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IdleTimeout {
    /// After so many minutes, 60 to 525600.
    Minutes(u32),
    /// Never.
    Never,
}

/// The settings of users that we know of. `None` leaves a setting alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSettings {
    /// The role that apps run as.
    pub execution_role: Option<RoleArn>,
    /// The security groups of apps. The list is replaced as a whole.
    pub security_group_ids: Option<BTreeSet<SecurityGroupId>>,
    /// Whether users get the current Studio's web portal.
    pub studio_web_portal: Option<Toggle>,
    /// Where users land, such as `studio::`.
    pub default_landing_uri: Option<String>,
    /// When idle apps are shut down.
    pub idle_timeout: Option<IdleTimeout>,
}

impl UserSettings {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Our settings in SageMaker's form. SageMaker replaces the settings of an app as a whole, so
    /// what stands there now goes along.
    pub(super) fn to_sagemaker(&self, now: Option<&sagemaker::types::UserSettings>) -> sagemaker::types::UserSettings {
        let jupyter =
            self.idle_timeout.map(|idle| jupyter_lab(idle, now.and_then(|now| now.jupyter_lab_app_settings())));
        let editor =
            self.idle_timeout.map(|idle| code_editor(idle, now.and_then(|now| now.code_editor_app_settings())));
        sagemaker::types::UserSettings::builder()
            .set_execution_role(self.execution_role.as_ref().map(ToString::to_string))
            .set_security_groups(self.security_group_ids.as_ref().map(names))
            .set_studio_web_portal(self.studio_web_portal.map(|toggle| StudioWebPortal::from(toggle.as_str())))
            .set_default_landing_uri(self.default_landing_uri.clone())
            .set_jupyter_lab_app_settings(jupyter)
            .set_code_editor_app_settings(editor)
            .build()
    }

    pub(super) fn from_sagemaker(settings: &sagemaker::types::UserSettings) -> Self {
        let jupyter = settings.jupyter_lab_app_settings().and_then(JupyterLabAppSettings::app_lifecycle_management);
        Self {
            execution_role: settings.execution_role().map(RoleArn::from),
            security_group_ids: Some(ids(settings.security_groups())),
            studio_web_portal: settings.studio_web_portal().and_then(|portal| Toggle::parse(portal.as_str())),
            default_landing_uri: settings.default_landing_uri().map(str::to_owned),
            idle_timeout: jupyter.and_then(AppLifecycleManagement::idle_settings).and_then(idle_timeout),
        }
    }
}

/// A domain to be made. It is always of the kind `VpcOnly`.
#[derive(Debug, Clone)]
pub struct NewDomain {
    /// Its name.
    pub name: String,
    /// How people sign in.
    pub auth_mode: AuthMode,
    /// The VPC that apps are in.
    pub vpc_id: VpcId,
    /// The subnets that apps are in.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Settings of users; SageMaker wants an execution role among them.
    pub default_user_settings: UserSettings,
    /// Up to three groups for communication between the domain and its apps. They are not put on
    /// the apps: those of `default_user_settings` are.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Whether apps may run Docker. `None` leaves SageMaker's default, disabled.
    pub docker_access: Option<Toggle>,
    /// The family of addresses. `None` leaves SageMaker's default, IPv4.
    pub address_type: Option<DomainAddressType>,
    /// Whether an EFS file system for home folders is made.
    pub home_efs: Toggle,
    /// The KMS key of its storage. `None` takes AWS's own.
    pub kms_key_id: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// What to change about a domain. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainChange {
    /// Other subnets, as a whole.
    pub subnet_ids: Option<BTreeSet<SubnetId>>,
    /// Another way to the network.
    pub network_access: Option<NetworkAccess>,
    /// Other settings of users; what they do not give is left alone.
    pub default_user_settings: UserSettings,
    /// Other groups of the domain itself, as a whole.
    pub security_group_ids: Option<BTreeSet<SecurityGroupId>>,
    /// Docker on or off.
    pub docker_access: Option<Toggle>,
    /// Another family of addresses.
    pub address_type: Option<DomainAddressType>,
    /// An EFS file system, where there was none. SageMaker has no way back.
    pub home_efs: Option<Toggle>,
}

impl DomainChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether something stands in the domain's own settings.
    pub(super) fn has_domain_settings(&self) -> bool {
        self.security_group_ids.is_some() || self.docker_access.is_some() || self.address_type.is_some()
    }
}

/// A domain as SageMaker describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: Status,
    /// SageMaker's reason for a status that is not wanted.
    pub failure_reason: Option<String>,
    /// Its address, `https://d-….studio.…`.
    pub url: Option<String>,
    /// How people sign in.
    pub auth_mode: Option<AuthMode>,
    /// The VPC that apps are in.
    pub vpc_id: VpcId,
    /// The subnets that apps are in.
    pub subnet_ids: BTreeSet<SubnetId>,
    /// Which way apps reach the network.
    pub network_access: Option<NetworkAccess>,
    /// The KMS key of its storage.
    pub kms_key_id: Option<String>,
    /// Its EFS file system, where it has one.
    pub home_efs_file_system_id: Option<FileSystemId>,
    /// Whether it was to get an EFS file system. `None` in a domain older than the choice.
    pub home_efs: Option<Toggle>,
    /// The group that SageMaker made for a domain with RStudio.
    pub boundary_security_group_id: Option<SecurityGroupId>,
    /// The groups of the domain itself.
    pub security_group_ids: BTreeSet<SecurityGroupId>,
    /// Whether apps may run Docker.
    pub docker_access: Option<Toggle>,
    /// The family of its addresses.
    pub address_type: Option<DomainAddressType>,
    /// Settings of users.
    pub default_user_settings: UserSettings,
}

impl Domain {
    pub(super) fn from_sagemaker(domain: &sagemaker::operation::describe_domain::DescribeDomainOutput) -> Option<Self> {
        let settings = domain.domain_settings();
        let docker =
            settings.and_then(|settings| settings.docker_settings()).and_then(DockerSettings::enable_docker_access);
        Some(Self {
            id: domain.domain_id()?.into(),
            arn: domain.domain_arn().unwrap_or_default().to_owned(),
            name: domain.domain_name().unwrap_or_default().to_owned(),
            status: Status::parse(domain.status().map(|status| status.as_str()).unwrap_or_default()),
            failure_reason: domain.failure_reason().map(str::to_owned),
            url: domain.url().map(str::to_owned),
            auth_mode: domain.auth_mode().and_then(|mode| AuthMode::parse(mode.as_str())),
            vpc_id: domain.vpc_id().unwrap_or_default().into(),
            subnet_ids: ids(domain.subnet_ids()),
            network_access: domain.app_network_access_type().and_then(|kind| network_access(kind.as_str())),
            kms_key_id: domain.kms_key_id().map(str::to_owned),
            home_efs_file_system_id: domain.home_efs_file_system_id().map(FileSystemId::from),
            home_efs: domain.home_efs_file_system_creation().and_then(|toggle| Toggle::parse(toggle.as_str())),
            boundary_security_group_id: domain.security_group_id_for_domain_boundary().map(SecurityGroupId::from),
            security_group_ids: settings.map(|settings| ids(settings.security_group_ids())).unwrap_or_default(),
            docker_access: docker.and_then(|status| Toggle::parse(status.as_str())),
            address_type: settings.and_then(|settings| settings.ip_address_type()).and_then(address_type),
            default_user_settings: domain.default_user_settings().map(UserSettings::from_sagemaker).unwrap_or_default(),
        })
    }
}

/// Docker on or off, with the trusted accounts that stand there now.
pub(super) fn docker_settings(access: Toggle, now: Option<&DockerSettings>) -> DockerSettings {
    DockerSettings::builder()
        .enable_docker_access(FeatureStatus::from(access.as_str()))
        .set_vpc_only_trusted_accounts(now.and_then(|now| now.vpc_only_trusted_accounts.clone()))
        .set_rootless_docker(now.and_then(|now| now.rootless_docker.clone()))
        .build()
}

fn network_access(text: &str) -> Option<NetworkAccess> {
    match text {
        "VpcOnly" => Some(NetworkAccess::VpcOnly),
        "PublicInternetOnly" => Some(NetworkAccess::PublicInternet),
        _ => None,
    }
}

fn address_type(kind: &sagemaker::types::IpAddressType) -> Option<DomainAddressType> {
    match kind.as_str() {
        "ipv4" => Some(DomainAddressType::Ipv4),
        "dualstack" => Some(DomainAddressType::Dualstack),
        _ => None,
    }
}

fn jupyter_lab(idle: IdleTimeout, now: Option<&JupyterLabAppSettings>) -> JupyterLabAppSettings {
    let mut settings = now.cloned().unwrap_or_else(|| JupyterLabAppSettings::builder().build());
    let managed = lifecycle(idle, settings.app_lifecycle_management());
    settings.app_lifecycle_management = Some(managed);
    settings
}

fn code_editor(idle: IdleTimeout, now: Option<&CodeEditorAppSettings>) -> CodeEditorAppSettings {
    let mut settings = now.cloned().unwrap_or_else(|| CodeEditorAppSettings::builder().build());
    let managed = lifecycle(idle, settings.app_lifecycle_management());
    settings.app_lifecycle_management = Some(managed);
    settings
}

fn lifecycle(idle: IdleTimeout, now: Option<&AppLifecycleManagement>) -> AppLifecycleManagement {
    let now = now.and_then(AppLifecycleManagement::idle_settings);
    let settings = match idle {
        IdleTimeout::Minutes(minutes) => IdleSettings::builder()
            .lifecycle_management(LifecycleManagement::Enabled)
            .set_idle_timeout_in_minutes(i32::try_from(minutes).ok())
            .set_min_idle_timeout_in_minutes(now.and_then(|now| now.min_idle_timeout_in_minutes))
            .set_max_idle_timeout_in_minutes(now.and_then(|now| now.max_idle_timeout_in_minutes)),
        IdleTimeout::Never => IdleSettings::builder().lifecycle_management(LifecycleManagement::Disabled),
    };
    AppLifecycleManagement::builder().idle_settings(settings.build()).build()
}

fn idle_timeout(settings: &IdleSettings) -> Option<IdleTimeout> {
    match settings.lifecycle_management()?.as_str() {
        "ENABLED" => Some(IdleTimeout::Minutes(settings.idle_timeout_in_minutes()?.try_into().ok()?)),
        _ => Some(IdleTimeout::Never),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_are_not_given_are_not_sent() {
        let sent = UserSettings { studio_web_portal: Some(Toggle::Enabled), ..Default::default() }.to_sagemaker(None);
        let alone = sagemaker::types::UserSettings::builder().studio_web_portal(StudioWebPortal::Enabled).build();
        assert_eq!(sent, alone);
    }

    #[test]
    fn an_idle_timeout_keeps_the_custom_images_beside_it() {
        let image = sagemaker::types::CustomImage::builder().image_name("ours").app_image_config_name("c").build();
        let jupyter = JupyterLabAppSettings::builder().custom_images(image).build();
        let now = sagemaker::types::UserSettings::builder().jupyter_lab_app_settings(jupyter).build();
        let change = UserSettings { idle_timeout: Some(IdleTimeout::Minutes(90)), ..Default::default() };
        let sent = change.to_sagemaker(Some(&now));
        assert_eq!(sent.jupyter_lab_app_settings().unwrap().custom_images().len(), 1);
        assert_eq!(UserSettings::from_sagemaker(&sent).idle_timeout, Some(IdleTimeout::Minutes(90)));
    }

    #[test]
    fn a_timeout_that_is_taken_back_turns_the_management_off() {
        let change = UserSettings { idle_timeout: Some(IdleTimeout::Never), ..Default::default() };
        let read = UserSettings::from_sagemaker(&change.to_sagemaker(None));
        assert_eq!(read.idle_timeout, Some(IdleTimeout::Never));
    }

    #[test]
    fn docker_access_keeps_the_trusted_accounts() {
        let now = DockerSettings::builder().vpc_only_trusted_accounts("123456789012").build();
        let sent = docker_settings(Toggle::Enabled, Some(&now));
        assert_eq!(sent.vpc_only_trusted_accounts(), ["123456789012".to_owned()]);
    }
}
