//! tonic takes the future of a shutdown as it is.

use signal_source::tokio::Shutdown;
use tonic::service::Routes;
use tonic::transport::Server;

signal_source::reserve_at_start!(INT, TERM);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shutdown = Shutdown::new()?;
    let server = Server::builder().add_routes(Routes::default());
    println!("READY");
    server.serve_with_shutdown(([127, 0, 0, 1], 0).into(), shutdown.wait_owned()).await?;
    println!("{}", shutdown.cause().ok_or("ended by itself")?);
    Ok(())
}
