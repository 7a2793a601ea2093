//! BIND, Unbound, dnsmasq, PowerDNS Recursor and Knot Resolver, each as a company's DNS server.

use std::{net::IpAddr, thread, time::Duration};

use super::{
    aws::Aws,
    lab::{Lab, PUBLIC, Reply},
};

/// What public DNS says of Studio's names.
const PUBLIC_STUDIO: [&str; 2] = ["198.18.0.10", "2001:2::10"];

/// What public DNS says of every name of another company.
const PUBLIC_OTHER: &str = "198.18.0.80";

/// For one question, `dig` waits as long as a slow server needs to give up one of its upstreams, three times.
const PATIENT: [&str; 2] = ["+tries=3", "+time=5"];

/// When no answer is expected.
const IMPATIENT: [&str; 2] = ["+tries=1", "+time=4"];

/// A DNS server: its name for the lab, and which rendering goes into which file.
#[derive(Clone, Copy)]
pub struct Server {
    kind: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// BIND.
pub const BIND: Server = Server { kind: "bind", files: &[("bind", "bind"), ("bind_options", "bind_options")] };
const UNBOUND: Server = Server { kind: "unbound", files: &[("unbound", "unbound")] };
const DNSMASQ: Server = Server { kind: "dnsmasq", files: &[("dnsmasq", "dnsmasq")] };
const POWERDNS: Server = Server {
    kind: "powerdns",
    files: &[("powerdns_recursor", "recursor.d/studio.conf"), ("powerdns_recursor_lua", "powerdns_recursor_lua")],
};
const KNOT: Server = Server { kind: "knot", files: &[("knot_resolver", "knot_resolver")] };

impl Server {
    /// Starts it with what was rendered.
    pub fn start_with(self, lab: &mut Lab, aws: &Aws) {
        for (rendering, file) in self.files {
            lab.install(file, &aws.configs[*rendering]);
        }
        lab.tell(&format!("corporate {}", self.kind));
    }

    /// Starts it without.
    pub fn start_without(self, lab: &mut Lab) {
        for (_, file) in self.files {
            lab.install(file, "");
        }
        lab.tell(&format!("corporate {}", self.kind));
    }
}

/// The whole story of one server.
fn story(server: Server) {
    let aws = Aws::new();
    let mut lab = Lab::start(&aws.account, &aws.inbound);
    for parent in ["unsigned", "signed"] {
        lab.tell(&format!("public {parent}"));
        server.start_without(&mut lab);
        before(&lab, parent);
        server.start_with(&mut lab, &aws);
        lab.forget_queries();
        after(&lab, &aws, parent);
        others(&lab, parent);
    }
    one_down(&mut lab, &aws, server);
    both_down(&mut lab, &aws);
    server.start_with(&mut lab, &aws);
    after(&lab, &aws, "mended");
    without_internet(&mut lab, &aws, server);
    assert_eq!(lab.leaked(), [""; 0]);
}

/// Public answers, and the log shows that public DNS was asked: so it would show a leak.
fn before(lab: &Lab, when: &str) {
    for (of, address) in ["A", "AAAA"].into_iter().zip(PUBLIC_STUDIO) {
        let reply = insist(lab, &[&fresh(), of]);
        assert_eq!(reply.addresses, [address.parse::<IpAddr>().unwrap()], "{when}: {}\n{}", reply.text, lab.logs());
    }
    others(lab, when);
    assert!(!lab.leaked().is_empty(), "{when}: public DNS logs what it is asked");
}

/// The endpoint's addresses, whichever way the question is put.
fn after(lab: &Lab, aws: &Aws, when: &str) {
    let host = aws.host_names[0].clone();
    let mixed: String =
        host.char_indices().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let apex = "studio.us-east-1.sagemaker.aws".to_owned();
    let other_parent = fresh().replace("studio.us-east-1.sagemaker.aws", "studio.sagemaker.us-east-1.app.aws");
    for name in [host, mixed, fresh(), format!("a.b.{}", fresh()), apex, other_parent] {
        for of in ["A", "AAAA"] {
            for transport in ["+notcp", "+tcp"] {
                let reply = insist(lab, &[&name, of, transport]);
                assert_eq!(reply.status.as_deref(), Some("NOERROR"), "{when}: {}\n{}", reply.text, lab.logs());
                assert_eq!(reply.addresses, aws.endpoint_of(of == "AAAA"), "{when}: {}\n{}", reply.text, lab.logs());
            }
        }
    }
    assert_eq!(lab.leaked(), [""; 0], "{when}");
}

/// Names that are not Studio's, hardly ever asked for before.
fn others(lab: &Lab, when: &str) {
    for transport in ["+notcp", "+tcp"] {
        let name = format!("host{}.example.com", fastrand::u16(1..=500));
        let reply = insist(lab, &[&name, "A", transport]);
        assert_eq!(
            reply.addresses,
            [PUBLIC_OTHER.parse::<IpAddr>().unwrap()],
            "{when}: {}\n{}",
            reply.text,
            lab.logs()
        );
    }
}

/// Each in its turn. The server starts anew, because some do not soon ask an address again that was down.
fn one_down(lab: &mut Lab, aws: &Aws, server: Server) {
    for address in &aws.inbound {
        server.start_with(lab, aws);
        lab.tell(&format!("cut {address}"));
        for reply in together(lab, |question| insist(lab, question)) {
            assert_eq!(reply.addresses, aws.endpoint_of(false), "{address} is down: {}\n{}", reply.text, lab.logs());
        }
        lab.tell(&format!("mend {address}"));
    }
    assert_eq!(lab.leaked(), [""; 0], "one address was down");
}

/// Neither new names nor known ones are answered, others are, and public DNS is not asked for Studio's.
fn both_down(lab: &mut Lab, aws: &Aws) {
    let all = aws.inbound.join(" ");
    lab.tell(&format!("cut {all}"));
    for reply in together(lab, |question| lab.dig(&[question, &IMPATIENT].concat())) {
        // What exactly a server says then is its own affair: SERVFAIL, or nothing in time.
        assert_ne!(reply.status.as_deref(), Some("NOERROR"), "{}\n{}", reply.text, lab.logs());
        assert_eq!(reply.addresses, [] as [IpAddr; 0], "{}", reply.text);
    }
    let known = lab.dig(&[&[aws.host_names[0].as_str(), "A"][..], &IMPATIENT].concat());
    assert_eq!(known.addresses, [] as [IpAddr; 0], "{}", known.text);
    others(lab, "both addresses are down");
    assert_eq!(lab.leaked(), [""; 0], "both addresses were down");
    lab.tell(&format!("mend {all}"));
}

/// A server that reaches the VPC and not the internet.
fn without_internet(lab: &mut Lab, aws: &Aws, server: Server) {
    lab.tell(&format!("cut {PUBLIC}"));
    server.start_with(lab, aws);
    for reply in together(lab, |question| insist(lab, question)) {
        assert_eq!(reply.addresses, aws.endpoint_of(false), "no internet: {}\n{}", reply.text, lab.logs());
    }
    lab.tell(&format!("mend {PUBLIC}"));
}

/// Asks for new names over both transports at the same time.
fn together(lab: &Lab, ask: impl Fn(&[&str]) -> Reply + Sync) -> Vec<Reply> {
    let names = [fresh(), fresh(), fresh(), fresh()];
    let transport = |index| if index % 2 == 0 { "+notcp" } else { "+tcp" };
    thread::scope(|scope| {
        let ask = &ask;
        let threads =
            names.iter().enumerate().map(|(index, name)| scope.spawn(move || ask(&[name, "A", transport(index)])));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|one| one.join().unwrap_or_else(|_| panic!("{}", lab.logs()))).collect()
    })
}

