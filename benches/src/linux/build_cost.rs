//! Build cost: crates and the CPU time of a clean release build, for each feature set and for the
//! peers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

use crate::linux::stats::median;

/// What a program writes into its `Cargo.toml`.
const DEPENDENCIES: &[(&str, &str)] = &[
    ("signal-source", "signal-source = { path = \"SOURCE\" }"),
    ("signal-source, mio", "signal-source = { path = \"SOURCE\", features = [\"mio\"] }"),
    ("signal-source, tokio", "signal-source = { path = \"SOURCE\", features = [\"tokio\"] }"),
    (
        "signal-source, tokio + stream",
        "signal-source = { path = \"SOURCE\", features = [\"tokio\", \"stream\"] }",
    ),
    ("mio-signals", "mio-signals = \"0.3\""),
    ("calloop, signals", "calloop = { version = \"0.14\", features = [\"signals\"] }"),
    ("tokio, signal", "tokio = { version = \"1\", features = [\"signal\"] }"),
    ("signal-hook", "signal-hook = \"0.4\""),
    (
        "signal-hook, extended-siginfo",
        "signal-hook = { version = \"0.4\", features = [\"extended-siginfo\"] }",
    ),
    ("signal-hook-mio", "signal-hook-mio = { version = \"0.3\", features = [\"support-v1_0\"] }"),
    (
        "signal-hook-tokio",
        "signal-hook-tokio = { version = \"0.4\", features = [\"futures-v0_3\"] }",
    ),
    ("async-signal", "async-signal = \"0.2\""),
];

/// One dependency's figures.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub name: &'static str,
    /// All crates that are built, the dependency itself included.
    pub crates: usize,
    pub cpu_seconds: f64,
    /// Of that, for signal-source itself.
    #[serde(default)]
    pub own_cpu_seconds: Option<f64>,
}

/// Builds with the versions of this package's `Cargo.lock`, without asking a registry.
pub fn run() -> Vec<Row> {
    DEPENDENCIES.iter().map(|&(name, dependency)| row(name, dependency)).collect()
}

fn row(name: &'static str, dependency: &str) -> Row {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = here.join("target/build-cost");
    let _ = fs::remove_dir_all(&package);
    write_package(&package, &dependency.replace("SOURCE", &here.join("..").to_string_lossy()));
    fs::copy(here.join("Cargo.lock"), package.join("Cargo.lock")).expect("the versions");
    let tree = cargo(&package, &["tree", "--prefix", "none", "--edges", "normal,build"]);
    let crates: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(" (").next()).map(str::trim).collect();
    let before = children_cpu_ns();
    cargo(&package, &["build", "--release"]);
    let cpu_seconds = (children_cpu_ns() - before) as f64 / 1e9;
    let own_cpu_seconds = name.starts_with("signal-source").then(|| own_cpu_seconds(&package));
    let _ = fs::remove_dir_all(&package);
    Row { name, crates: crates.len() - 1, cpu_seconds, own_cpu_seconds }
}

/// What it takes to build the crate once more when all that it depends on is there: the median, less
/// what cargo takes to find nothing to do.
fn own_cpu_seconds(package: &Path) -> f64 {
    let again = |clean: bool| {
        if clean {
            cargo(package, &["clean", "--release", "--package", "signal-source"]);
        }
        let before = children_cpu_ns();
        cargo(package, &["build", "--release"]);
        (children_cpu_ns() - before) as f64 / 1e9
    };
    let middle = |clean| median(&[(); 3].map(|()| again(clean)));
    middle(true) - middle(false)
}

fn write_package(package: &Path, dependency: &str) {
    let manifest = format!(
        "[workspace]\n[package]\nname = \"program\"\nedition = \"2024\"\n[dependencies]\n{dependency}\n"
    );
    fs::create_dir_all(package.join("src")).expect("a package");
    fs::write(package.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(package.join("src/lib.rs"), "").expect("a source");
}

fn cargo(package: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(arguments).args(["--offline", "--quiet"]).current_dir(package);
    command.env("CARGO_TARGET_DIR", package.join("target")).stderr(Stdio::inherit());
    let output = command.output().expect("cargo");
    assert!(output.status.success(), "cargo {arguments:?}");
    String::from_utf8_lossy(&output.stdout).into()
}

/// CPU time of all children that have ended, and of theirs.
fn children_cpu_ns() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    (usage.user_time() + usage.system_time()).num_nanoseconds()
}
