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

/// Installs Debian packages, as root or by way of sudo.
fn apt_get(packages: &[&str]) -> Result<(), String> {
    let root = Step::new("sh")
        .arg("-c")
        .arg("[ \"$(id -u)\" -eq 0 ]")
        .succeeds();
    let apt_get = || {
        let step = if root {
            Step::new("env")
        } else {
            Step::new("sudo").arg("-n").arg("env")
        };
        step.arg("DEBIAN_FRONTEND=noninteractive").arg("apt-get")
    };
    apt_get().arg("update").run()?;
    let install = apt_get()
        .arg("install")
        .arg("-y")
        .arg("--no-install-recommends");
    packages.iter().fold(install, Step::arg).run()
}
