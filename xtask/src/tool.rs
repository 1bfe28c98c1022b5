//! What the tests need from the machine: installed when it is missing and we know how.

use std::env;

use crate::step::Step;

/// The C compiler that builds SQLite: `$CC`, or `cc`.
///
/// It is missing where Rust links by other means; elsewhere nothing would have been built at all.
pub(crate) fn c_compiler() -> Result<(), String> {
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // `CC` may hold arguments, such as `ccache cc`.
    let mut words = compiler.split_whitespace();
    let program = words.next().unwrap_or("cc");
    let probe = words.fold(Step::new(program), Step::arg).arg("--version");
    if probe.succeeds() {
        return Ok(());
    }
    if program != "cc" {
        return Err(format!(
            "the C compiler `{compiler}` of `CC` does not run\n  help: install it, or unset `CC`"
        ));
    }
    apt_get(&["gcc", "libc6-dev"]).map_err(|error| {
        format!(
            "there is no C compiler, which SQLite needs, and installing one failed: {error}\n  \
             help: install one (Debian: `apt-get install gcc`, macOS: `xcode-select --install`)"
        )
    })
}

/// The test runner that gives each test a process.
pub(crate) fn nextest() -> Result<(), String> {
    if Step::cargo(["nextest", "--version"]).succeeds() {
        return Ok(());
    }
    Step::cargo(["install", "--locked", "cargo-nextest"]).run()
}

/// What counts the lines that run.
pub(crate) fn llvm_cov() -> Result<(), String> {
    if Step::cargo(["llvm-cov", "--version"]).succeeds() {
        return Ok(());
    }
    Step::cargo(["install", "--locked", "cargo-llvm-cov"]).run()
}

/// What makes a book of the guide.
pub(crate) fn mdbook() -> Result<(), String> {
    if Step::new("mdbook").arg("--version").succeeds() {
        return Ok(());
    }
    Step::cargo(["install", "--locked", "mdbook"]).run()
}

/// PostgreSQL and MariaDB, whose programs the tests start servers from.
pub(crate) fn database_servers() -> Result<(), String> {
    let mut packages = Vec::new();
    if !exists(
        "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
                /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb",
    ) {
        packages.push("postgresql");
    }
    if !exists(
        "command -v mariadbd || command -v mysqld || ls /usr/sbin/mariadbd /usr/sbin/mysqld \
                /usr/libexec/mariadbd /opt/homebrew/opt/*/bin/mariadbd /usr/local/opt/*/bin/mariadbd",
    ) {
        packages.push("mariadb-server");
    }
    if packages.is_empty() {
        return Ok(());
    }
    apt_get(&packages).map_err(|error| {
        format!(
            "`{}` is missing, and installing it failed: {error}\n  help: install it (Fedora: `dnf \
             install postgresql-server mariadb-server`, macOS: `brew install postgresql mariadb`); \
             its service need not run",
            packages.join(" ")
        )
    })
}

/// Redis, which an example starts once for all its tests.
pub(crate) fn redis() -> Result<(), String> {
    if exists("command -v redis-server") {
        return Ok(());
    }
    apt_get(&["redis-server"]).map_err(|error| {
        format!(
            "`redis-server` is missing, and installing it failed: {error}\n  help: install it (Fedora: `dnf install \
             redis`, macOS: `brew install redis`); its service need not run"
        )
    })
}

/// Chromium and its driver, in which a page is looked at.
pub(crate) fn browser() -> Result<(), String> {
    if exists("command -v chromedriver") {
        return Ok(());
    }
    apt_get(&["chromium", "chromium-driver"]).map_err(|error| {
        format!(
            "`chromedriver` is missing, and installing it failed: {error}\n  help: install Chromium and its driver \
             (Fedora: `dnf install chromium chromedriver`, macOS: `brew install chromium chromedriver`)"
        )
    })
}

/// Whether one of the programs that `script` looks for is there.
fn exists(script: &str) -> bool {
    // `ls` fails when one of several is missing, and still prints the others.
    Step::new("sh")
        .arg("-c")
        .arg(format!("[ -n \"$({{ {script}; }} 2>/dev/null)\" ]"))
        .succeeds()
}

/// Installs its arguments. The services among them are not started: the tests start servers of
/// their own, and a machine that has none running shall have none afterwards.
const INSTALL: &str = "\
policy=/usr/sbin/policy-rc.d
if [ ! -e \"$policy\" ]; then
    trap 'rm -f \"$policy\"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\\nexit 101\\n' >\"$policy\" && chmod +x \"$policy\" || exit 1
fi
apt-get install -y --no-install-recommends \"$@\"";

/// Installs Debian packages, as root or by way of sudo.
fn apt_get(packages: &[&str]) -> Result<(), String> {
    if !exists("command -v apt-get") {
        return Err("there is no `apt-get` here".to_owned());
    }
    let root = Step::new("sh")
        .arg("-c")
        .arg("[ \"$(id -u)\" -eq 0 ]")
        .succeeds();
    let with_privileges = || {
        let step = if root {
            Step::new("env")
        } else {
            Step::new("sudo").arg("-n").arg("env")
        };
        step.arg("DEBIAN_FRONTEND=noninteractive")
    };
    with_privileges().arg("apt-get").arg("update").run()?;
    let install = with_privileges().arg("sh").arg("-c").arg(INSTALL).arg("sh");
    packages.iter().fold(install, Step::arg).run()
}
