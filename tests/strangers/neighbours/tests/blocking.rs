//! `reqwest::blocking` has a runtime of its own, which may not end where tokio runs: another thread does it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use green_light::prelude::*;

/// A server for one request.
#[fixture]
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = client.read(&mut request);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        client.write_all(answer).unwrap();
    });
    address
}

#[green_light::test]
fn a_blocking_client_on_another_thread(server: &SocketAddr) {
    let url = format!("http://{server}/");
    let text = green_light::blocking(move || reqwest::blocking::get(url)?.text());
    assert_eq!(text.unwrap(), "ok");
}

#[green_light::test]
async fn and_in_an_async_test(server: &SocketAddr, session: Session) {
    let url = format!("http://{server}/");
    let text = green_light::blocking(move || reqwest::blocking::get(url)?.text());
    assert_eq!(text.unwrap(), "ok");
    session.ping().await.unwrap();
}

#[green_light::test]
#[should_panic(expected = "on the thread")]
fn a_panic_comes_back() {
    green_light::blocking(|| panic!("on the thread"));
}
