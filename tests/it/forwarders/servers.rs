//! BIND, Unbound, dnsmasq, PowerDNS Recursor and Knot Resolver.

use studio::dns::{name::ZoneName, render::Kind};

use super::{ADDRESSES, Folder, Verdict, ZONES, broken, rendering};

/// Around the two files of BIND, as their first comments say: at the top level or in a view, and in `options`.
fn bind(zones: &str, options: &str, in_view: bool) -> Verdict {
    let include = "include \"/run/studio/zones.conf\";";
    let include = match in_view {
        true => format!("view inside {{ match-clients {{ any; }}; {include} }};"),
        false => include.to_owned(),
    };
    let named = format!(
        "options {{ directory \"/tmp\"; dnssec-validation auto; include \"/run/studio/options.conf\"; }};\n{include}\n"
    );
    let folder = Folder::new().with("zones.conf", zones).with("options.conf", options).with("named.conf", &named);
    // -p prints what was understood.
    folder.run("named-checkconf", &["-p", "/run/studio/named.conf"])
}

#[test]
fn bind_accepts_its_two_files_with_and_without_views() {
    for addresses in ADDRESSES {
        for in_view in [false, true] {
            let (zones, options) = (rendering(Kind::Bind, addresses), rendering(Kind::BindOptions, addresses));
            let verdict = bind(&zones, &options, in_view);
            verdict.assert_accepted();
            assert_eq!(verdict.text.matches("forward only;").count(), ZONES.len(), "{}", verdict.text);
            assert!(ZONES.iter().all(|zone| verdict.text.contains(&format!("zone \"{zone}\""))), "{}", verdict.text);
            assert!(verdict.text.contains("validate-except"), "{}", verdict.text);
        }
    }
}

#[test]
fn bind_refuses_what_is_broken() {
    let (zones, options) = (rendering(Kind::Bind, ADDRESSES[0]), rendering(Kind::BindOptions, ADDRESSES[0]));
    let refused = |zones: &str, options: &str, reason: &str| bind(zones, options, false).assert_refused(reason);
    refused(&broken(&zones, "10.0.1.10", "10.0.1.300"), &options, "expected IP address");
    refused(&broken(&zones, "forward only", "forward alone"), &options, "'alone' unexpected");
    refused(&format!("{zones}{zones}"), &options, "already exists");
    refused(&zones, &options.repeat(2), "'validate-except' redefined");
    refused(&zones, &broken(&options, "validate-except {", "validate-not {"), "unknown option 'validate-not'");
}

/// What a comment of the file says.
#[test]
fn bind_takes_the_names_in_the_comment_as_the_end_of_deny_answer_addresses() {
    let options = rendering(Kind::BindOptions, ADDRESSES[0]);
    let (_, comment) = options.split_once("//     except-from").unwrap();
    let except_from = format!("except-from{}", comment.replace("//", ""));
    let options = format!("{options}deny-answer-addresses {{ 10.0.0.0/8; }} {except_from}");
    bind(&rendering(Kind::Bind, ADDRESSES[0]), &options, false).assert_accepted();
}

/// With these the server would forward nothing, and the queries would go to public DNS.
#[test]
fn what_the_checkers_let_pass_the_provider_refuses() {
    let (zones, options) = (rendering(Kind::Bind, ADDRESSES[0]), rendering(Kind::BindOptions, ADDRESSES[0]));
    let wildcard = format!("*.{}", ZONES[0]);
    bind(&broken(&zones, ZONES[0], &wildcard), &options, false).assert_accepted();
    assert!(ZoneName::parse(&wildcard).is_err());

    let quoted = format!("\u{201c}{}\u{201d}", ZONES[0]);
    bind(&broken(&zones, &format!("\"{}\"", ZONES[0]), &quoted), &options, false).assert_accepted();
    assert!(ZoneName::parse(&quoted).is_err());

    let server = rendering(Kind::Unbound, ADDRESSES[0]);
    unbound(&broken(&server, &format!("name: \"{}", ZONES[0]), &format!("name: \"{wildcard}"))).assert_accepted();
    dnsmasq(&rendering(Kind::Dnsmasq, ADDRESSES[0]).replace(ZONES[0], &wildcard)).assert_accepted();
    let recursor = rendering(Kind::PowerDnsRecursor, ADDRESSES[0]);
    powerdns(&broken(&recursor, "10.0.1.10", "resolver.example.com"), "").assert_accepted();
    assert!("resolver.example.com".parse::<std::net::IpAddr>().is_err());
}

