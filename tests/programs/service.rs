//! The example `service`, by real requests.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::{env, fs, thread};

use nix::libc;
use signal_source::Signal;

use crate::harness::kernel::KERNEL;
use crate::harness::{eventually, example, pid};
use crate::program::Program;

/// A file of this case's own.
fn file(name: &str) -> PathBuf {
    env::temp_dir().join(format!("signal-source-{name}-{}", pid()))
}

struct Service {
    program: Program,
    address: String,
}

impl Service {
    fn start(arguments: &[&str]) -> Service {
        Service::spawn(Command::new(example("service")).args(arguments))
    }

    fn spawn(command: &mut Command) -> Service {
        let mut program = Program::spawn(command.args(["--listen", "127.0.0.1:0"]));
        let line = program.line().expect("a line");
        let address = line.strip_prefix("READY http://").expect("an address").to_owned();
        Service { program, address }
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.address).expect("it listens")
    }

    /// The answer to one request.
    #[track_caller]
    fn get(&self, path: &str) -> (u16, String) {
        let answer = self.connect().get(path).expect("an answer");
        (answer.status, answer.body)
    }

    /// Waits for a line that begins so, and returns it.
    #[track_caller]
    fn says(&mut self, start: &str) -> String {
        loop {
            let line = self.program.line().unwrap_or_else(|| panic!("never said {start:?}"));
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// Waits for its end, which must be by the signal, and returns what it still said.
    #[track_caller]
    fn dies_of(self, signal: Signal) -> String {
        let (status, rest) = self.program.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}: {rest}");
        rest
    }
}

struct Answer {
    status: u16,
    body: String,
    /// The server closes the connection.
    closes: bool,
}

/// A client's connection, which stays open from one request to the next.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> io::Result<Connection> {
        Ok(Connection(BufReader::new(TcpStream::connect(address)?)))
    }

    fn ask(&mut self, path: &str) -> io::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes())
    }

    fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask(path)?;
        self.answer()
    }

    /// A whole answer, to its last byte.
    fn answer(&mut self) -> io::Result<Answer> {
        let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut line = || {
            let mut line = String::new();
            match self.0.read_line(&mut line)? {
                0 => Err(cut_off()),
                _ => Ok(line.trim_end().to_lowercase()),
            }
        };
        let status = line()?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let (mut length, mut closes) = (0, false);
        loop {
            let header = line()?;
            match header.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().map_err(|_| cut_off())?,
                Some(("connection", value)) => closes = value == "close",
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer { status: status.ok_or_else(cut_off)?, body, closes })
    }
}

/// The clock that systemd compares with, in microseconds.
fn monotonic_usec() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the time alone.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) }, 0);
    let seconds = u64::try_from(time.tv_sec).expect("since the system's start");
    let nanoseconds = u64::try_from(time.tv_nsec).expect("less than a second");
    seconds * 1_000_000 + nanoseconds / 1000
}

