//! A server in this process that accepts every login and answers no query: what the pool of a test connects to
//! before it gets the connection that was kept for it.
//!
//! The pool's own options lead here as well, so code that opens another connection by
//! `pool.connect_options()` does not reach the database of the test. It would not see what the test
//! wrote, and could write what a later test finds. Its first query fails with a text that says so.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// The error that answers each query.
pub(crate) const TEXT: &str = "green-light: this test has one connection, inside a transaction; what it wrote \
    cannot be seen from another one, opened by the options of its pool. Write `isolation = database`, \
    which gives the test a database of its own and as many connections as it needs";
/// How long a client may take to log in.
const WAIT: Duration = Duration::from_secs(2);

pub(crate) type Greet = fn(&mut TcpStream) -> io::Result<()>;

/// Where a new stand-in listens that greets by `greet`; `None` where no process may connect to itself.
pub(crate) fn listen(greet: Greet) -> Option<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    let address = listener.local_addr().ok()?;
    thread::Builder::new()
        .name("green-light-stand-in".to_owned())
        .spawn(move || serve(&listener, greet))
        .ok()?;
    // Not in a network namespace without a loopback device.
    TcpStream::connect_timeout(&address, WAIT)
        .is_ok()
        .then_some(address)
}

fn serve(listener: &TcpListener, greet: Greet) {
    // They get nothing more. They are closed once the other side has closed: before that it could lose what was
    // sent to it.
    let mut guests = Vec::new();
    for guest in listener.incoming() {
        guests.retain(is_there);
        let Ok(mut guest) = guest else { continue };
        let greeted = guest
            .set_nodelay(true)
            .and_then(|()| guest.set_read_timeout(Some(WAIT)))
            .and_then(|()| guest.set_write_timeout(Some(WAIT)))
            .and_then(|()| greet(&mut guest))
            .and_then(|()| guest.shutdown(Shutdown::Write))
            .and_then(|()| guest.set_nonblocking(true));
        if greeted.is_ok() {
            guests.push(guest);
        }
    }
}

/// Whether the other side of `guest` has not closed. Reads away what it sends.
fn is_there(guest: &TcpStream) -> bool {
    let mut guest = guest;
    loop {
        match guest.read(&mut [0; 1024]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Reads `length` bytes and forgets them. More than a greeting has is refused.
pub(crate) fn skip(guest: &mut TcpStream, length: usize) -> io::Result<()> {
    const MOST: usize = 1 << 16;
    if length > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    guest.read_exact(&mut vec![0; length])
}
