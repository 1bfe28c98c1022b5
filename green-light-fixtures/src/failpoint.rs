//! Points at which tests kill the process: what it leaves must not harm the next one.

/// The point `name` has been reached. Nothing happens outside of green-light's own tests.
#[cfg(not(test))]
pub(crate) const fn step(_name: &str) {}

/// At which of the points that it comes to, counted from 0, a test's child process is killed.
#[cfg(test)]
pub(crate) const VARIABLE: &str = "TEST_STEP";

/// Prints the point `name`, and kills this process if it is the one that [`VARIABLE`] asks for.
#[cfg(test)]
pub(crate) fn step(name: &str) {
    use std::{
        env,
        process::{self, Command},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
        time::Duration,
    };

    static REACHED: AtomicUsize = AtomicUsize::new(0);
    let Some(wanted) = env::var(VARIABLE)
        .ok()
        .and_then(|text| text.parse::<usize>().ok())
    else {
        return;
    };
    println!("step {name}");
    if REACHED.fetch_add(1, Ordering::Relaxed) == wanted {
        let own = process::id().to_string();
        let _ = Command::new("kill").args(["-9", &own]).status();
        thread::sleep(Duration::from_secs(60));
    }
}
