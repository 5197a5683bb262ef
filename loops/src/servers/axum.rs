//! axum takes the future of a shutdown as it is.

use axum::{Router, routing::get};
use signal_source::tokio::Shutdown;
use tokio::net::TcpListener;

signal_source::reserve_at_start!(INT, TERM);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shutdown = Shutdown::new()?;
    let app = Router::new().route("/", get(|| async { "here" }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("READY");
    axum::serve(listener, app).with_graceful_shutdown(shutdown.wait_owned()).await?;
    println!("{}", shutdown.cause().ok_or("ended by itself")?);
    Ok(())
}
