//! A key-value server in the shape of mini-redis: stops at Ctrl-C, once each connection's request has
//! its answer.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal;
use tokio::sync::{broadcast, mpsc};

type Entries = Arc<Mutex<HashMap<String, String>>>;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("READY {}", listener.local_addr()?);
    serve(listener, signal::ctrl_c()).await?;
    println!("CLOSED");
    Ok(())
}

/// Serves until `shutdown` completes, and then until no connection has a request left.
async fn serve(
    listener: TcpListener,
    shutdown: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let (stop, _) = broadcast::channel::<()>(1);
    let (busy, mut idle) = mpsc::channel::<()>(1);
    tokio::select! {
        biased; // Ctrl-C is waited for before the first connection is accepted
        told = shutdown => told?,
        refused = accept(&listener, &stop, &busy) => return refused,
    }
    println!("STOPPING");
    drop((stop, busy)); // the connections see the one, and have clones of the other
    let _ = idle.recv().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    stop: &broadcast::Sender<()>,
    busy: &mpsc::Sender<()>,
) -> io::Result<()> {
    let entries = Entries::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let (entries, mut stopped, busy) = (entries.clone(), stop.subscribe(), busy.clone());
        tokio::spawn(async move {
            let served = connection(stream, &entries, &mut stopped).await;
            drop(busy);
            served
        });
    }
}

async fn connection(
    stream: TcpStream,
    entries: &Entries,
    stopped: &mut broadcast::Receiver<()>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        tokio::select! {
            read = stream.read_line(&mut request) => if read? == 0 { return Ok(()) },
            _ = stopped.recv() => return Ok(()),
        }
        let answer = match request.split_whitespace().collect::<Vec<_>>()[..] {
            ["GET", key] => entries.lock().expect("no panic").get(key).cloned().unwrap_or_default(),
            ["SET", key, value] => {
                entries.lock().expect("no panic").insert(key.into(), value.into());
                "OK".into()
            }
            // The value comes on a line of its own: a request that takes as long as the client likes.
            ["SET", key] => {
                stream.write_all(b"VALUE?\n").await?;
                let mut value = String::new();
                stream.read_line(&mut value).await?;
                entries.lock().expect("no panic").insert(key.into(), value.trim_end().into());
                "OK".into()
            }
            _ => "ERROR".into(),
        };
        stream.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}
