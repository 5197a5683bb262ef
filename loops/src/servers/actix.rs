//! actix takes the future of a shutdown as it is, in place of its own handlers.

use actix_web::{App, HttpResponse, HttpServer, web};
use signal_source::tokio::Shutdown;

signal_source::reserve_at_start!(INT, TERM);

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shutdown = Shutdown::new()?;
    let app = || App::new().route("/", web::get().to(HttpResponse::Ok));
    let server = HttpServer::new(app).workers(2).shutdown_signal(shutdown.wait_owned());
    let server = server.bind("127.0.0.1:0")?;
    println!("READY");
    server.run().await?;
    println!("{}", shutdown.cause().ok_or("ended by itself")?);
    Ok(())
}