/// Asks where there must be an answer. After an error it asks again, as the resolvers of applications do: on a busy
/// machine a server that has just started may give up too soon.
fn insist(lab: &Lab, question: &[&str]) -> Reply {
    let ask = || lab.dig(&[question, &PATIENT].concat());
    let mut reply = ask();
    for _ in 0..4 {
        if reply.status.as_deref() == Some("NOERROR") {
            break;
        }
        thread::sleep(Duration::from_millis(500));
        reply = ask();
    }
    reply
}

/// A name that no cache has, as Studio gives to each app.
fn fresh() -> String {
    let label: String = (0..15).map(|_| fastrand::lowercase()).collect();
    format!("{label}.studio.us-east-1.sagemaker.aws")
}

#[test]
fn bind_forwards_to_the_vpc_and_nowhere_else() {
    story(BIND);
}

#[test]
fn unbound_forwards_to_the_vpc_and_nowhere_else() {
    story(UNBOUND);
}

#[test]
#[ignore = "takes half a minute; .ci/run runs it with: cargo test --test it dns_lab -- --ignored"]
fn dnsmasq_forwards_to_the_vpc_and_nowhere_else() {
    story(DNSMASQ);
}

#[test]
#[ignore = "takes half a minute; .ci/run runs it with: cargo test --test it dns_lab -- --ignored"]
fn powerdns_recursor_forwards_to_the_vpc_and_nowhere_else() {
    story(POWERDNS);
}

#[test]
#[ignore = "takes half a minute; .ci/run runs it with: cargo test --test it dns_lab -- --ignored"]
fn knot_resolver_forwards_to_the_vpc_and_nowhere_else() {
    story(KNOT);
}

/// Why the rendering has exemptions from validation: without them a signed parent makes the private answers false.
#[test]
fn below_a_signed_parent_bind_rejects_private_answers_without_the_exemption() {
    let aws = Aws::new();
    let mut lab = Lab::start(&aws.account, &aws.inbound);
    lab.tell("public signed");
    BIND.start_without(&mut lab);
    lab.install("bind", &aws.configs["bind"]);
    lab.tell("corporate bind");
    let reply = lab.dig(&[&[&fresh(), "A"][..], &PATIENT].concat());
    assert_eq!(reply.status.as_deref(), Some("SERVFAIL"), "{}", reply.text);
    lab.tell("public unsigned");
    lab.tell("corporate bind");
    let reply = insist(&lab, &[&fresh(), "A"]);
    assert_eq!(reply.addresses, aws.endpoint_of(false), "{}", reply.text);
}

/// That the lab sees a leak: the same story with a mistake in the configuration.
#[test]
fn a_bind_that_only_prefers_to_forward_leaks_and_the_lab_sees_it() {
    let aws = Aws::new();
    let mut lab = Lab::start(&aws.account, &aws.inbound);
    lab.tell("public unsigned");
    BIND.start_with(&mut lab, &aws);
    lab.install("bind", &aws.configs["bind"].replace("forward only;", "forward first;"));
    lab.tell("corporate bind");
    after(&lab, &aws, "with both addresses up it looks well");
    lab.tell(&format!("cut {}", aws.inbound.join(" ")));
    together(&lab, |question| lab.dig(&[question, &PATIENT].concat()));
    assert!(!lab.leaked().is_empty(), "{}", lab.logs());
}
