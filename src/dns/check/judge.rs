//! From the outcomes of two questions, A and AAAA, to a verdict with a reason.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Answer, Outcome, Transport, is_private};

/// Whom was asked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The server, as the user wrote it.
    pub server: &'a str,
    /// How the questions travelled.
    pub transport: Transport,
    /// How often a question was asked at most.
    pub attempts: u32,
    /// How long each attempt was given, as the user wrote it.
    pub timeout: &'a str,
}

/// What a server's answers for one name are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// All addresses, IPv4 before IPv6, each in order.
    pub answers: Vec<IpAddr>,
    /// The response code: of the question at fault if that was answered, otherwise of the question for A.
    pub rcode: Option<String>,
    /// Whether there are addresses and all of them are private.
    pub private: bool,
    /// Whether the name is answered as it should be.
    pub passed: bool,
    /// Why, in sentences.
    pub reason: String,
}

/// Judges what came of asking for A and AAAA.
///
/// It passes when both questions were answered, there is an address, and every address is one of `expected`; without
/// `expected`, when every address is private.
pub fn judge(asked: Asked<'_>, a: &Outcome, aaaa: &Outcome, expected: Option<&BTreeSet<IpAddr>>) -> Verdict {
    let found: BTreeSet<IpAddr> = [a, aaaa].into_iter().flat_map(addresses).collect();
    let answers: Vec<IpAddr> = found.into_iter().collect();
    let private = !answers.is_empty() && answers.iter().copied().all(is_private);
    let faults = [fault(asked, a), fault(asked, aaaa).map(|text| about_aaaa(a, aaaa, text))];
    let blamed = if faults[0].is_none() && faults[1].is_some() { aaaa } else { a };
    let wrong = stranger(asked, &answers, expected)
        .or_else(|| faults.into_iter().flatten().next())
        .or_else(|| answers.is_empty().then(|| nothing(asked, a, aaaa)));
    Verdict {
        rcode: [blamed, a, aaaa].into_iter().find_map(rcode),
        private,
        passed: wrong.is_none(),
        reason: wrong.unwrap_or_else(|| good(asked, &answers, expected.is_some())),
        answers,
    }
}

fn addresses(outcome: &Outcome) -> Vec<IpAddr> {
    match outcome {
        Outcome::Answer(answer) => answer.addresses.iter().map(IpAddr::to_canonical).collect(),
        Outcome::TimedOut
        | Outcome::ConnectionRefused
        | Outcome::Unreachable(_)
        | Outcome::Malformed(_)
        | Outcome::OutOfTime => Vec::new(),
    }
}

fn rcode(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Answer(answer) => Some(answer.rcode.clone()),
        Outcome::TimedOut
        | Outcome::ConnectionRefused
        | Outcome::Unreachable(_)
        | Outcome::Malformed(_)
        | Outcome::OutOfTime => None,
    }
}

/// An address that should not be there. This comes before all else: it is what the check is for.
fn stranger(asked: Asked<'_>, answers: &[IpAddr], expected: Option<&BTreeSet<IpAddr>>) -> Option<String> {
    let server = asked.server;
    let strange: Vec<IpAddr> = match expected {
        Some(expected) => answers.iter().copied().filter(|address| !expected.contains(address)).collect(),
        None => answers.iter().copied().filter(|address| !is_private(*address)).collect(),
    };
    let (first, list) = (*strange.first()?, enumerate(&strange));
    Some(if is_private(first) {
        format!("{server} answers with {list}, which expected_ips does not name.")
    } else if is_nowhere(first) {
        format!("{server} answers with {list}, to which no private path leads.")
    } else {
        format!(
            "{server} answers with {list}, which is public: it does not forward this name to the VPC, or an answer from \
             before is still in its cache."
        )
    })
}

/// Link-local, loopback or unspecified: neither private nor public.
fn is_nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_loopback() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified(),
    }
}

