//! Asks one question, until it is answered or has been asked often enough.
//!
//! **Invariant:** no error comes out, only outcomes; and each ends by its deadline.
//!
//! The sockets are our own, one for each attempt: hickory's clients do not connect theirs over UDP, and so do not hear
//! that nothing listens.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::message::{RecordType, Reply, question, read_reply};
use crate::dns::check::{Answer, Outcome, Transport};

/// What to ask whom, and how patiently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// The name, without search list.
    pub(super) name: &'a str,
    /// A or AAAA.
    pub(super) record_type: RecordType,
    /// Whom.
    pub(super) server: SocketAddr,
    /// How.
    pub(super) transport: Transport,
    /// How often at most.
    pub(super) attempts: u32,
    /// For each attempt.
    pub(super) timeout: Duration,
    /// For the check as a whole.
    pub(super) deadline: Instant,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Asked {
    /// The last attempt's.
    pub(super) outcome: Outcome,
    /// From the last attempt's start to its answer, if there was one.
    pub(super) latency: Option<Duration>,
}

/// Asks, and asks again where that may help: after time-outs, broken connections and `SERVFAIL`.
pub(super) async fn ask(asked: Question<'_>) -> Asked {
    let message = match question(asked.name, asked.record_type) {
        Ok(message) => message,
        Err(why) => return Asked { outcome: Outcome::Malformed(why), latency: None },
    };
    let mut last = Asked { outcome: Outcome::OutOfTime, latency: None };
    for _ in 0..asked.attempts {
        if Instant::now() >= asked.deadline {
            return Asked { outcome: Outcome::OutOfTime, latency: None };
        }
        last = attempt(&asked, &message).await;
        match &last.outcome {
            Outcome::Answer(answer) if answer.rcode != "SERVFAIL" => return last,
            Outcome::Answer(_)
            | Outcome::TimedOut
            | Outcome::ConnectionRefused
            | Outcome::Unreachable(_)
            | Outcome::Malformed(_)
            | Outcome::OutOfTime => {}
        }
    }
    last
}

async fn attempt(asked: &Question<'_>, message: &Message) -> Asked {
    let started = Instant::now();
    let limit = started + asked.timeout;
    let exchange = async {
        match asked.transport {
            Transport::Udp => over_udp(asked.server, message).await,
            Transport::Tcp => over_tcp(asked.server, message).await,
        }
    };
    match timeout_at(limit.min(asked.deadline), exchange).await {
        Ok(Ok(answer)) => Asked { outcome: Outcome::Answer(answer), latency: Some(started.elapsed()) },
        Ok(Err(outcome)) => Asked { outcome, latency: None },
        Err(_) if limit > asked.deadline => Asked { outcome: Outcome::OutOfTime, latency: None },
        Err(_) => Asked { outcome: Outcome::TimedOut, latency: None },
    }
}

async fn over_udp(server: SocketAddr, message: &Message) -> Result<Answer, Outcome> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|error| broken(&error))?;
    // Connected, it takes answers from this server alone, and hears that nothing listens.
    socket.connect(server).await.map_err(|error| broken(&error))?;
    socket.send(&bytes(message)?).await.map_err(|error| broken(&error))?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(|error| broken(&error))?;
        match read_reply(&buffer[..length], message) {
            Reply::Answer(answer) => return Ok(answer),
            // The true answer may still come.
            Reply::Other => {}
            Reply::Malformed(why) => return Err(Outcome::Malformed(why)),
        }
    }
}

async fn over_tcp(server: SocketAddr, message: &Message) -> Result<Answer, Outcome> {
    let mut stream = TcpStream::connect(server).await.map_err(|error| broken(&error))?;
    let bytes = bytes(message)?;
    let length = u16::try_from(bytes.len()).map_err(|_| Outcome::Malformed("the question is too long".to_owned()))?;
    // In one write, because some servers want length and message in one segment.
    let framed = [&length.to_be_bytes()[..], &bytes].concat();
    stream.write_all(&framed).await.map_err(|error| broken(&error))?;
    let length = stream.read_u16().await.map_err(|error| broken(&error))?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(|error| broken(&error))?;
    match read_reply(&buffer, message) {
        Reply::Answer(answer) => Ok(answer),
        Reply::Other => Err(Outcome::Malformed("its message answers another question".to_owned())),
        Reply::Malformed(why) => Err(Outcome::Malformed(why)),
    }
}

