//! `studio_dns_check` through the real Terraform, with DNS servers on this machine's loopback.
//!
//! What it says of whole networks is tested in `dns_lab`.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use hickory_resolver::proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME},
    },
};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::{emulator::Account, terraform::Workspace};

/// A server whose answer the first label of a name asks for. It ends with the tests.
fn server() -> SocketAddr {
    // A port that is free for one transport may be taken for the other.
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = udp.recv_from(&mut buffer) {
            if let Some(reply) = reply(&buffer[..length]) {
                udp.send_to(&reply, client).unwrap();
            }
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming() {
            thread::spawn(move || serve(stream.unwrap()));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question).unwrap();
        match reply(&question) {
            Some(reply) => stream.write_all(&[&(reply.len() as u16).to_be_bytes()[..], &reply].concat()).unwrap(),
            None => thread::sleep(Duration::from_secs(60)),
        }
    }
}

fn reply(question: &[u8]) -> Option<Vec<u8>> {
    let mut reply = Message::from_vec(question).unwrap();
    assert!(reply.metadata.recursion_desired, "every question desires recursion");
    reply.metadata.message_type = MessageType::Response;
    reply.metadata.recursion_available = true;
    let query = reply.queries[0].clone();
    let (name, of) = (query.name().clone(), query.query_type());
    let v4 = |name: &Name, address: [u8; 4]| {
        let own = Record::from_rdata(name.clone(), 60, RData::A(A(Ipv4Addr::from(address))));
        (of == RecordType::A).then_some(own)
    };
    let v6 = |name: &Name, address: &str| {
        let address: Ipv6Addr = address.parse().unwrap();
        (of == RecordType::AAAA).then(|| Record::from_rdata(name.clone(), 60, RData::AAAA(AAAA(address))))
    };
    let label = name.iter().next().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase()).unwrap();
    match label.as_str() {
        "private" => reply.add_answers([v4(&name, [10, 0, 0, 12]), v4(&name, [10, 0, 1, 12])].into_iter().flatten()),
        "both" => reply.add_answers(v4(&name, [10, 0, 0, 12]).into_iter().chain(v6(&name, "fd00::12"))),
        "leaky" => reply.add_answers(v4(&name, [10, 0, 0, 12]).into_iter().chain(v6(&name, "2001:db8::12"))),
        "public" => reply.add_answers(v4(&name, [203, 0, 113, 10])),
        "alias" => {
            let end = Name::from_ascii("vpce.example.").unwrap();
            let alias = Record::from_rdata(name.clone(), 60, RData::CNAME(CNAME(end.clone())));
            reply.add_answer(alias).add_answers(v4(&end, [100, 64, 0, 1]))
        }
        "empty" => &mut reply,
        "absent" => set(&mut reply, ResponseCode::NXDomain),
        "failing" => set(&mut reply, ResponseCode::ServFail),
        "refusing" => set(&mut reply, ResponseCode::Refused),
        "silent" => return None,
        "garbled" => return Some(vec![0; 5]),
        other => panic!("no answer is known for {other}"),
    };
    Some(reply.to_vec().unwrap())
}

fn set(reply: &mut Message, code: ResponseCode) -> &mut Message {
    reply.metadata.response_code = code;
    reply
}

/// The data source with these lines, and all of it as an output.
fn check(lines: &str) -> String {
    format!(
        "data \"studio_dns_check\" \"test\" {{\n{lines}\n}}\noutput \"all\" {{\n  value = data.studio_dns_check.test\n}}\n"
    )
}

