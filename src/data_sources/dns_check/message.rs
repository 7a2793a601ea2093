//! One question and its answer, as messages.
//!
//! **Invariant:** pure.

use std::net::IpAddr;

use hickory_resolver::proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData};

pub(super) use hickory_resolver::proto::rr::RecordType;

use crate::dns::check::Answer;

/// What a message that came in is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The answer.
    Answer(Answer),
    /// Not an answer to this question.
    Other,
    /// Not DNS.
    Malformed(String),
}

/// A question, as applications ask it: recursion is desired, and there are no extensions.
///
/// # Errors
/// The name cannot be asked for.
pub(super) fn question(name: &str, record_type: RecordType) -> Result<Message, String> {
    let mut name = Name::from_ascii(name).map_err(|error| error.to_string())?;
    // Absolute, so that no search list applies.
    name.set_fqdn(true);
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, record_type));
    Ok(message)
}

/// Reads what came in after this question.
pub(super) fn read_reply(bytes: &[u8], question: &Message) -> Reply {
    if bytes.len() < 12 {
        return Reply::Malformed(format!("it sent {} bytes, which are no message", bytes.len()));
    }
    let reply = match Message::from_vec(bytes) {
        Ok(reply) => reply,
        Err(error) => return Reply::Malformed(format!("its message cannot be read ({error})")),
    };
    let failed = reply.metadata.response_code != ResponseCode::NoError;
    // A server that could not read the question cannot repeat it.
    let fits = reply.queries == question.queries || (failed && reply.queries.is_empty());
    if reply.metadata.id != question.metadata.id || reply.metadata.message_type != MessageType::Response || !fits {
        return Reply::Other;
    }
    let Some(asked) = question.queries.first() else {
        return Reply::Other;
    };
    let (name, is_alias) = follow(asked.name(), &reply);
    Reply::Answer(Answer {
        rcode: rcode(reply.metadata.response_code),
        addresses: addresses(&name, &reply),
        alias: is_alias.then(|| name.to_ascii().trim_end_matches('.').to_owned()),
        is_cut: reply.metadata.truncation,
    })
}

/// The name at the end of the aliases in the answer.
fn follow(name: &Name, reply: &Message) -> (Name, bool) {
    let mut end = name.clone();
    // As many steps as records, so that aliases in a circle end.
    for _ in &reply.answers {
        let target = reply.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == end => Some(target.0.clone()),
            _ => None,
        });
        match target {
            Some(target) => end = target,
            None => break,
        }
    }
    let is_alias = end != *name;
    (end, is_alias)
}

fn addresses(name: &Name, reply: &Message) -> Vec<IpAddr> {
    let own = reply.answers.iter().filter(|record| record.name == *name);
    own.filter_map(|record| match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    })
    .collect()
}

/// As `dig` writes it.
fn rcode(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("RCODE{}", u16::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn reply_to(question: &Message, records: Vec<(&str, RData)>) -> Message {
        let mut reply = question.clone();
        reply.metadata.message_type = MessageType::Response;
        reply.add_answers(records.into_iter().map(|(owner, data)| Record::from_rdata(name(owner), 60, data)));
        reply
    }

    fn answer(records: Vec<(&str, RData)>) -> Answer {
        let question = question("Host.studio.aws", RecordType::A).unwrap();
        match read_reply(&reply_to(&question, records).to_vec().unwrap(), &question) {
            Reply::Answer(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_question_desires_recursion_and_keeps_its_case() {
        let question = question("Host.studio.aws", RecordType::A).unwrap();
        assert!(question.metadata.recursion_desired && !question.metadata.checking_disabled);
        let read = Message::from_vec(&question.to_vec().unwrap()).unwrap();
        assert!(read.queries[0].name().eq_case(&name("Host.studio.aws.")));
    }

    #[test]
    fn aliases_are_followed_to_the_addresses() {
        let found = answer(vec![
            ("b.example.", RData::CNAME(CNAME(name("c.example.")))),
            ("host.studio.aws.", RData::CNAME(CNAME(name("b.example.")))),
            ("c.example.", RData::A(A::new(10, 0, 0, 1))),
            ("elsewhere.example.", RData::A(A::new(203, 0, 113, 1))),
            ("c.example.", RData::AAAA(AAAA::new(0xfd00, 0, 0, 0, 0, 0, 0, 1))),
        ]);
        assert_eq!(found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1", "fd00::1"]);
        assert_eq!(found.alias.as_deref(), Some("c.example"));
    }

    #[test]
    fn aliases_in_a_circle_end() {
        let found = answer(vec![
            ("host.studio.aws.", RData::CNAME(CNAME(name("b.example.")))),
            ("b.example.", RData::CNAME(CNAME(name("host.studio.aws.")))),
        ]);
        assert!(found.addresses.is_empty());
    }

    #[test]
    fn what_does_not_answer_the_question_is_not_taken_for_an_answer() {
        let asked = question("host.studio.aws", RecordType::A).unwrap();
        let other_name = question("other.studio.aws", RecordType::A).unwrap();
        let mut other_id = reply_to(&asked, vec![]);
        other_id.metadata.id = asked.metadata.id.wrapping_add(1);
        let mut other_question = reply_to(&other_name, vec![]);
        other_question.metadata.id = asked.metadata.id;
        let mut no_question = reply_to(&asked, vec![]);
        no_question.queries.clear();
        for message in [other_id, other_question, no_question, asked.clone()] {
            assert_eq!(read_reply(&message.to_vec().unwrap(), &asked), Reply::Other);
        }
        assert!(matches!(read_reply(b"HTTP/1.1", &asked), Reply::Malformed(_)));
        assert!(matches!(read_reply(&[0xff; 40], &asked), Reply::Malformed(_)));
    }

    #[test]
    fn an_error_need_not_repeat_the_question() {
        let asked = question("host.studio.aws", RecordType::A).unwrap();
        let mut reply = reply_to(&asked, vec![]);
        reply.queries.clear();
        reply.metadata.response_code = ResponseCode::FormErr;
        let Reply::Answer(found) = read_reply(&reply.to_vec().unwrap(), &asked) else { panic!("{reply:?}") };
        assert_eq!(found.rcode, "FORMERR");
        assert_eq!(rcode(ResponseCode::NotAuth), "RCODE9");
    }
}
