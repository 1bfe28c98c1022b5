//! `cargo green-light init`: what the tests of a project need, and a first test.

pub(crate) mod change;
pub(crate) mod command;
pub(crate) mod database;
pub(crate) mod manifest;
pub(crate) mod member;
pub(crate) mod migrations;
pub(crate) mod modules;
pub(crate) mod tables;
pub(crate) mod test_file;
