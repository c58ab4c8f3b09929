#!/bin/sh
# Sets a machine up to build credtrace; `make scan` and `make test` both call it.
#
# What it does: checks for git, make, a C compiler and Rust, installs what is missing with the system's own package
# manager where it may (as root or with password-less sudo), then looks for Hyperscan, the faster of the two engines.
# Without Hyperscan it goes on: the pure-Rust engine finds the same. It downloads nothing by itself and runs no script
# from the network. With everything in place it installs nothing, asks nothing and ends within a moment.
#
# It writes target/engine: the cargo options of the engine, which the Makefile hands to cargo. CREDTRACE_ENGINE=rust
# asks for the pure-Rust engine alone. All talk is on standard error, so that a report on standard output stays whole.
set -u

least_rust_minor=89 # of Rust 1.x; the rust-version of Cargo.toml
here=$(cd "$(dirname "$0")" && pwd) || exit 1
engine_file=$here/target/engine
gave_up=$here/target/hyperscan-unavailable
PATH=$PATH:${CARGO_HOME:-${HOME:-/nonexistent}/.cargo}/bin
export PATH

say() { printf 'bootstrap: %s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# The package manager of this system, or nothing.
manager=
for candidate in apt-get dnf pacman brew; do
    if have "$candidate"; then
        manager=$candidate
        break
    fi
done

# Whether packages can be installed without asking anybody.
may_install() {
    case $manager in
    '') return 1 ;;
    brew) return 0 ;;
    *) [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; } ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# apt's lists are read anew once, and only when something is to be installed.
lists_are_fresh=
refresh_lists() {
    if [ "$manager" = apt-get ] && [ -z "$lists_are_fresh" ]; then
        as_root apt-get update -q >&2 || say "apt-get update failed; trying with the lists as they are"
        lists_are_fresh=1
    fi
}

install() {
    say "installing $* with $manager"
    refresh_lists
    case $manager in
    apt-get)
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
        ;;
    dnf) as_root dnf install -y -q "$@" >&2 ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" >&2 ;;
    brew) brew install "$@" >&2 ;;
    esac
}

# need COMMAND PACKAGE: the command is there, or is installed, or the set-up ends.
need() {
    have "$1" && return 0
    if may_install && install "$2" && have "$1"; then return 0; fi
    stop "$1 is missing and could not be installed: install the package $2 and run this again."
}

c_compiler() {
    have cc && return 0
    case $manager in
    apt-get) need cc build-essential ;;
    brew) stop "cc is missing: run xcode-select --install and run this again." ;;
    *) need cc gcc ;;
    esac
}

# The minor version of the Rust that runs here, 0 where there is none.
rust_minor() {
    (cd "$here" && rustc --version 2>/dev/null) | sed -n 's/^rustc 1\.\([0-9][0-9]*\)\..*/\1/p' | grep . || echo 0
}

rust_is_new_enough() { have cargo && [ "$(rust_minor)" -ge "$least_rust_minor" ]; }

# The minor version of the Rust that the package manager would install, 0 where it has none.
packaged_minor() {
    case $manager in
    apt-get) apt-cache policy rustc 2>/dev/null ;;
    dnf) dnf -q info rust 2>/dev/null ;;
    pacman) pacman -Si rust 2>/dev/null ;;
    brew) echo "Candidate: 1.$least_rust_minor.0" ;; # brew follows the newest release
    esac | sed -n 's/^ *\(Candidate\|Version\) *: *\(1:\)\{0,1\}1\.\([0-9][0-9]*\)\..*/\3/p' | head -n 1 | grep . || echo 0
}

packaged_rust() {
    case $manager in
    apt-get) install rustc cargo ;;
    dnf) install rust cargo ;;
    *) install rust ;;
    esac
}

rust() {
    rust_is_new_enough && return 0
    if may_install && ! have rustc; then
        refresh_lists
        if [ "$(packaged_minor)" -ge "$least_rust_minor" ]; then
            packaged_rust
        elif [ "$manager" = apt-get ] && apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
            install rustup
        fi
    fi
    if have rustup && ! rust_is_new_enough; then
        say "asking rustup for the stable toolchain"
        rustup toolchain install stable --profile minimal --component rustfmt --component clippy >&2 &&
            rustup default stable >&2
    fi
    rust_is_new_enough && return 0
    say "Rust 1.$least_rust_minor or newer is needed (found: $(rustc --version 2>/dev/null || echo none)), and"
    say "this system's packages have none that is new enough."
    say "Install it as https://www.rust-lang.org/tools/install describes, open a new shell, and run this again."
    exit 1
}

hyperscan_is_there() { have pkg-config && pkg-config --exists libhs; }

hyperscan_packages() {
    case $manager in
    apt-get)
        if apt-cache show libhyperscan-dev >/dev/null 2>&1; then
            echo libhyperscan-dev pkg-config
        else
            echo libvectorscan-dev pkg-config
        fi
        ;;
    dnf) echo hyperscan-devel pkgconf-pkg-config ;;
    pacman) echo hyperscan pkgconf ;;
    brew) echo vectorscan pkgconf ;;
    esac
}

# Writes the engine's cargo options, and only where they changed, so that nothing is built again for nothing.
choose_engine() {
    mkdir -p "$here/target" || exit 1
    if [ "$(cat "$engine_file" 2>/dev/null)" != "$1" ] || [ ! -e "$engine_file" ]; then
        printf '%s\n' "$1" >"$engine_file" || exit 1
    fi
}

engine() {
    if [ "${CREDTRACE_ENGINE:-}" = rust ]; then
        choose_engine ''
        return 0
    fi
    if ! hyperscan_is_there && [ ! -e "$gave_up" ] && may_install; then
        refresh_lists
        # shellcheck disable=SC2046 # one word a package
        if ! install $(hyperscan_packages) || ! hyperscan_is_there; then
            mkdir -p "$here/target" && : >"$gave_up"
        fi
    fi
    if hyperscan_is_there; then
        rm -f "$gave_up"
        choose_engine '--features hyperscan'
    elif [ -e "$gave_up" ]; then
        say "Hyperscan could not be installed; going on with the pure-Rust engine (remove $gave_up to try again)."
        choose_engine ''
    else
        say "Hyperscan is missing and packages cannot be installed from here; going on with the pure-Rust engine,"
        say "which finds the same. For the faster one, install libhyperscan-dev (or libvectorscan-dev) and pkg-config."
        choose_engine ''
    fi
}

need git git
need make make
c_compiler
rust
engine
