//! From the start of the process to its end: who is let in, what is said, and what ends it.

use studio::plugin::pb::{
    plugin,
    tfplugin6::{DynamicValue, get_provider_schema, list_resource, stop_provider, validate_provider_config},
};
use tokio::{io::AsyncReadExt, process::Command};
use tonic::Code;

use crate::client::{Connection, Identity, Launch, Plugin, soon};

// ---- Being started ----

#[tokio::test]
async fn without_the_cookie_it_says_what_it_is_and_how_to_install_it() {
    let output = Launch::by_terraform(&Identity::new(1)).without("TF_PLUGIN_MAGIC_COOKIE").output().await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let stderr = String::from_utf8(output.stderr).unwrap();
    for needed in ["Terraform", "studio-private/studio", "required_providers", "dev_overrides"] {
        assert!(stderr.contains(needed), "{needed} is missing in: {stderr}");
    }
}

#[tokio::test]
async fn version_needs_no_cookie() {
    let output = Launch::by_hand().arguments(&["--version"]).output().await;
    assert!(output.status.success());
    let expected = concat!("terraform-provider-studio ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn without_protocol_6_nothing_is_served() {
    let launch = || Launch::by_terraform(&Identity::new(1));
    for launch in [launch().without("PLUGIN_PROTOCOL_VERSIONS"), launch().with("PLUGIN_PROTOCOL_VERSIONS", "4,5")] {
        let output = launch.output().await;
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
        assert!(String::from_utf8(output.stderr).unwrap().contains("plugin protocol 6"));
    }
}

#[tokio::test]
async fn the_handshake_line_names_a_socket_that_only_its_owner_reaches() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};

    let plugin = Launch::by_terraform(&Identity::new(1)).start().await;
    let fields = plugin.fields();
    assert_eq!(fields.len(), 6, "{:?}", plugin.line);
    assert_eq!([fields[0], fields[1], fields[2], fields[4]], ["1", "6", "unix", "grpc"]);
    assert!(!fields[5].is_empty() && !fields[5].ends_with('='), "{:?}", plugin.line);

    assert!(plugin.socket().metadata().unwrap().file_type().is_socket());
    let directory = plugin.socket().parent().unwrap().metadata().unwrap();
    assert_eq!(directory.permissions().mode() & 0o777, 0o700);
}

// ---- Being let in ----

#[tokio::test]
async fn the_schema_comes_over_mutual_tls() {
    let terraform = Identity::new(1);
    let plugin = Launch::by_terraform(&terraform).start().await;
    let schema = schema(&mut plugin.connect(&terraform)).await.unwrap();

    assert_eq!(schema.diagnostics, []);
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy);
    assert!(capabilities.get_provider_schema_optional);
    assert!(capabilities.move_resource_state);
    let provider = schema.provider.unwrap().block.unwrap();
    assert!(provider.attributes.iter().any(|attribute| attribute.name == "region"));
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let terraform = Identity::new(1);
    refused(&terraform, &Identity { certificate: None, ..terraform.clone() }).await;
}

#[tokio::test]
async fn a_client_with_another_certificate_is_refused() {
    refused(&Identity::new(1), &Identity::new(2)).await;
}

#[tokio::test]
async fn a_client_with_the_right_certificate_but_another_key_is_refused() {
    let terraform = Identity::new(1);
    refused(&terraform, &Identity { key: Identity::new(2).key, ..terraform.clone() }).await;
}

#[tokio::test]
async fn a_client_without_tls_is_refused() {
    let terraform = Identity::new(1);
    let plugin = Launch::by_terraform(&terraform).start().await;
    schema(&mut plugin.connect_plainly()).await.unwrap_err();
    schema(&mut plugin.connect(&terraform)).await.unwrap();
}

#[tokio::test]
async fn with_an_empty_client_certificate_there_is_no_tls() {
    let launch = Launch::by_terraform(&Identity::new(1)).with("PLUGIN_CLIENT_CERT", "");
    let plugin = launch.start().await;
    assert_eq!(plugin.fields()[5], "");
    schema(&mut plugin.connect_plainly()).await.unwrap();
}

// ---- Serving ----

#[tokio::test]
async fn a_message_of_more_than_4_mib_is_taken() {
    let (_plugin, mut terraform) = started().await;
    let region = "x".repeat(5 << 20);
    let mut msgpack = Vec::new();
    let config = rmpv::Value::Map(vec![("region".into(), region.into())]);
    rmpv::encode::write_value(&mut msgpack, &config).unwrap();
    let config = Some(DynamicValue { msgpack, json: Vec::new() });
    let request = validate_provider_config::Request { config };
    // Whether there is such a region is another question; that it was asked is the point.
    soon(terraform.provider.validate_provider_config(request)).await.unwrap();
}

