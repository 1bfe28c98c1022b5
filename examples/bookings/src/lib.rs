//! The bookings of a hotel, by gRPC.

pub mod message;
pub mod rpc;
mod server;
mod service;

pub use server::serve;
pub use service::Hotel;
