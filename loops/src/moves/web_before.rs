//! An axum server that stops gracefully at Ctrl-C and at TERM, in the shape of axum's own example.

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::signal;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/length", post(|body: String| async move { body.len().to_string() }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut interrupt = signal::unix::signal(signal::unix::SignalKind::interrupt())?;
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    let told_to_stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        println!("STOPPING");
    };
    println!("READY {}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(told_to_stop).await?;
    println!("CLOSED");
    Ok(())
}
