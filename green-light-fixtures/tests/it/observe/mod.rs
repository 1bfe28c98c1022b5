//! What one test leaves and the next one sees.

mod frame;
mod mysql;
mod postgres;
mod sqlite;
mod table;
mod texts {
    pub(super) mod mysql;
    pub(super) mod postgres;
    pub(super) mod sqlite;
}