pub fn service_reloads_and_tells_systemd() {
    let (greeting, socket) = (file("greeting"), file("notify"));
    fs::write(&greeting, "one\n").expect("write");
    let notified = UnixDatagram::bind(&socket).expect("bind");
    let mut buffer = [0; 1024];
    let mut notified = || {
        let count = notified.recv(&mut buffer).expect("a notification");
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let mut command = Command::new(example("service"));
    command.arg("--greeting").arg(&greeting).env("NOTIFY_SOCKET", &socket);
    let mut service = Service::spawn(command.arg("--drain=0"));
    assert_eq!(notified(), "READY=1\n");
    assert_eq!(service.get("/ready"), (200, "ready\n".into()));
    assert_eq!(service.get("/"), (200, "one\n".into()));

    for text in ["two\n", "three\n"] {
        fs::write(&greeting, text).expect("write");
        let sent = monotonic_usec();
        service.program.send(Signal::HUP);
        let reloading = notified();
        let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("a time");
        let time: u64 = time.trim_end().parse().expect("a number");
        // systemd takes an older one for the answer to an earlier reload.
        assert!((sent..=monotonic_usec()).contains(&time), "{time} after {sent}");
        assert_eq!(notified(), "READY=1\n");
        assert_eq!(service.get("/"), (200, text.into()));
    }
    // What can't be read changes nothing.
    fs::remove_file(&greeting).expect("remove");
    service.program.send(Signal::HUP);
    service.says("not reloaded, going on as before");
    assert_eq!(service.get("/"), (200, "three\n".into()));
    assert!(notified().starts_with("RELOADING=1\n"));
    assert_eq!(notified(), "READY=1\n");

    service.program.send(Signal::TERM);
    assert_eq!(notified(), "STOPPING=1\n");
    service.dies_of(Signal::TERM);
    fs::remove_file(&socket).expect("remove");
}

pub fn service_says_how_it_is_and_who_asks() {
    let mut service = Service::start(&["--drain=100000000"]);
    service.get("/");
    service.program.send(Signal::USR1);
    let line = service.says("SIGUSR1");
    if KERNEL.sender {
        // The command of this process.
        let this = env::args().next().expect("a name");
        assert!(line.starts_with(&format!("SIGUSR1 from process {} ", pid())), "{line}");
        assert!(line.contains(&format!(", which is {this:?}")), "{line}");
    }
    service.says("ready: true, requests under way: 0, answered: 1");
    service.program.send(Signal::INT); // does not drain
    service.dies_of(Signal::INT);
}

/// What the sender may have made up is not looked up.
#[cfg(target_os = "linux")]
pub fn service_accuses_no_process() {
    let mut service = Service::start(&["--drain=0"]);
    signal_source::send::sigqueue(service.program.pid(), Signal::USR1, 1).expect("sigqueue");
    let line = service.says("SIGUSR1");
    assert!(line.ends_with("(unverified)"), "{line}");
    service.program.send(Signal::INT);
    service.dies_of(Signal::INT);
}

/// Clients, as behind a load balancer, send one request after the other until the service is no longer
/// ready. All are answered, and so is one that takes longer than the drain.
pub fn service_drops_no_request() {
    const CLIENTS: usize = 8;
    const BEFORE: usize = 400;
    let mut service = Service::start(&["--drain=100000000", "--grace=100000000"]);
    let (is_ready, asked, answered) =
        (AtomicBool::new(true), AtomicUsize::new(0), AtomicUsize::new(0));
    let mut slow = under_way(&mut service, 3000); // longer than all that follows, most likely
    let client = || {
        let mut connection = service.connect();
        while is_ready.load(SeqCst) {
            asked.fetch_add(1, SeqCst);
            let answer = connection.get("/slow/2").expect("no request is dropped");
            assert_eq!((answer.status, answer.body.as_str()), (200, "done\n"));
            answered.fetch_add(1, SeqCst);
            if answer.closes {
                // Still draining, or it is not ready any more.
                match Connection::open(&service.address) {
                    Ok(new) => connection = new,
                    Err(_) => assert!(!is_ready.load(SeqCst), "it accepts while it drains"),
                }
            }
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        eventually("some requests", || answered.load(SeqCst) >= BEFORE);
        service.program.send(Signal::TERM);
        eventually("the answer that it is not ready", || service.get("/ready").0 == 503);
        is_ready.store(false, SeqCst);
        for client in clients {
            client.join().expect("no request is dropped");
        }
    });
    service.program.send(Signal::INT); // the drain is over
    assert_eq!(slow.answer().expect("no request is dropped").body, "done\n");
    let (asked, answered) = (asked.into_inner(), answered.into_inner());
    assert_eq!(asked, answered);
    assert!(answered > BEFORE);
    let line = service.says("ended");
    assert_eq!(line, format!("ended: {} requests answered", answered + 1));
    service.dies_of(Signal::TERM);
}

pub fn service_in_a_hurry_does_not_drain() {
    let mut service = Service::start(&["--drain=100000000"]);
    service.program.send(Signal::TERM);
    service.says("draining");
    assert_eq!(service.get("/ready"), (503, "ending\n".into()));
    assert_eq!(service.get("/").0, 200);
    service.program.send(Signal::INT);
    service.says("no more draining");
    service.dies_of(Signal::TERM); // the first
}

pub fn service_ends_at_once_by_the_second_signal() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)] {
        let mut service = Service::start(&["--drain=0", "--grace=100000000"]);
        let mut connection = under_way(&mut service, 1_000_000_000);
        service.program.send(first);
        assert_eq!(service.says("ending"), "ending: 1 requests under way");
        service.program.send(second);
        service.says("ending at once: 1 requests cut off");
        service.dies_of(second);
        assert!(connection.answer().is_err());
    }
}

pub fn service_ends_at_its_deadline() {
    let mut service = Service::start(&["--drain=0", "--grace=50"]);
    let mut connection = under_way(&mut service, 1_000_000_000);
    service.program.send(Signal::TERM);
    service.says("ending at once: 1 requests cut off");
    service.dies_of(Signal::TERM);
    assert!(connection.answer().is_err());
}

/// A request that has arrived and takes its time.
fn under_way(service: &mut Service, milliseconds: u32) -> Connection {
    let mut connection = service.connect();
    connection.ask(&format!("/slow/{milliseconds}")).expect("it listens");
    loop {
        service.program.send(Signal::USR1);
        if service.says("ready").contains("under way: 1,") {
            return connection;
        }
    }
}
