use super::*;

fn resolved<const N: usize>(settings: &Settings, variables: [(&str, &str); N]) -> Resolved {
    resolve(settings, &variables.into()).unwrap()
}

fn refused<const N: usize>(settings: &Settings, variables: [(&str, &str); N]) -> ConfigError {
    resolve(settings, &variables.into()).unwrap_err()
}

#[test]
fn a_region_argument_wins_over_the_variables() {
    let settings = Settings { region: Some("eu-west-1".to_owned()), ..Settings::default() };
    let variables = [("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-west-2")];
    assert_eq!(resolved(&settings, variables).region.as_deref(), Some("eu-west-1"));
    assert_eq!(resolved(&Settings::default(), variables).region.as_deref(), Some("us-east-1"));
    let one = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-2")];
    assert_eq!(resolved(&Settings::default(), one).region.as_deref(), Some("us-west-2"));
}

#[test]
fn a_profile_argument_is_the_only_source_and_a_variable_is_one_of_many() {
    let settings = Settings { profile: Some("prod".to_owned()), ..Settings::default() };
    assert_eq!(resolved(&settings, [("AWS_PROFILE", "dev")]).profile, Profile::Chosen("prod".to_owned()));
    let variable = resolved(&Settings::default(), [("AWS_PROFILE", "dev")]).profile;
    assert_eq!(variable, Profile::FromEnvironment("dev".to_owned()));
    assert_eq!(resolved(&Settings::default(), []).profile, Profile::Default);
}

#[test]
fn half_a_pair_of_keys_is_refused_at_the_missing_half() {
    let settings = Settings { access_key: Some("AKIA1".into()), ..Settings::default() };
    let error = refused(&settings, []);
    assert_eq!(error.argument, Some("secret_key"));
    assert!(!error.to_string().contains("AKIA1"), "{error}");
}

#[test]
fn a_tilde_in_a_files_name_is_the_home_folder() {
    let settings = Settings {
        shared_config_files: vec!["~/aws/config".into(), "/etc/aws".into(), "".into()],
        ..Settings::default()
    };
    let files = resolved(&settings, [("HOME", "/home/me")]).config_files;
    assert_eq!(files, [PathBuf::from("/home/me/aws/config"), PathBuf::from("/etc/aws")]);
}

#[test]
fn retries_come_from_the_argument_then_the_variable() {
    let settings = Settings { max_retries: Some(4), ..Settings::default() };
    assert_eq!(resolved(&settings, [("AWS_MAX_ATTEMPTS", "9")]).max_attempts, Some(4));
    assert_eq!(resolved(&Settings::default(), [("AWS_MAX_ATTEMPTS", "9")]).max_attempts, Some(9));
    assert_eq!(resolved(&Settings::default(), []).max_attempts, None);
    assert!(refused(&Settings::default(), [("AWS_MAX_ATTEMPTS", "many")]).fact.contains("many"));
}

#[test]
fn the_metadata_service_is_left_out_when_asked() {
    let disabled = [("AWS_EC2_METADATA_DISABLED", "true")];
    assert!(!resolved(&Settings::default(), disabled).use_metadata_service);
    let forced = Settings { skip_metadata_api_check: Some(false), ..Settings::default() };
    assert!(resolved(&forced, disabled).use_metadata_service);
    let skipped = Settings { skip_metadata_api_check: Some(true), ..Settings::default() };
    assert!(!resolved(&skipped, []).use_metadata_service);
}

#[test]
fn an_endpoint_without_a_scheme_is_refused() {
    let settings =
        Settings { endpoints: [("ec2".to_owned(), "localhost:5000".to_owned())].into(), ..Settings::default() };
    assert_eq!(refused(&settings, []).argument, Some("endpoints"));
}

#[test]
fn the_user_agent_names_us_the_users_words_and_the_environments() {
    let settings = Settings { user_agent: vec!["acme/1.0 (ci)".to_owned()], ..Settings::default() };
    let agent = resolved(&settings, [("TF_APPEND_USER_AGENT", "runner/2\r\nx: y")]).user_agent;
    let ours = format!("terraform-provider-studio/{} acme/1.0 (ci) runner/2x: y", env!("CARGO_PKG_VERSION"));
    assert_eq!(agent, ours);
}

#[test]
fn default_tags_of_the_configuration_win_over_the_environments() {
    let settings = Settings { default_tags: [("team".to_owned(), "a".to_owned())].into(), ..Settings::default() };
    let variables = [("TF_AWS_DEFAULT_TAGS_team", "b"), ("TF_AWS_DEFAULT_TAGS_cost", "1")];
    let tags = resolved(&settings, variables).default_tags;
    assert_eq!(tags.get("team").map(String::as_str), Some("a"));
    assert_eq!(tags.get("cost").map(String::as_str), Some("1"));
}

#[test]
fn ignored_tags_add_up() {
    let mut settings = Settings::default();
    settings.ignore_tags.keys.insert("audit".to_owned());
    let ignore = resolved(&settings, [("TF_AWS_IGNORE_TAGS_KEYS", "a, b,,")]).ignore_tags;
    assert_eq!(ignore.keys, ["audit".to_owned(), "a".to_owned(), "b".to_owned()].into());
}

#[test]
fn a_web_identity_is_completed_from_the_environment() {
    let settings =
        Settings { assume_role_with_web_identity: Some(AssumeRoleWithWebIdentity::default()), ..Settings::default() };
    let variables = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "~/token"),
        ("HOME", "/home/me"),
    ];
    let role = resolved(&settings, variables).web_identity.unwrap();
    assert_eq!(role.role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/ci"));
    assert_eq!(role.web_identity_token_file, Some(PathBuf::from("/home/me/token")));
    assert_eq!(refused(&settings, []).argument, Some("assume_role_with_web_identity"));
}

#[test]
fn a_ca_bundle_comes_from_the_argument_then_the_variable() {
    let settings = Settings { custom_ca_bundle: Some("/etc/ca.pem".into()), ..Settings::default() };
    let variables = [("AWS_CA_BUNDLE", "/tmp/other.pem")];
    assert_eq!(resolved(&settings, variables).ca_bundle, Some(("/etc/ca.pem".into(), "custom_ca_bundle")));
    assert_eq!(resolved(&Settings::default(), variables).ca_bundle, Some(("/tmp/other.pem".into(), "AWS_CA_BUNDLE")));
}

#[test]
fn a_proxy_that_is_no_url_is_refused_without_being_quoted() {
    let settings = Settings { https_proxy: Some("ftp://me:hush@proxy".into()), ..Settings::default() };
    let error = refused(&settings, []);
    assert_eq!(error.argument, Some("https_proxy"));
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[test]
fn a_region_is_checked_by_shape_and_then_by_name() {
    assert!(check_region("eu-central-1", "region", false).is_ok());
    assert_eq!(check_region("eu-north-9", "region", false).unwrap_err().argument, Some("region"));
    assert!(check_region("eu-north-9", "region", true).is_ok());
    assert!(check_region("frankfurt", "region", true).is_err());
}
