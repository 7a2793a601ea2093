//! How Terraform talks to this process: the plugin protocol `tfplugin6`, directly on tonic.
//!
//! The published library for this was run first and left: its last release lets any local process
//! in as a client, dies of Ctrl-C, and lacks cancellation, ephemeral resources and write-only
//! attributes. What is needed is a thin layer, and it is all here.
//!
//! Reading order: [`serve`] is the start-up sequence; `service.rs` has one method for each RPC;
//! `rpc.rs` is what they share; `convert.rs` is the edge between protobuf and the framework.
//!
//! **Invariant:** knows no resource and no AWS; the provider is handed in. Nothing outside sees
//! protobuf. Once serving, only Terraform's `Shutdown` or SIGTERM ends the process.

pub mod logging;
pub mod pb;

mod broker;
mod convert;
mod handshake;
mod listener;
mod rpc;
mod service;
mod tls;

use std::{env, io, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{debug, info};

use self::{
    broker::Controller,
    handshake::Start,
    listener::Listener,
    pb::{plugin::grpc_controller_server::GrpcControllerServer, tfplugin6::provider_server::ProviderServer},
    rpc::Stop,
    service::Service,
};
pub use self::{handshake::HandshakeError, tls::TlsError};
use crate::framework::Provider;

/// The largest message, in bytes, both ways. Terraform's own limit.
const MESSAGE_LIMIT: usize = 256 << 20;

/// How long answers under way may still take after `Shutdown`. Terraform kills after 2 s.
const GRACE: Duration = Duration::from_millis(1_500);

/// Why the provider is not, or no longer, served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not started as a plugin, or not as one that this is.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// No signal can be listened to.
    #[error("listening to signals")]
    Signal(#[source] io::Error),
    /// There is nowhere to listen.
    #[error("listening for Terraform")]
    Listen(#[source] io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Terraform does not read the handshake.
    #[error("writing to stdout")]
    Stdout(#[source] io::Error),
    /// The gRPC server failed.
    #[error("serving Terraform")]
    Server(#[from] tonic::transport::Error),
}

/// Serves a provider until Terraform says to shut down, or SIGTERM does.
///
/// # Errors
/// [`ServeError`]; the process has then nothing more to do.
pub async fn serve(provider: impl Provider) -> Result<(), ServeError> {
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let settings = match handshake::read(arguments, |name| env::var(name).ok())? {
        Start::Version => {
            return handshake::print(handshake::version()).map_err(ServeError::Stdout);
        }
        Start::Serve(settings) => settings,
    };
    let (stop, shutdown) = (Stop::default(), CancellationToken::new());
    listen_to_signals(&shutdown).map_err(ServeError::Signal)?;

    // The directory with the socket is removed when this function returns.
    let (listener, _directory) = Listener::bind(settings.ports).map_err(ServeError::Listen)?;
    let (tls, certificate) = settings.client.map(tls::acceptor).transpose()?.unzip();
    let line = handshake::line(listener.address(), certificate.as_ref());

    let service = ProviderServer::new(Service::new(Arc::new(provider), stop.clone()))
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let controller = GrpcControllerServer::new(Controller { shutdown: shutdown.clone() });
    let server = Server::builder()
        .add_service(service)
        .add_service(controller)
        .serve_with_incoming_shutdown(listener.connections(tls), shutdown.clone().cancelled_owned());

    handshake::print(line).map_err(ServeError::Stdout)?;
    info!(version = env!("CARGO_PKG_VERSION"), tls = certificate.is_some(), "serving");
    tokio::select! {
        served = server => served?,
        () = grace_is_over(&shutdown, &stop) => debug!("left answers under way behind"),
    }
    Ok(())
}

/// Settles what signals do: SIGINT nothing, SIGTERM the same as `Shutdown`.
///
/// Ctrl-C reaches the whole process group. Terraform then says `StopProvider` and waits for the
/// answers in flight; dying here would lose what is being made. SIGTERM may reach the group too,
/// and to interrupt the work and answer is better than the default there as well.
fn listen_to_signals(shutdown: &CancellationToken) -> io::Result<()> {
    // tokio's handler stays for the life of the process, whether anything listens to it or not.
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        drop(signal(SignalKind::interrupt())?);
        let (mut terminate, shutdown) = (signal(SignalKind::terminate())?, shutdown.clone());
        tokio::spawn(async move {
            terminate.recv().await;
            shutdown.cancel();
        });
    }
    #[cfg(windows)]
    drop(tokio::signal::windows::ctrl_c()?);
    Ok(())
}

/// Waits for the shutdown, interrupts the work, and gives it a moment to answer.
async fn grace_is_over(shutdown: &CancellationToken, stop: &Stop) {
    shutdown.cancelled().await;
    stop.in_flight();
    tokio::time::sleep(GRACE).await;
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn shutdown_gives_answers_under_way_a_moment_but_less_than_terraform_does() {
        let (shutdown, stop) = (CancellationToken::new(), Stop::default());
        let waiting = grace_is_over(&shutdown, &stop);
        tokio::pin!(waiting);
        let hour = Duration::from_secs(3600);
        assert!(tokio::time::timeout(hour, &mut waiting).await.is_err(), "nobody shut it down");

        shutdown.cancel();
        let begin = Instant::now();
        waiting.await;
        assert_eq!(begin.elapsed(), GRACE);
        assert!(GRACE < Duration::from_secs(2));
    }
}