fn bytes(message: &Message) -> Result<Vec<u8>, Outcome> {
    message.to_vec().map_err(|error| Outcome::Malformed(format!("the question cannot be written ({error})")))
}

fn broken(error: &io::Error) -> Outcome {
    match error.kind() {
        ErrorKind::ConnectionRefused => Outcome::ConnectionRefused,
        ErrorKind::TimedOut => Outcome::TimedOut,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Outcome::Malformed("it closed the connection without an answer".to_owned()),
        ErrorKind::HostUnreachable => Outcome::Unreachable("there is no route to it, or it is off".to_owned()),
        ErrorKind::NetworkUnreachable => Outcome::Unreachable("there is no route to its network".to_owned()),
        _ => Outcome::Unreachable(format!("the system says {error:?}", error = error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::{MessageType, ResponseCode};
    use tokio::net::TcpListener;

    fn to(server: SocketAddr, transport: Transport) -> Question<'static> {
        Question {
            name: "host.studio.aws",
            record_type: RecordType::A,
            server,
            transport,
            attempts: 2,
            timeout: Duration::from_secs(2),
            deadline: Instant::now() + Duration::from_secs(60),
        }
    }

    fn answered(bytes: &[u8], code: ResponseCode) -> Vec<u8> {
        let mut reply = Message::from_vec(bytes).unwrap();
        reply.metadata.message_type = MessageType::Response;
        reply.metadata.response_code = code;
        reply.to_vec().unwrap()
    }

    async fn silent() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_silent_is_asked_as_often_as_said() {
        let server = silent().await;
        let started = Instant::now();
        let asked = ask(to(server.local_addr().unwrap(), Transport::Udp)).await;
        assert_eq!(asked.outcome, Outcome::TimedOut);
        assert_eq!(asked.latency, None);
        assert_eq!(started.elapsed().as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_whole_time_ends_an_attempt() {
        let server = silent().await;
        let mut question = to(server.local_addr().unwrap(), Transport::Udp);
        question.deadline = Instant::now() + Duration::from_secs(3);
        let asked = ask(question).await;
        assert_eq!(asked.outcome, Outcome::OutOfTime);
        assert_eq!((question.deadline - Instant::now()).as_secs(), 0);
        assert_eq!(ask(question).await.outcome, Outcome::OutOfTime);
    }

    #[tokio::test]
    async fn a_port_on_which_nothing_listens_refuses_over_both_transports() {
        let free = silent().await.local_addr().unwrap();
        assert_eq!(ask(to(free, Transport::Udp)).await.outcome, Outcome::ConnectionRefused);
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(to(free, Transport::Tcp)).await.outcome, Outcome::ConnectionRefused);
    }

    #[tokio::test]
    async fn servfail_is_asked_again_and_a_stray_message_is_passed_over() {
        let server = silent().await;
        let address = server.local_addr().unwrap();
        let serve = async {
            let mut buffer = [0; 512];
            let (length, client) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(&answered(&buffer[..length], ResponseCode::ServFail), client).await.unwrap();
            let (length, client) = server.recv_from(&mut buffer).await.unwrap();
            let mut stray = answered(&buffer[..length], ResponseCode::NXDomain);
            stray[0] ^= 1;
            server.send_to(&stray, client).await.unwrap();
            server.send_to(&answered(&buffer[..length], ResponseCode::NoError), client).await.unwrap();
        };
        let (asked, ()) = tokio::join!(ask(to(address, Transport::Udp)), serve);
        assert!(matches!(&asked.outcome, Outcome::Answer(answer) if answer.rcode == "NOERROR"), "{asked:?}");
        assert!(asked.latency.is_some());
    }

    #[tokio::test]
    async fn a_connection_that_is_closed_without_an_answer_is_said_to_be() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let serve = async {
            for _ in 0..2 {
                drop(server.accept().await.unwrap());
            }
        };
        let (asked, ()) = tokio::join!(ask(to(address, Transport::Tcp)), serve);
        assert!(
            matches!(&asked.outcome, Outcome::Malformed(why) if why.contains("closed the connection")),
            "{asked:?}"
        );
    }
}
