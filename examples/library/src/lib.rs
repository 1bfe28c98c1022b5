//! A library by GraphQL, on SeaORM.

pub mod entity;
mod graph;
mod loaders;

pub use graph::{Library, library};
