//! What one test leaves and the next one sees.

mod frame;
mod sqlite;
mod table;
mod texts {
    pub(super) mod sqlite;
}
