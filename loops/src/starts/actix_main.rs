//! `#[actix_web::main]`, with a server that stops when it is told.

use actix_web::{App, HttpResponse, HttpServer, web};
use signal_source::Signal;
use signal_source::tokio::{Shutdown, SignalStream};

signal_source::reserve_at_start!(HUP, TERM);

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = || App::new().route("/", web::get().to(HttpResponse::Ok));
    let server = HttpServer::new(app).workers(2).disable_signals().bind("127.0.0.1:0")?.run();
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    // Inside the runtime, and with the workers running.
    let shutdown = Shutdown::on(Signal::TERM)?;
    let mut reload = SignalStream::new(Signal::HUP)?;
    println!("READY");
    println!("{}", reload.recv().await?);
    println!("{}", shutdown.wait().await?);
    handle.stop(true).await;
    serving.await??;
    println!("CLOSED");
    std::future::pending().await
}