#[tokio::test]
async fn what_is_not_implemented_answers_so() {
    let (_plugin, mut terraform) = started().await;
    let request = list_resource::Request::default();
    let status = soon(terraform.provider.list_resource(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn logs_are_json_and_say_which_rpc_they_belong_to() {
    let terraform = Identity::new(1);
    let plugin = Launch::by_terraform(&terraform).with("TF_LOG", "DEBUG").start().await;
    schema(&mut plugin.connect(&terraform)).await.unwrap();
    let (stdout, stderr) = shut_down(plugin, &terraform).await;

    assert_eq!(stdout, "", "only the handshake line goes to stdout");
    let lines = stderr.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let answered = lines.into_iter().find(|line| line["@message"] == "answered").unwrap();
    assert_eq!(answered["@level"], "debug");
    assert_eq!(answered["@module"], "studio.plugin.rpc");
    assert_eq!(answered["tf_rpc"], "GetProviderSchema");
    assert!(answered["duration_ms"].is_u64());
    assert!(answered["@timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn without_tf_log_nothing_is_logged() {
    let terraform = Identity::new(1);
    let plugin = Launch::by_terraform(&terraform).start().await;
    schema(&mut plugin.connect(&terraform)).await.unwrap();
    assert_eq!(shut_down(plugin, &terraform).await, (String::new(), String::new()));
}

// ---- Ending ----

#[tokio::test]
async fn ctrl_c_is_ignored_and_stop_provider_keeps_serving() {
    let (mut plugin, mut terraform) = started().await;
    signal(&plugin, "INT").await;
    schema(&mut terraform).await.unwrap();

    let stopped = soon(terraform.provider.stop_provider(stop_provider::Request {})).await.unwrap();
    assert_eq!(stopped.into_inner().error, "");
    schema(&mut terraform).await.unwrap();
    assert_eq!(plugin.process.try_wait().unwrap(), None);
}

#[tokio::test]
async fn shutdown_ends_the_process_and_removes_the_socket_directory() {
    let terraform = Identity::new(1);
    let mut plugin = Launch::by_terraform(&terraform).start().await;
    let mut connection = plugin.connect(&terraform);
    let directory = plugin.socket().parent().unwrap().to_owned();
    assert!(directory.exists());

    soon(connection.controller.shutdown(plugin::Empty {})).await.unwrap();
    assert!(soon(plugin.process.wait()).await.unwrap().success());
    assert!(!directory.exists());
}

#[tokio::test]
async fn sigterm_ends_the_process_and_removes_the_socket_directory() {
    let (mut plugin, mut terraform) = started().await;
    schema(&mut terraform).await.unwrap();
    let directory = plugin.socket().parent().unwrap().to_owned();

    signal(&plugin, "TERM").await;
    assert!(soon(plugin.process.wait()).await.unwrap().success());
    assert!(!directory.exists());
}

async fn signal(plugin: &Plugin, name: &str) {
    let pid = plugin.process.id().unwrap().to_string();
    let kill = soon(Command::new("kill").args(["-s", name, &pid]).status()).await.unwrap();
    assert!(kill.success());
}

async fn started() -> (Plugin, Connection) {
    let terraform = Identity::new(1);
    let plugin = Launch::by_terraform(&terraform).start().await;
    let connection = plugin.connect(&terraform);
    (plugin, connection)
}

/// `stranger` gets no answer from a process that `terraform` gets one from, before and after.
async fn refused(terraform: &Identity, stranger: &Identity) {
    let plugin = Launch::by_terraform(terraform).start().await;
    schema(&mut plugin.connect(terraform)).await.unwrap();
    schema(&mut plugin.connect(stranger)).await.unwrap_err();
    schema(&mut plugin.connect(terraform)).await.unwrap();
}

async fn schema(connection: &mut Connection) -> Result<get_provider_schema::Response, tonic::Status> {
    let request = get_provider_schema::Request {};
    soon(connection.provider.get_provider_schema(request)).await.map(tonic::Response::into_inner)
}

/// What was still written to stdout and stderr.
async fn shut_down(mut plugin: Plugin, terraform: &Identity) -> (String, String) {
    let mut connection = plugin.connect(terraform);
    soon(connection.controller.shutdown(plugin::Empty {})).await.unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    soon(plugin.stdout.read_to_string(&mut stdout)).await.unwrap();
    let mut errors = plugin.process.stderr.take().unwrap();
    soon(errors.read_to_string(&mut stderr)).await.unwrap();
    soon(plugin.process.wait()).await.unwrap();
    (stdout, stderr)
}
