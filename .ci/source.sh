# Sourced by what builds a standard library: where its source comes from.

has_source() { [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ]; }

# Makes sure that cargo can build a standard library, from rustup's source or from a distribution's
# Rust with its source (Debian); the first Rust in the path may change for it.
find_source() {
    if has_source || rustup component add rust-src 2>/dev/null && has_source; then return; fi
    PATH=/usr/bin:$PATH
    # rustup's cargo-clippy would go back to rustup's cargo.
    if [ ! -x /usr/bin/cargo-clippy ] || ! has_source; then
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
            install -q -y rustc-web cargo-web rust-web-src rust-web-clippy
    fi
}