/// Why a question was not answered, or not with success.
fn fault(asked: Asked<'_>, outcome: &Outcome) -> Option<String> {
    let Asked { server, timeout, .. } = asked;
    let transport = asked.transport.as_str().to_uppercase();
    Some(match outcome {
        Outcome::Answer(answer) => return bad_answer(asked, answer),
        Outcome::TimedOut => {
            let times = match asked.attempts {
                1 => "asked once".to_owned(),
                attempts => format!("asked {attempts} times"),
            };
            format!(
                "{server} did not answer within {timeout} over {transport}, {times}: it is down, the way to it drops \
                 packets, or it waits in vain for a server that it forwards to."
            )
        }
        Outcome::ConnectionRefused => format!("Nothing listens for DNS over {transport} at {server}."),
        Outcome::Unreachable(why) => format!("{server} cannot be reached over {transport}: {why}."),
        Outcome::Malformed(why) => format!("{server} did not answer over {transport} as a DNS server does: {why}."),
        Outcome::OutOfTime => {
            format!("The check ended before {server} had answered: it was taking too long as a whole.")
        }
    })
}

fn bad_answer(asked: Asked<'_>, answer: &Answer) -> Option<String> {
    let server = asked.server;
    Some(match answer.rcode.as_str() {
        "NOERROR" if answer.is_cut => {
            format!(
                "The answer of {server} was cut short. Clients would ask again over TCP; check that with transport tcp."
            )
        }
        "NOERROR" => return None,
        "NXDOMAIN" => format!(
            "{server} says that the name does not exist (NXDOMAIN): the hosted zone has no record for it, or the server \
             asks elsewhere."
        ),
        "SERVFAIL" => format!(
            "{server} could not find the answer (SERVFAIL): no server that it forwards to answers it, or it rejects the \
             private answer because it validates with DNSSEC."
        ),
        "REFUSED" => format!("{server} refuses to answer this machine (REFUSED)."),
        other => format!("{server} answers with the error {other}."),
    })
}

/// Where only AAAA is at fault, the reason must say so: the A records look well.
fn about_aaaa(a: &Outcome, aaaa: &Outcome, text: String) -> String {
    if a == aaaa {
        return text;
    }
    format!("Asked for AAAA, which clients ask for as well: {text}")
}

fn nothing(asked: Asked<'_>, a: &Outcome, aaaa: &Outcome) -> String {
    let server = asked.server;
    let alias = [a, aaaa].into_iter().find_map(|outcome| match outcome {
        Outcome::Answer(answer) => answer.alias.as_deref(),
        _ => None,
    });
    match alias {
        Some(alias) => format!("{server} answers that the name is an alias of {alias}, and gives no address of that."),
        None => format!("{server} knows the name and has no address for it: the hosted zone lacks its A record."),
    }
}

fn good(asked: Asked<'_>, answers: &[IpAddr], is_expected: bool) -> String {
    let (server, list) = (asked.server, enumerate(answers));
    match (is_expected, answers.len()) {
        (true, _) => format!("{server} answers with {list}, as expected."),
        (false, 1) => format!("{server} answers with {list}, which is private."),
        (false, _) => format!("{server} answers with {list}, which are private."),
    }
}

