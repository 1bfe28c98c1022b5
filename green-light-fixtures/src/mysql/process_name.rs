//! The name of a process on a server of MySQL or MariaDB.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::server::process_home::HOME;

/// How the names of processes begin.
const PROCESS: &str = "gl_p_";

/// The name of this process on one more server.
pub(crate) fn process_name() -> String {
    static SERVERS: AtomicU32 = AtomicU32::new(0);
    let number = SERVERS.fetch_add(1, Ordering::Relaxed);
    format!("{PROCESS}{}_{number}", &*HOME)
}

/// Where the process of that name runs.
pub(crate) fn home_of(process: &str) -> Option<&str> {
    process.strip_prefix(PROCESS)
}
