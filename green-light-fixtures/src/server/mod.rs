//! Database servers: found by a URL, or started from the installed programs.
//!
//! A server that we start has durability off, listens on a private socket, keeps its cluster under
//! the target directory, and is shared by all processes of all runs in this checkout. It stops some
//! seconds after the last process that uses it is gone, however that one ended. A server named by a
//! variable is used as it is: nothing about it is ever changed.
//!
//! A process uses a server from its first engine on until it ends, so it does not matter which of its
//! engines lives longest.

mod ask;
mod find;
mod hints;
mod home;
mod linger;
#[cfg(feature = "mysql")]
mod mysql;
mod oldest;
mod origin;
#[cfg(feature = "postgres")]
mod postgres;
mod product;
mod shared;
mod start;
mod step;
#[cfg(test)]
mod tests;
mod user;
mod watch;

pub(crate) use self::{
    linger::asked as wanted_linger,
    origin::{Origin, end_of, not_a_url, tls, unreachable},
};
#[cfg(feature = "mysql")]
pub(crate) use self::{
    oldest::check_mysql,
    shared::{Server, mysql},
};
#[cfg(feature = "postgres")]
pub(crate) use self::{oldest::check_postgres, shared::postgres};
