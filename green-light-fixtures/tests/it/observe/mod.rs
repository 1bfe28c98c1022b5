//! What one test leaves and the next one sees.

mod frame;
mod mysql;
mod sqlite;
mod table;
mod texts {
    pub(super) mod mysql;
    pub(super) mod sqlite;
}