fn unbound(config: &str) -> Verdict {
    let main = "server:\n    directory: \"/tmp\"\n    chroot: \"\"\n    username: \"\"\ninclude: \"/run/studio/studio.conf\"\n";
    let folder = Folder::new().with("unbound.conf", main).with("studio.conf", config);
    folder.run("unbound-checkconf", &["/run/studio/unbound.conf"])
}

#[test]
fn unbound_accepts_its_file() {
    for addresses in ADDRESSES {
        unbound(&rendering(Kind::Unbound, addresses)).assert_accepted();
    }
}

#[test]
fn unbound_refuses_what_is_broken() {
    let config = rendering(Kind::Unbound, ADDRESSES[0]);
    unbound(&broken(&config, "10.0.1.10", "10.0.1.300")).assert_refused("10.0.1.300");
    unbound(&broken(&config, "forward-first: no", "forward-first: never")).assert_refused("expected yes or no");
    unbound(&broken(&config, "domain-insecure", "domain-unsigned")).assert_refused("unknown keyword");
}

fn dnsmasq(config: &str) -> Verdict {
    Folder::new().with("studio.conf", config).run("dnsmasq", &["--test", "--conf-file=/run/studio/studio.conf"])
}

#[test]
fn dnsmasq_accepts_its_file() {
    for addresses in ADDRESSES {
        dnsmasq(&rendering(Kind::Dnsmasq, addresses)).assert_accepted();
    }
}

#[test]
fn dnsmasq_refuses_what_is_broken() {
    let config = rendering(Kind::Dnsmasq, ADDRESSES[0]);
    dnsmasq(&broken(&config, "10.0.1.10", "10.0.1.300")).assert_refused("line 5");
    dnsmasq(&broken(&config, "rebind-domain-ok", "rebind-domain")).assert_refused("bad option");
    // Why there is no exemption from validation in the file.
    dnsmasq(&format!("{config}trust-anchor={}\n", ZONES[0])).assert_refused("bad trust anchor");
}

/// The recursor's folder, with our file in its include-dir.
fn powerdns(config: &str, lua: &str) -> Verdict {
    powerdns_beside("", config, lua)
}

fn powerdns_beside(main: &str, config: &str, lua: &str) -> Verdict {
    let main = format!("include-dir=/run/studio/recursor.d\nlua-config-file=/run/studio/recursor.lua\n{main}");
    let folder =
        Folder::new().with("recursor.conf", &main).with("recursor.d/studio.conf", config).with("recursor.lua", lua);
    let verdict = folder.run("pdns_recursor", &["--config-dir=/run/studio", "--config=check"]);
    if !verdict.accepted {
        return verdict;
    }
    // The check prints nothing; this prints what was understood.
    folder.run("pdns_recursor", &["--config-dir=/run/studio", "--config=diff"])
}

#[test]
fn powerdns_accepts_its_file() {
    for addresses in ADDRESSES {
        let verdict = powerdns(&rendering(Kind::PowerDnsRecursor, addresses), "");
        verdict.assert_accepted();
        let zones = ZONES.map(|zone| format!("{zone}={}", addresses.join(";"))).join(", ");
        let understood = format!("\nforward-zones-recurse={zones}\n");
        assert!(verdict.text.contains(&understood), "{understood:?} is not in: {}", verdict.text);
    }
}

/// What a comment of the file says.
#[test]
fn powerdns_keeps_the_zones_of_others_when_ours_are_added_to_them() {
    let config = rendering(Kind::PowerDnsRecursor, ADDRESSES[0]);
    let added = broken(&config, &format!("={}", ZONES[0]), &format!("+={}", ZONES[0]));
    let verdict = powerdns_beside("forward-zones-recurse=corp.example=10.9.9.9\n", &added, "");
    verdict.assert_accepted();
    let understood = format!("\nforward-zones-recurse=corp.example=10.9.9.9, {}=10.0.1.10", ZONES[0]);
    assert!(verdict.text.contains(&understood), "{understood:?} is not in: {}", verdict.text);
    // With nothing to add to, the recursor would not start.
    powerdns(&added, "").assert_refused("Incremental setting 'forward-zones-recurse' without a parent");
}

