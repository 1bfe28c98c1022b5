//! Writes client and server of the service, as `tonic-prost-build` does from a `.proto` file.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::message::{input}"))
            .output_type(format!("crate::message::{output}"))
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .name("Bookings")
        .package("hotel")
        .method(method("book", "Book", "Booking", "Booked").build())
        .method(
            method("list", "List", "Night", "Booking")
                .server_streaming()
                .build(),
        )
        .build();
    Builder::new().compile(&[service]);
}
