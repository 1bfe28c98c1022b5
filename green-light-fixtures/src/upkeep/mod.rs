//! What processes do for test databases on a server, whichever server it is: they count connections,
//! wait for each other, and work in the background.
//!
//! * What all must agree on is kept on the server, under locks that end with whoever holds them.
//! * A process has a runtime of its own for this, since the runtime of a test may end at any time.
//! * Every wait is bounded, and told when it is long.

#[cfg(feature = "_server")]
mod background;
#[cfg(feature = "_server")]
mod backlog;
#[cfg(feature = "_server")]
mod budget;
#[cfg(feature = "_server")]
mod door;
#[cfg(feature = "_server")]
mod name;
#[cfg(feature = "_server")]
mod resting;
#[cfg(feature = "_server")]
mod round;
mod waiting;

pub(crate) use self::waiting::{LIMIT, Waiting};
#[cfg(feature = "_server")]
pub(crate) use self::{
    background::{Background, last, on_own_runtime, spawn},
    budget::{Budget, Counts, Entered, Permits, wanted_connections},
    door::Door,
    name::{new_name, program, random_bytes},
    resting::{Rested, Resting},
    round::Round,
    waiting::answered,
};
