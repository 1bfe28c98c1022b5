//! Fixtures for whoever links this crate.

/// Shared, with teardown.
#[gl::fixture(crate = gl, scope = "process")]
pub async fn port(out: gl::Yield<u16>) {
    out.give(8080).await;
}

/// Depends on another, and may fail.
#[gl::fixture(crate = gl)]
pub fn greeting(port: u16, request: &gl::Request) -> Result<String, String> {
    let test = request.test_name().ok_or("a test asks for it")?;
    Ok(format!("{test} on {port}"))
}
