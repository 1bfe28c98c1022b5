//! The guestbook, tested with green-light: in process, and over HTTP on a free port.
//!
//! actix-web runs each of its workers on a thread and a runtime of its own. The database stays on the runtime
//! that tests share, so the workers are clients of it like any other, and it outlives them.

mod in_process;
mod local_tasks;
mod over_http;
mod server;

use green_light::prelude::*;
use guestbook::entry;

/// The tables of all tests in this binary.
#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::entities(|tables| tables.register(entry::Entity))
}
