//! What all test programs share.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::{process, thread};

use green_light::prelude::*;
use serde::{Deserialize, Serialize};

/// Where the server is.
#[derive(Serialize, Deserialize)]
pub struct Search {
    pub address: SocketAddr,
    /// The process that runs it.
    pub process: u32,
}

/// A search engine, which takes long to start.
#[fixture(scope = "run")]
pub async fn search(out: Yield<Search>) -> io::Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let address = server.local_addr()?;
    let running = thread::spawn(move || serve(&server));
    let process = process::id();
    out.give(Search { address, process }).await; // all tests of all processes run here
    ask(address, "stop")?;
    running.join().expect("the server stops")
}

fn serve(server: &TcpListener) -> io::Result<()> {
    loop {
        let (mut client, _) = server.accept()?;
        let mut word = [0; 4];
        client.read_exact(&mut word)?;
        if &word == b"stop" {
            return Ok(());
        }
        client.write_all(b"found ")?;
        client.write_all(&word)?;
    }
}

/// What the server answers.
pub fn ask(server: SocketAddr, word: &str) -> io::Result<String> {
    let mut client = TcpStream::connect(server)?;
    client.write_all(word.as_bytes())?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Whether all tests of this run of cargo or nextest, in whichever process, have the same server.
pub fn is_the_only_one(search: &Search) -> io::Result<bool> {
    let note = format!("run-{}", parent_id());
    let note = Path::new(env!("CARGO_TARGET_TMPDIR")).join(note);
    let own = search.process.to_string();
    // Each test, of whichever process, has a draft of its own.
    let writer = format!("{}-{:?}", process::id(), thread::current().id());
    let draft = note.with_extension(writer);
    File::create(&draft)?.write_all(own.as_bytes())?;
    // The first test of the run leaves its note there.
    let first = std::fs::hard_link(&draft, &note);
    std::fs::remove_file(draft)?;
    match first {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(std::fs::read_to_string(note)? == own),
    }
}
