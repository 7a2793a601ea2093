//! go-plugin's own services, beside the provider's: shutting down.
//!
//! The broker and the stream of standard output are left out. Terraform takes UNIMPLEMENTED for
//! both; nothing here opens a second connection, and nothing but the handshake goes to stdout.
//!
//! **Invariant:** ends nothing itself. It tells [`serve`](super::serve) to end, which waits for
//! answers under way.

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::pb::plugin::{Empty, grpc_controller_server::GrpcController};

/// Takes Terraform's word to end the process.
pub struct Controller {
    /// Cancelled when the process is to end.
    pub shutdown: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("told to shut down");
        self.shutdown.cancel();
        Ok(Response::new(Empty {}))
    }
}
