//! A web service that reloads, drains and ends as its operators expect, under systemd or Kubernetes.
//!
//! ```text
//! $ cargo run --all-features --example service &
//! READY http://127.0.0.1:8080
//! $ curl localhost:8080/ready
//! ready
//! $ kill -HUP %1      # reads its configuration again
//! $ kill -USR1 %1     # says how it is
//! $ kill %1           # drains, and ends
//! ```
//!
//! - `HUP` reloads. systemd is told the beginning and the end (`Type=notify-reload`).
//! - `USR1` dumps the state.
//! - `TERM` drains: `/ready` answers 503, so that load balancers send no more; requests are still
//!   answered, each on a connection that closes. After a while no more are accepted, and those
//!   under way have until a deadline.
//! - `INT` (Ctrl-C) is for people in a hurry: no drain. So is a second signal: the end at once.
//! - Each signal is logged with the command of the process that sent it.
//!
//! The end is by the signal that asked for it, as systemd and shells expect.

use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use std::{fs, io};

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::{Router, routing::get};
use clap::Parser;
use sd_notify::NotifyState;
use signal_source::process::exit_by;
use signal_source::tokio::SignalStream;
use signal_source::{Signal, SignalInfo};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

// `#[tokio::main]` starts threads before `main` does anything: this comes first.
signal_source::reserve_at_start!(HUP, INT, TERM, USR1);

/// A web service that greets.
#[derive(Parser)]
struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A file with the greeting, read again at HUP
    #[arg(long)]
    greeting: Option<PathBuf>,
    /// How long to go on after TERM, in milliseconds, until load balancers have noticed
    #[arg(long, value_name = "MS", default_value = "5000", value_parser = milliseconds)]
    drain: Duration,
    /// How long the requests under way then have to end, in milliseconds
    #[arg(long, value_name = "MS", default_value = "20000", value_parser = milliseconds)]
    grace: Duration,
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// Logs a line. A log that is not read any more must not end a service.
macro_rules! log {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let mut signals = SignalStream::new([Signal::HUP, Signal::INT, Signal::TERM, Signal::USR1])?;
    let service = Arc::new(Service::new(args.greeting)?);

    let listener = TcpListener::bind(args.listen).await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let serve = axum::serve(listener, service.clone().router())
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(async move { serve.await });

    service.is_ready.store(true, Relaxed);
    notify(&[NotifyState::Ready]);
    log!("READY http://{address}");

    let cause = service.next_stop(&mut signals).await?;
    service.is_ready.store(false, Relaxed);
    notify(&[NotifyState::Stopping]);

    if cause == Signal::TERM {
        log!("draining for {:?}", args.drain);
        match timeout(args.drain, service.next_stop(&mut signals)).await {
            Err(_) => {}
            Ok(Ok(Signal::INT)) => log!("no more draining"),
            Ok(signal) => service.force(signal?),
        }
    }
    stop.cancel();
    log!("ending: {} requests under way", service.under_way.load(Relaxed));
    tokio::select! {
        ended = &mut server => ended??,
        () = sleep(args.grace) => service.force(cause),
        signal = service.next_stop(&mut signals) => service.force(signal?),
    }
    log!("ended: {} requests answered", service.answered.load(Relaxed));
    exit_by(cause)
}

/// Relaxed: nothing else is read because of a flag or a number.
#[derive(Default)]
struct Service {
    is_ready: AtomicBool,
    under_way: AtomicUsize,
    answered: AtomicUsize,
    file: Option<PathBuf>,
    greeting: RwLock<String>,
}

impl Service {
    fn new(file: Option<PathBuf>) -> io::Result<Service> {
        let service = Service { file, ..Service::default() };
        service.load()?;
        Ok(service)
    }

    fn router(self: Arc<Service>) -> Router {
        Router::new()
            .route("/", get(greet))
            .route("/slow/{milliseconds}", get(slow))
            .layer(from_fn_with_state(self.clone(), count))
            .route("/ready", get(ready)) // probes do not count
            .with_state(self)
    }

    /// The next signal that asks for the end. Does what the others ask for meanwhile.
    ///
    /// Cancel safe: the receiver is, and nothing else is awaited.
    async fn next_stop(&self, signals: &mut SignalStream) -> io::Result<Signal> {
        loop {
            let info = signals.recv().await?;
            log!("{info}{}", command(&info));
            match info.signal() {
                Signal::HUP if self.is_ready.load(Relaxed) => self.reload()?,
                Signal::HUP => log!("not reloaded: this is the end"),
                Signal::USR1 => log!(
                    "ready: {}, requests under way: {}, answered: {}",
                    self.is_ready.load(Relaxed),
                    self.under_way.load(Relaxed),
                    self.answered.load(Relaxed),
                ),
                signal => return Ok(signal),
            }
        }
    }

    fn reload(&self) -> io::Result<()> {
        // By this time systemd tells that the answer is to this reload.
        notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?]);
        match self.load() {
            Ok(()) => log!("reloaded"),
            Err(error) => log!("not reloaded, going on as before: {error}"),
        }
        notify(&[NotifyState::Ready]);
        Ok(())
    }

    fn load(&self) -> io::Result<()> {
        let new = match &self.file {
            Some(file) => fs::read_to_string(file)?,
            None => "Hello!\n".into(),
        };
        *self.greeting.write().expect("never poisoned: no code that panics has it") = new;
        Ok(())
    }

    fn force(&self, signal: Signal) -> ! {
        log!("ending at once: {} requests cut off", self.under_way.load(Relaxed));
        exit_by(signal)
    }
}

/// Tells systemd, if that has started this program.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        log!("systemd is not told: {error}");
    }
}

/// The command of the process that sent it, for as long as that lives. No process can have another
/// one accused: what the sender may have written itself is not looked up.
fn command(info: &SignalInfo) -> String {
    let mut text = String::new();
    if let Some(sender) = info.sender().filter(|_| info.is_verified()) {
        if let Ok(line) = fs::read(format!("/proc/{}/cmdline", sender.pid)) {
            let words = line.split(|&byte| byte == 0).filter(|word| !word.is_empty());
            for word in words {
                // A process names itself, with what it likes: nothing of it steers the log.
                let _ = write!(text, " {:?}", String::from_utf8_lossy(word));
            }
        }
    }
    if text.is_empty() { text } else { format!(", which is{text}") }
}

async fn greet(State(service): State<Arc<Service>>) -> String {
    service.greeting.read().expect("never poisoned").clone()
}

/// What takes its time.
async fn slow(Path(milliseconds): Path<u32>) -> &'static str {
    sleep(Duration::from_millis(milliseconds.into())).await;
    "done\n"
}

async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    if service.is_ready.load(Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "ending\n")
    }
}

/// A request that is under way, until it is answered or the client goes away.
struct UnderWay(Arc<Service>);

impl UnderWay {
    fn begin(service: Arc<Service>) -> UnderWay {
        service.under_way.fetch_add(1, Relaxed);
        UnderWay(service)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

async fn count(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let under_way = UnderWay::begin(service);
    let mut response = next.run(request).await;
    let service = &under_way.0;
    service.answered.fetch_add(1, Relaxed);
    if !service.is_ready.load(Relaxed) {
        // The next request goes to another server, not into a connection that is about to close.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
