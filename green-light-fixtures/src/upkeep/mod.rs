//! What processes do for test databases on a server, whichever server it is: they count connections,
//! wait for each other, and work in the background.
//!
//! * What all must agree on is kept on the server, under locks that end with whoever holds them.
//! * A process has a runtime of its own for this, since the runtime of a test may end at any time.
//! * Every wait is bounded, and told when it is long.

mod background;
mod backlog;
mod budget;
mod door;
mod name;
mod round;
mod waiting;

pub(crate) use self::{
    background::{Background, last, on_own_runtime, spawn},
    budget::{Budget, Counts, Entered, Permits},
    door::Door,
    name::{new_name, program, random_bytes},
    round::Round,
    waiting::{Waiting, answered},
};
