//! MySQL and MariaDB as a place for test databases: a template for each schema, copies of it,
//! leftovers.
//!
//! * The database `green_light` of the server lists what was made. A database is entered there before
//!   it is made, and nothing else is ever dropped.
//! * Each run holds the server's lock of its name, and so does whoever builds a template. What belongs
//!   to a name whose lock is free is a leftover.
//! * A template is one once it is listed as such, which is the last step of its building.
//! * MySQL clones no database: a copy is made by running what the server says the template is made of.

mod copy;
mod database;
mod left;
mod server;
mod template;

pub(crate) use self::{
    copy::Script, copy::quoted, database::MySqlDatabase, left::SlotDatabase,
    template::MySqlTemplate,
};
