//! Where Terraform connects: a Unix socket in a directory of its own, or loopback TCP.
//!
//! **Invariant:** no other user of the machine reaches the Unix socket (its directory is 0700), and
//! TCP is used only where there are no Unix sockets. The directory goes when the listener does.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tracing::debug;

/// Where a listener listens. Displays as go-plugin wants it in the handshake line.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A loopback address.
    Tcp(SocketAddr),
}

impl Address {
    /// go-plugin's word for the kind of address.
    pub fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp(_) => "tcp",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(formatter),
            Self::Tcp(address) => address.fmt(formatter),
        }
    }
}

/// A bound socket.
pub struct Listener {
    socket: Bound,
    address: Address,
}

impl Listener {
    /// Binds a Unix socket, or on platforms without them the first free port of `ports`.
    ///
    /// # Errors
    /// No temporary directory could be made, its path is too long for a socket, or no port is free.
    pub fn bind(ports: RangeInclusive<u16>) -> io::Result<(Self, SocketDirectory)> {
        match Self::bind_unix() {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Self::bind_tcp(ports),
            result => result,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The connections, each past its TLS handshake where `tls` is given.
    ///
    /// A client that fails the handshake is dropped; the others do not wait for it.
    pub fn connections(self, tls: Option<TlsAcceptor>) -> ReceiverStream<io::Result<Connection>> {
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            while let Some(raw) = self.socket.accept(&sender).await {
                tokio::spawn(admit(raw, tls.clone(), sender.clone()));
            }
        });
        ReceiverStream::new(receiver)
    }

    #[cfg(unix)]
    fn bind_unix() -> io::Result<(Self, SocketDirectory)> {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt};

        let directory =
            tempfile::Builder::new().prefix("studio-plugin-").permissions(Permissions::from_mode(0o700)).tempdir()?;
        let path = directory.path().join("socket");
        let socket = Bound::Unix(tokio::net::UnixListener::bind(&path)?);
        Ok((Self { socket, address: Address::Unix(path) }, SocketDirectory(Some(directory))))
    }

    #[cfg(not(unix))]
    fn bind_unix() -> io::Result<(Self, SocketDirectory)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn bind_tcp(mut ports: RangeInclusive<u16>) -> io::Result<(Self, SocketDirectory)> {
        let socket = ports
            .find_map(|port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .ok_or(io::ErrorKind::AddrInUse)?;
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let address = Address::Tcp(socket.local_addr()?);
        Ok((Self { socket: Bound::Tcp(socket), address }, SocketDirectory(None)))
    }
}

/// Keeps the socket's directory while it lives, and removes it when dropped.
#[must_use = "the socket's directory is removed when this is dropped"]
pub struct SocketDirectory(#[expect(dead_code, reason = "held for its Drop")] Option<TempDir>);

/// A connection that was let in.
pub struct Connection(Box<dyn Stream>);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

enum Bound {
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
    Tcp(TcpListener),
}

impl Bound {
    /// The next client, or `None` once nobody takes connections any more.
    async fn accept(&self, taker: &mpsc::Sender<io::Result<Connection>>) -> Option<Connection> {
        loop {
            let accepted = tokio::select! {
                accepted = self.accept_one() => accepted,
                () = taker.closed() => return None,
            };
            match accepted {
                Ok(connection) => return Some(connection),
                // One client that went away must not end the server.
                Err(error) => {
                    debug!(%error, "could not accept a connection");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn accept_one(&self) -> io::Result<Connection> {
        match self {
            #[cfg(unix)]
            Self::Unix(listener) => Ok(Connection(Box::new(listener.accept().await?.0))),
            Self::Tcp(listener) => Ok(Connection(Box::new(listener.accept().await?.0))),
        }
    }
}

async fn admit(raw: Connection, tls: Option<TlsAcceptor>, taker: mpsc::Sender<io::Result<Connection>>) {
    let admitted = match tls {
        None => raw,
        Some(acceptor) => match acceptor.accept(raw).await {
            Ok(stream) => Connection(Box::new(stream)),
            Err(error) => {
                debug!(%error, "refused a client");
                return;
            }
        },
    };
    // Nobody takes it once the server has ended; there is nothing left to tell the client.
    taker.send(Ok(admitted)).await.ok();
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_stream::StreamExt;

    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_enters_the_directory_and_it_goes_with_the_server() {
        use std::os::unix::fs::PermissionsExt;

        let (listener, directory) = Listener::bind(0..=0).unwrap();
        let Address::Unix(path) = listener.address().clone() else { panic!("not a Unix socket") };
        let parent = path.parent().unwrap();
        assert_eq!(parent.metadata().unwrap().permissions().mode() & 0o777, 0o700);

        drop(directory);
        assert!(!parent.exists());
    }

    #[tokio::test]
    async fn tcp_takes_the_first_free_port_of_the_range() {
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(Listener::bind_tcp(port..=port).is_err());

        drop(taken);
        let (listener, _) = Listener::bind_tcp(port..=port).unwrap();
        assert_eq!(listener.address().to_string(), format!("127.0.0.1:{port}"));
    }

    /// A client that sends `text` without TLS and says no more.
    async fn client(listener: &Listener, text: &str) -> tokio::net::TcpStream {
        let mut client = tokio::net::TcpStream::connect(listener.address().to_string()).await.unwrap();
        client.write_all(text.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        client
    }

    #[tokio::test]
    async fn without_tls_bytes_come_as_they_were_sent() {
        let (listener, _directory) = Listener::bind_tcp(0..=0).unwrap();
        let _client = client(&listener, "hello").await;
        let mut connection = listener.connections(None).next().await.unwrap().unwrap();
        let mut text = String::new();
        connection.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
    }

    #[tokio::test]
    async fn a_client_that_fails_tls_is_dropped_and_never_handed_on() {
        let (listener, _directory) = Listener::bind_tcp(0..=0).unwrap();
        let (acceptor, _) = crate::plugin::tls::acceptor(vec![].into()).unwrap();
        let mut client = client(&listener, "hello").await;
        let mut connections = listener.connections(Some(acceptor));
        // Ends once the server has closed its side.
        client.read_to_end(&mut Vec::new()).await.unwrap();
        assert!(connections.next().now_or_never().is_none());
    }
}
