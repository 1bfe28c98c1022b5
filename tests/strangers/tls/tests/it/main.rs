//! What a test prints when a connection over TLS cannot be made, with real servers and certificates.

mod certificates;
mod messages;
mod servers;
mod specimens;
