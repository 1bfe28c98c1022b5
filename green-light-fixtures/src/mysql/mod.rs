//! MySQL and MariaDB as a place for test databases: templates, copies made ahead, connections,
//! leftovers.
//!
//! * Everything that processes must agree on is kept on the server, in the database `green_light`.
//!   Locks are those of `GET_LOCK`, which the whole server shares and which end with their connection.
//! * A process holds the lock of its own name for as long as it lives, however it ends. What belongs
//!   to a name whose lock is free is a leftover.
//! * A database is entered in the registry before it is made, under a name that nobody can guess, and
//!   nothing else is ever dropped. While it is made, the lock of its name is held by the connection
//!   that makes it: the server may go on with a statement whose process is gone.
//! * A template is one once it is listed as such, which is the last step of its building.
//! * MySQL clones no database: a copy is made by running what the server says the template is made of.
//!   Two slots of the sandbox never share one: locks between keys would make tests wait for each other.

mod back;
mod claim;
mod connect;
mod copy;
mod counting;
mod janitor;
mod office;
mod prepared;
mod programs;
mod registry;
mod stock;
mod template;

pub(crate) use self::{
    claim::Claim,
    connect::{Line, failed, help, once_there_is_room},
    copy::{Script, quoted},
    programs::Programs,
    template::MySqlTemplate,
};
