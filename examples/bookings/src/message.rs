//! What goes over the wire.

/// A guest in a room.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Booking {
    #[prost(int32, tag = "1")]
    pub room: i32,
    /// As `2027-01-31`.
    #[prost(string, tag = "2")]
    pub night: String,
    #[prost(string, tag = "3")]
    pub guest: String,
}

/// The room is taken.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Booked {
    #[prost(uint64, tag = "1")]
    pub id: u64,
}

/// Which night is asked for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Night {
    #[prost(string, tag = "1")]
    pub night: String,
}