fn enumerate(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        texts => texts.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked { server: "10.0.1.10", transport: Transport::Udp, attempts: 3, timeout: "2s" };

    fn answer(addresses: &[&str]) -> Outcome {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Outcome::Answer(Answer { rcode: "NOERROR".to_owned(), addresses, ..Answer::default() })
    }

    fn code(rcode: &str) -> Outcome {
        Outcome::Answer(Answer { rcode: rcode.to_owned(), ..Answer::default() })
    }

    fn verdict(a: &Outcome, aaaa: &Outcome) -> Verdict {
        judge(ASKED, a, aaaa, None)
    }

    #[test]
    fn private_answers_pass() {
        let found = verdict(&answer(&["10.0.0.12", "10.0.0.11"]), &answer(&[]));
        assert!(found.passed && found.private);
        assert_eq!(found.answers, ["10.0.0.11", "10.0.0.12"].map(|text| text.parse::<IpAddr>().unwrap()));
        assert_eq!(found.rcode.as_deref(), Some("NOERROR"));
        assert_eq!(found.reason, "10.0.1.10 answers with 10.0.0.11 and 10.0.0.12, which are private.");
        assert!(verdict(&answer(&[]), &answer(&["fd00::1"])).passed);
    }

    #[test]
    fn one_public_address_among_private_ones_fails() {
        for (a, aaaa) in [(["10.0.0.11", "203.0.113.10"].as_slice(), [].as_slice()), (&["10.0.0.11"], &["2001:db8::1"])]
        {
            let found = verdict(&answer(a), &answer(aaaa));
            assert!(!found.passed && !found.private, "{found:?}");
            assert!(found.reason.contains("which is public"), "{}", found.reason);
            assert_eq!(found.answers.len(), 2);
        }
    }

    #[test]
    fn a_public_address_matters_more_than_a_time_out() {
        let found = verdict(&answer(&["203.0.113.10"]), &Outcome::TimedOut);
        assert!(found.reason.contains("203.0.113.10, which is public"), "{}", found.reason);
    }

    #[test]
    fn expected_addresses_pass_though_they_are_public_and_others_fail_though_they_are_private() {
        let expected: BTreeSet<IpAddr> = ["198.51.100.7", "10.0.0.11"].map(|text| text.parse().unwrap()).into();
        let expecting = |a: &[&str]| judge(ASKED, &answer(a), &answer(&[]), Some(&expected));
        let found = expecting(&["198.51.100.7"]);
        assert!(found.passed && !found.private);
        assert!(expecting(&["10.0.0.11"]).passed);
        let found = expecting(&["10.0.0.11", "10.9.9.9"]);
        assert!(!found.passed && found.private);
        assert_eq!(found.reason, "10.0.1.10 answers with 10.9.9.9, which expected_ips does not name.");
    }

    #[test]
    fn an_address_that_leads_nowhere_fails() {
        for address in ["169.254.7.7", "127.0.0.1", "0.0.0.0"] {
            let found = verdict(&answer(&[address]), &answer(&[]));
            assert!(!found.passed && found.reason.contains("no private path"), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_answer_fails_with_its_own_reason() {
        for (outcome, rcode, reason) in [
            (code("NXDOMAIN"), Some("NXDOMAIN"), "the name does not exist (NXDOMAIN)"),
            (code("SERVFAIL"), Some("SERVFAIL"), "could not find the answer (SERVFAIL)"),
            (code("REFUSED"), Some("REFUSED"), "refuses to answer this machine (REFUSED)"),
            (code("NOTIMP"), Some("NOTIMP"), "the error NOTIMP"),
            (Outcome::TimedOut, None, "did not answer within 2s over UDP, asked 3 times"),
            (Outcome::ConnectionRefused, None, "Nothing listens for DNS over UDP at 10.0.1.10."),
            (
                Outcome::Unreachable("no route to host".to_owned()),
                None,
                "cannot be reached over UDP: no route to host.",
            ),
            (Outcome::Malformed("too short".to_owned()), None, "as a DNS server does: too short."),
            (Outcome::OutOfTime, None, "The check ended before 10.0.1.10 had answered"),
        ] {
            let found = verdict(&outcome, &outcome);
            assert!(!found.passed && !found.private && found.answers.is_empty(), "{found:?}");
            assert_eq!(found.rcode.as_deref(), rcode);
            assert!(found.reason.contains(reason), "{reason:?} is not in {:?}", found.reason);
            assert!(!found.reason.contains("AAAA"), "{}", found.reason);
        }
    }

    #[test]
    fn half_an_answer_fails_and_says_which_half() {
        for (outcome, rcode) in [(Outcome::TimedOut, "NOERROR"), (code("SERVFAIL"), "SERVFAIL")] {
            let found = verdict(&answer(&["10.0.0.11"]), &outcome);
            assert!(!found.passed && found.private);
            assert_eq!(found.rcode.as_deref(), Some(rcode));
            assert!(found.reason.starts_with("Asked for AAAA, which clients ask for as well: 10.0.1.10"), "{found:?}");
        }
        assert!(!verdict(&Outcome::TimedOut, &answer(&["fd00::1"])).passed);
    }

    #[test]
    fn an_answer_without_addresses_fails() {
        let found = verdict(&answer(&[]), &answer(&[]));
        assert!(!found.passed);
        assert!(found.reason.contains("has no address for it"), "{}", found.reason);
        let alias = Answer { rcode: "NOERROR".to_owned(), alias: Some("x.example".to_owned()), ..Answer::default() };
        let found = verdict(&Outcome::Answer(alias), &answer(&[]));
        assert!(found.reason.contains("an alias of x.example"), "{}", found.reason);
    }

    #[test]
    fn an_answer_that_was_cut_short_fails() {
        let cut = Outcome::Answer(Answer { rcode: "NOERROR".to_owned(), is_cut: true, ..Answer::default() });
        assert!(verdict(&cut, &answer(&[])).reason.contains("cut short"));
    }
}
