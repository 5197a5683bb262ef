//! Compares the crate's public API with the lists beside this package's manifest; with `--write`,
//! writes them.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const LINUX: &str = "x86_64-unknown-linux-gnu";

/// Lists that say what is another way than in `linux.txt`: name, target, features.
const OTHERS: [(&str, &str, &str); 3] = [
    ("linux-without-features.txt", LINUX, "--no-default-features"),
    ("macos.txt", "aarch64-apple-darwin", "--all-features"),
    ("freebsd.txt", "x86_64-unknown-freebsd", "--all-features"),
];

/// The crates whose types may be part of the API.
const OWN_OR_PUBLIC: [&str; 8] =
    ["Self", "alloc", "core", "futures_core", "mio", "serde_core", "signal_source", "std"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let write = match env::args().skip(1).collect::<Vec<_>>().join(" ").as_str() {
        "" => false,
        "--write" => true,
        other => return Err(format!("{other:?}: nothing, or --write").into()),
    };
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let linux = items(package, LINUX, "--all-features")?;
    let mut lists = vec![("linux.txt", linux.clone())];
    for (name, target, features) in OTHERS {
        lists.push((name, difference(&linux, &items(package, target, features)?)));
    }
    let mut is_same = true;
    for (name, list) in lists {
        let foreign: BTreeSet<_> = list.iter().flat_map(|item| foreign(item)).collect();
        if !foreign.is_empty() {
            return Err(format!("{name}: types of other crates: {foreign:?}").into());
        }
        let (path, text) = (package.join(name), list.join("\n") + "\n");
        if write {
            fs::write(path, text)?;
        } else {
            let written: Vec<_> = fs::read_to_string(path)?.lines().map(String::from).collect();
            for line in difference(&written, &list) {
                is_same = false;
                println!("{name}: {line}");
            }
        }
    }
    if is_same {
        return Ok(ExitCode::SUCCESS);
    }
    println!("The API is another than what api/ has. If that is meant: cargo run -- --write");
    Ok(ExitCode::FAILURE)
}

/// Every public item, in the order of the listing.
fn items(package: &Path, target: &str, features: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let api = public_api::Builder::from_rustdoc_json(document(package, target, features)?)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true) // tests/auto_traits.rs has them
        .build()?;
    Ok(api.items().map(|item| item.to_string()).collect())
}

/// Has rustdoc describe the crate.
fn document(package: &Path, target: &str, features: &str) -> Result<PathBuf, Box<dyn Error>> {
    let directory = package.join("target/described");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(package.join("..")).env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["rustdoc", "--quiet", "--lib", features, "--target", target, "--target-dir"]);
    cargo.arg(&directory).args(["--", "-Z", "unstable-options", "--output-format", "json"]);
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("cargo rustdoc for {target}: {status}").into());
    }
    Ok(directory.join(target).join("doc/signal_source.json"))
}

/// What `new` has less (`-`) and more (`+`) than `old`.
fn difference(old: &[String], new: &[String]) -> Vec<String> {
    let lacks = |list: &[String]| {
        let items: BTreeSet<_> = list.iter().cloned().collect();
        move |item: &&String| !items.contains(*item)
    };
    let less = old.iter().filter(lacks(new)).map(|item| format!("-{item}"));
    let more = new.iter().filter(lacks(old)).map(|item| format!("+{item}"));
    less.chain(more).collect()
}

/// The crates that the item names and that have no place in the API.
fn foreign(item: &str) -> impl Iterator<Item = String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    item.split(move |c| !is_part(c))
        .filter_map(|word| word.split_once("::"))
        .map(|(first, _)| first)
        .filter(|first| !first.is_empty() && !OWN_OR_PUBLIC.contains(first))
        .map(String::from)
}