fn checked(lines: &str) -> Json {
    let account = Account::new();
    let workspace = Workspace::with(&account, &check(lines));
    workspace.apply();
    assert_eq!(account.changes(), [] as [&str; 0]);
    workspace.output("all")
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

#[test]
fn every_kind_of_answer_is_a_result_over_both_transports_and_none_fails_the_run() {
    let server = server().to_string();
    // The name, its addresses, the code, whether it is private and passes, and why.
    type Case = (&'static str, &'static [&'static str], Option<&'static str>, bool, bool, &'static str);
    let cases: [Case; 11] = [
        ("private", &["10.0.0.12", "10.0.1.12"], Some("NOERROR"), true, true, "which are private"),
        ("both", &["10.0.0.12", "fd00::12"], Some("NOERROR"), true, true, "which are private"),
        ("alias", &["100.64.0.1"], Some("NOERROR"), true, true, "which is private"),
        ("leaky", &["10.0.0.12", "2001:db8::12"], Some("NOERROR"), false, false, "2001:db8::12, which is public"),
        ("public", &["203.0.113.10"], Some("NOERROR"), false, false, "203.0.113.10, which is public"),
        ("empty", &[], Some("NOERROR"), false, false, "has no address for it"),
        ("absent", &[], Some("NXDOMAIN"), false, false, "does not exist (NXDOMAIN)"),
        ("failing", &[], Some("SERVFAIL"), false, false, "could not find the answer (SERVFAIL)"),
        ("refusing", &[], Some("REFUSED"), false, false, "refuses to answer this machine (REFUSED)"),
        ("silent", &[], None, false, false, "did not answer within 700ms"),
        ("garbled", &[], None, false, false, "as a DNS server does"),
    ];
    let names: Vec<String> = cases.iter().map(|case| format!("{}.Studio.us-east-1.sagemaker.aws", case.0)).collect();
    let lines =
        format!("  host_names = {}\n  servers = [\"{server}\"]\n  attempts = 1\n  timeout = \"700ms\"", json!(names));
    let found = checked(&lines);
    assert_eq!(found["passed"], false);
    assert_eq!(found["transport"], "both");
    let mut results = found["results"].as_array().unwrap().iter();
    for (name, answers, rcode, private, passed, reason) in cases {
        for transport in ["udp", "tcp"] {
            let result = results.next().unwrap();
            assert_eq!(result["host_name"], format!("{name}.Studio.us-east-1.sagemaker.aws"));
            assert_eq!((text(&result["transport"]), text(&result["server"])), (transport, server.as_str()));
            assert_eq!(result["answers"], json!(answers), "{result}");
            assert_eq!(result["rcode"].as_str(), rcode, "{result}");
            assert_eq!((&result["private"], &result["passed"]), (&json!(private), &json!(passed)), "{result}");
            assert!(text(&result["reason"]).contains(reason), "{reason:?} is not in {result}");
            assert!(text(&result["reason"]).starts_with(&server), "{result}");
            assert_eq!(result["latency_ms"].is_u64(), rcode.is_some(), "{result}");
        }
    }
    assert_eq!(results.next(), None);
}

#[test]
fn a_server_that_is_not_there_is_a_result() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Documentation addresses of IPv6 have no route here, and loopback's own have no listener.
    let lines = format!("  host_names = [\"private.studio.aws\"]\n  servers = [\"{free}\", \"[::1]:{}\"]", free.port());
    let found = checked(&lines);
    assert_eq!(found["passed"], false);
    let results = found["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        assert_eq!(result["rcode"], Json::Null);
        let reason = text(&result["reason"]);
        assert!(reason.contains("Nothing listens") || reason.contains("cannot be reached"), "{result}");
    }
}

#[test]
fn only_the_expected_addresses_pass_where_they_are_named() {
    let server = server();
    let lines = |name: &str, expected: &str| {
        format!(
            "  host_names = [\"{name}.studio.aws\"]\n  servers = [\"{server}\"]\n  transport = \"udp\"\n  expected_ips = {expected}"
        )
    };
    let found = checked(&lines("public", "[\"203.0.113.10\"]"));
    assert_eq!((&found["passed"], &found["results"][0]["private"]), (&json!(true), &json!(false)));
    assert_eq!(found["results"].as_array().unwrap().len(), 1);
    let found = checked(&lines("private", "[\"10.0.0.12\"]"));
    assert_eq!(found["passed"], false);
    assert!(text(&found["results"][0]["reason"]).contains("10.0.1.12, which expected_ips does not name"), "{found}");
    assert_eq!(checked(&lines("private", "[\"10.0.0.12\", \"10.0.1.12\", \"10.0.2.12\"]"))["passed"], true);
}

#[test]
fn many_servers_that_are_silent_are_asked_at_the_same_time() {
    let servers: Vec<UdpSocket> = (0..10).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<String> = servers.iter().map(|server| server.local_addr().unwrap().to_string()).collect();
    let lines = format!(
        "  host_names = [\"a.studio.aws\", \"b.studio.aws\"]\n  servers = {}\n  transport = \"udp\"\n  timeout = \"2s\"",
        json!(addresses)
    );
    let account = Account::new();
    let workspace = Workspace::with(&account, &check(&lines));
    let started = Instant::now();
    workspace.plan();
    let took = started.elapsed();
    // One after the other they would take two minutes.
    assert!(took >= Duration::from_secs(6) && took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn a_check_block_warns_and_the_run_succeeds() {
    let server = server();
    let hcl = |name: &str| {
        format!(
            r#"
check "studio_is_private" {{
  data "studio_dns_check" "test" {{
    host_names = ["{name}.studio.aws"]
    servers    = ["{server}"]
  }}

  assert {{
    condition     = data.studio_dns_check.test.passed
    error_message = join(" ", data.studio_dns_check.test.results[*].reason)
  }}
}}
"#
        )
    };
    let account = Account::new();
    let workspace = Workspace::with(&account, &hcl("private"));
    assert!(!workspace.apply().contains("Check block assertion failed"));
    workspace.write(&hcl("public"));
    let text = workspace.apply();
    assert!(text.contains("Check block assertion failed") && text.contains("203.0.113.10, which is"), "{text}");
}

#[test]
fn what_is_not_known_at_plan_is_asked_for_at_apply() {
    let server = server();
    let hcl = |expected: &str| {
        "resource \"terraform_data\" \"made\" {\n  input = [\"10.0.0.12\", \"10.0.1.12\"]\n}\n".to_owned()
            + &check(&format!(
                "  host_names = [\"private.studio.aws\"]\n  servers = [\"{server}\"]\n  expected_ips = {expected}"
            ))
    };
    let account = Account::new();
    let workspace = Workspace::with(&account, &hcl("terraform_data.made.output"));
    let plan = workspace.plan();
    assert!(plan.text.contains("data.studio_dns_check.test will be read during apply"), "{}", plan.text);
    workspace.apply();
    assert_eq!(workspace.output("all")["passed"], true);
}

#[test]
fn what_cannot_be_asked_is_an_error_at_its_attribute() {
    let account = Account::new();
    let good = [
        ("host_names", "[\"a.studio.aws\"]"),
        ("servers", "[\"127.0.0.1\"]"),
        ("expected_ips", "[\"10.0.0.1\"]"),
        ("transport", "\"udp\""),
        ("attempts", "1"),
        ("timeout", "\"1s\""),
    ];
    let cases = [
        ("host_names", "[]", "at least 1 are needed"),
        ("host_names", "[\"*.studio.aws\"]", "has a wildcard. Name one host"),
        ("host_names", "[\"https://a.studio.aws\"]", "has ':' in it"),
        ("host_names", "[\"10.0.0.1\"]", "is an IP address, not a host name"),
        ("servers", "[]", "at least 1 are needed"),
        ("servers", "[\"dns.example.com\"]", "is not the address of a DNS server"),
        ("servers", "[\"10.0.0.1:0\"]", "has the port 0"),
        ("expected_ips", "[\"10.0.0.0/24\"]", "is not an IP address"),
        ("transport", "\"quic\"", "is not one of udp, tcp, both"),
        ("attempts", "0", "a whole number from 1 to 10"),
        ("attempts", "1.5", "a whole number from 1 to 10"),
        ("timeout", "\"soon\"", "is not a duration"),
        ("timeout", "\"31s\"", "is longer than the 30s"),
    ];
    for (attribute, value, reason) in cases {
        let line =
            |(name, good): &(&str, &str)| format!("  {name} = {}", if *name == attribute { value } else { good });
        let lines: Vec<String> = good.iter().map(line).collect();
        let text = Workspace::with(&account, &check(&lines.join("\n"))).plan_expect_error();
        let text = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(text.contains(reason), "{reason:?} is not in: {text}");
        assert!(text.contains(&format!("Invalid {attribute}")), "{text}");
        assert!(text.contains(&format!(": {attribute} = {value}")), "the line is not shown: {text}");
    }
}
