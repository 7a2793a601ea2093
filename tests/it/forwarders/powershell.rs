//! Windows DNS Server: the script parses, and its cmdlets take the parameters that they are given.

use std::process::Command;

use studio::dns::render::Kind;

use super::{ADDRESSES, Folder, Verdict, both, broken, here, rendering, setup};

fn check(script: &str) -> Verdict {
    let output = setup(&["python"]);
    assert!(output.status.success(), "the parser of PowerShell is not there: {}", both(&output));
    let python = String::from_utf8(output.stdout).unwrap();
    let folder = Folder::new().with("script.ps1", script);
    let mut command = Command::new(python.trim());
    // Compiled files stay out of the source tree.
    command.arg("-B").arg(here().join("powershell.py")).arg(folder.path().join("script.ps1"));
    let output = command.output().unwrap();
    let text = both(&output);
    assert!(!text.contains("Traceback"), "{text}");
    Verdict { accepted: output.status.success(), text }
}

#[test]
fn the_script_parses_and_uses_only_known_cmdlets_and_parameters() {
    for addresses in ADDRESSES {
        check(&rendering(Kind::WindowsDns, addresses)).assert_accepted();
    }
}

#[test]
fn a_script_that_does_not_parse_is_refused() {
    let script = rendering(Kind::WindowsDns, ADDRESSES[0]);
    check(&broken(&script, "} else {", "else {")).assert_refused("does not parse");
    check(&broken(&script, "'Forest'", "'Forest")).assert_refused("does not parse");
    check(&broken(&script, "$zones = @(", "$zones = @((")).assert_refused("does not parse");
    check("").assert_refused("there is no command");
}

#[test]
fn a_cmdlet_or_parameter_that_does_not_exist_is_refused() {
    let script = rendering(Kind::WindowsDns, ADDRESSES[0]);
    let renamed = broken(&script, "Add-DnsServerConditionalForwarderZone", "Add-DnsServerForwarderZone");
    check(&renamed).assert_refused("Add-DnsServerForwarderZone is not one of the cmdlets");
    check(&broken(&script, "-MasterServers", "-Forwarders")).assert_refused("has no parameter -Forwarders");
    check(&broken(&script, "-MasterServers $servers -UseRecursion:", "-UseRecursion:"))
        .assert_refused("needs -MasterServers");
    check(&broken(&script, "'Forest'", "'World'")).assert_refused("has no value \"'World'\"");
    check(&broken(&script, "Clear-DnsServerCache", "& Clear-DnsServerCache")).assert_refused("without a plain name");
}

#[test]
fn use_recursion_is_a_switch_on_add_and_a_boolean_on_set() {
    let script = rendering(Kind::WindowsDns, ADDRESSES[0]);
    check(&broken(&script, "-UseRecursion:$false", "-UseRecursion $false")).assert_refused("is a switch");
    check(&broken(&script, "-UseRecursion $false", "-UseRecursion")).assert_refused("needs a Boolean");
    check(&broken(&script, "-UseRecursion $false", "-UseRecursion 'no'")).assert_refused("is a Boolean");
    let together = broken(&script, "-UseRecursion $false", "-UseRecursion $false -ReplicationScope 'Forest'");
    check(&together).assert_refused("does not take -ReplicationScope together with -MasterServers");
}
