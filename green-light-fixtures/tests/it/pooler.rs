//! A pooler between the tests and PostgreSQL: locks belong to sessions, and it gives these to others.
//!
//! One that refuses what it does not know ends the start of a session. One that has been told to ignore
//! that, as `ignore_startup_parameters` of PgBouncer does, lets everything through at first.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    thread,
};

use green_light_fixtures::{Backend, Engine};

use crate::{
    children::{part, said},
    proxy::Upstream,
    role::Role,
    support::run,
};

#[test]
fn a_pooler_that_swallows_settings_is_told_from_a_server() {
    let test = "pooler::a_pooler_that_swallows_settings_is_told_from_a_server";
    if part().is_some() {
        return run(says_what_it_finds());
    }
    let role = run(Role::new());
    for (pooler, expected) in [
        (
            true,
            "a connection pooler stands between this process and PostgreSQL\n  help: name the server itself in `GREEN_LIGHT_POSTGRES_URL`",
        ),
        (false, "an engine"),
    ] {
        let port = forward(role.upstream(), pooler);
        let text = said(role.playing_through(test, "user", port).spawn().unwrap());
        assert!(text.contains(expected), "{text}");
    }
    run(role.alone());
    run(role.drop());
}

#[expect(clippy::print_stdout, reason = "the process tells its parent")]
async fn says_what_it_finds() {
    match Engine::builder().backend(Backend::Postgres).build().await {
        Ok(_) => println!("an engine"),
        Err(error) => println!("{error:?}"),
    }
}

/// Passes everything on, a pooler without the `options` of a session's start.
fn forward(upstream: Upstream, is_pooler: bool) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the process of the test.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let upstream = upstream.clone();
            thread::spawn(move || serve(client, &upstream, is_pooler));
        }
    });
    port
}

fn serve(client: TcpStream, upstream: &Upstream, is_pooler: bool) -> io::Result<()> {
    match upstream {
        Upstream::Socket(path) => {
            let server = UnixStream::connect(path)?;
            let answers = server.try_clone()?;
            carry(client, server, answers, is_pooler, |s| {
                s.shutdown(Shutdown::Both)
            })
        }
        Upstream::Tcp(host, port) => {
            let server = TcpStream::connect((host.as_str(), *port))?;
            let answers = server.try_clone()?;
            carry(client, server, answers, is_pooler, |s| {
                s.shutdown(Shutdown::Both)
            })
        }
    }
}

fn carry<S: Read + Write + Send + 'static>(
    mut client: TcpStream,
    mut server: S,
    mut answers: S,
    is_pooler: bool,
    end: impl Fn(&S) -> io::Result<()>,
) -> io::Result<()> {
    let start = start_of_session(&mut client, is_pooler)?;
    server.write_all(&start)?;
    let mut back = client.try_clone()?;
    thread::spawn(move || {
        let _ = io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut client, &mut server);
    end(&server)
}

/// The first message: its length, the version of the protocol, and names and values in turn, each ended
/// by a zero; see "StartupMessage" in the manual of PostgreSQL.
fn start_of_session(client: &mut impl Read, is_pooler: bool) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut rest)?;
    let (version, settings) = rest.split_at(4);
    let words: Vec<&[u8]> = settings.split(|byte| *byte == 0).collect();
    let mut message = version.to_vec();
    for pair in words.chunks_exact(2) {
        if !(is_pooler && pair[0] == b"options") {
            for word in pair.iter().filter(|_| !pair[0].is_empty()) {
                message.extend_from_slice(word);
                message.push(0);
            }
        }
    }
    message.push(0);
    let length = u32::try_from(message.len() + 4).unwrap();
    Ok([length.to_be_bytes().to_vec(), message].concat())
}