#[test]
fn powerdns_refuses_what_is_broken() {
    let config = rendering(Kind::PowerDnsRecursor, ADDRESSES[0]);
    let renamed = broken(&config, "forward-zones-recurse=", "forward-zones-recursive=");
    powerdns(&renamed, "").assert_refused("unknown setting 'forward-zones-recursive'");
}

/// The recursor does not look into its Lua file when it checks. Knot Resolver has the same Lua in it, so it runs the
/// file, with a function of that name that tells what it was called with.
#[test]
fn the_lua_file_of_powerdns_runs_and_exempts_each_zone() {
    let run = |lua: &str| {
        let stub = "function addNTA(name, why) print(name, type(why)) end\ndofile('/run/studio/studio.lua')\n";
        knot(stub, lua)
    };
    let lua = rendering(Kind::PowerDnsRecursorLua, ADDRESSES[0]);
    let verdict = run(&lua);
    verdict.assert_accepted();
    assert!(ZONES.iter().all(|zone| verdict.text.contains(&format!("{zone}\tstring"))), "{}", verdict.text);
    run(&broken(&lua, "addNTA(", "addNTA")).assert_refused("studio.lua");
    run(&broken(&lua, "addNTA(", "addnta(")).assert_refused("addnta");
}

/// Runs Knot Resolver with this configuration, and has it quit.
fn knot(config: &str, ours: &str) -> Verdict {
    let folder = Folder::new().with("kresd.conf", &format!("{config}\nquit()\n")).with("studio.lua", ours);
    folder.with("run/empty", "").run("kresd", &["-n", "-c", "/run/studio/kresd.conf", "/run/studio/run"])
}

/// An exemption from before, our file, and then what came of it. Names are printed only after the file has run: a list
/// that it changes afterwards would make rules that match nothing.
const KNOT: &str = "
    trust_anchors.set_insecure({ 'corp.example' })
    local lists, suffix = {}, policy.suffix
    policy.suffix = function (action, names)
        table.insert(lists, names)
        return suffix(action, names)
    end
    dofile('/run/studio/studio.lua')
    print('exempt', table.concat(trust_anchors.insecure, ' '))
    for _, names in ipairs(lists) do
        for _, name in ipairs(names) do
            print('rule for', kres.dname2str(name))
        end
    end
    print('rules', #policy.rules)
";

#[test]
fn knot_resolver_runs_its_file_and_keeps_the_exemptions_of_others() {
    for addresses in ADDRESSES {
        let verdict = knot(KNOT, &rendering(Kind::KnotResolver, addresses));
        verdict.assert_accepted();
        let exempt = format!("exempt\tcorp.example {}\n", ZONES.join(" "));
        assert!(verdict.text.contains(&exempt), "{exempt:?} is not in: {}", verdict.text);
        for zone in ZONES {
            let rules = verdict.text.matches(&format!("rule for\t{zone}.\n")).count();
            assert_eq!(rules, 2, "{zone}: {}", verdict.text);
        }
        assert!(verdict.text.contains("rules\t2"), "{}", verdict.text);
    }
}

/// The mistake that the test above is there for: it runs, and forwards nothing.
#[test]
fn knot_resolver_takes_rules_that_match_nothing() {
    let ours = rendering(Kind::KnotResolver, ADDRESSES[0]);
    let twice = broken(&ours, "FORWARD(servers), suffixes", "FORWARD(servers), policy.todnames(zones)");
    let verdict = knot(KNOT, &twice);
    verdict.assert_accepted();
    assert!(!verdict.text.contains(&format!("rule for\t{}.\n", ZONES[0])), "{}", verdict.text);
}

#[test]
fn knot_resolver_refuses_what_is_broken() {
    let ours = rendering(Kind::KnotResolver, ADDRESSES[0]);
    let refused = |ours: &str, reason: &str| knot("dofile('/run/studio/studio.lua')", ours).assert_refused(reason);
    refused(&broken(&ours, "10.0.1.10", "10.0.1.300"), "is not a valid IP address");
    refused(&broken(&ours, "set_insecure(insecure)", "set_insecure(zones[1])"), "must be list of domain names");
    refused(&broken(&ours, "local servers = {", "local servers = {{"), "studio.lua");
}
