//! Client and server, as the build script writes them.
#![allow(warnings, reason = "written by tonic")]

include!(concat!(env!("OUT_DIR"), "/hotel.Bookings.rs"));
