//! A server in this process that lets everybody in and answers no query: what the pool of a test
//! connects to before it gets the connection that was kept for it.
//!
//! The pool's own options lead here as well, so code that opens another connection by
//! `pool.connect_options()` does not reach the database of the test behind its back. It would not see
//! what the test wrote, and could write what a later test finds. Its first query fails, in words.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::LazyLock,
    thread,
    time::Duration,
};

/// The error that answers each query.
const TEXT: &str = "green-light: this test has one connection, inside a transaction; what it wrote \
    cannot be seen from another one, opened by the options of its pool. Write `isolation = database`, \
    which gives the test a database of its own and as many connections as it needs";
/// How long somebody who connects may take to say so.
const WAIT: Duration = Duration::from_secs(2);

/// Where the stand-in for PostgreSQL listens; `None` where no process may connect to itself.
#[cfg(feature = "postgres")]
pub(crate) fn postgres() -> Option<SocketAddr> {
    static ADDRESS: LazyLock<Option<SocketAddr>> = LazyLock::new(|| listen(greet_postgres));
    *ADDRESS
}

/// Where the stand-in for MySQL listens; `None` where no process may connect to itself.
#[cfg(feature = "mysql")]
pub(crate) fn mysql() -> Option<SocketAddr> {
    static ADDRESS: LazyLock<Option<SocketAddr>> = LazyLock::new(|| listen(greet_mysql));
    *ADDRESS
}

type Greet = fn(&mut TcpStream) -> io::Result<()>;

fn listen(greet: Greet) -> Option<SocketAddr> {
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
    // Nothing more is said to them. They are closed once the other side has closed: before that it
    // could lose what it was told.
    let mut guests = Vec::new();
    for guest in listener.incoming() {
        guests.retain(is_there);
        let Ok(mut guest) = guest else { continue };
        let told = guest
            .set_nodelay(true)
            .and_then(|()| guest.set_read_timeout(Some(WAIT)))
            .and_then(|()| guest.set_write_timeout(Some(WAIT)))
            .and_then(|()| greet(&mut guest))
            .and_then(|()| guest.shutdown(Shutdown::Write))
            .and_then(|()| guest.set_nonblocking(true));
        if told.is_ok() {
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
fn skip(guest: &mut TcpStream, length: usize) -> io::Result<()> {
    const MOST: usize = 1 << 16;
    if length > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    guest.read_exact(&mut vec![0; length])
}

/// The start of a session, and at once the error that answers its first query.
#[cfg(feature = "postgres")]
fn greet_postgres(guest: &mut TcpStream) -> io::Result<()> {
    let mut length = [0; 4];
    guest.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    skip(guest, length.saturating_sub(4))?;
    let mut answer = Vec::new();
    let mut say = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
        answer.push(kind);
        answer.extend(length.to_be_bytes());
        answer.extend(body);
    };
    // Authenticated; the key for cancelling; ready.
    say(b'R', &[0; 4]);
    say(b'K', &[0; 8]);
    say(b'Z', b"I");
    // `feature_not_supported`.
    let fields = format!("SFATAL\0VFATAL\0C0A000\0M{TEXT}\0\0");
    say(b'E', fields.as_bytes());
    guest.write_all(&answer)
}

/// The start of a session, and at once the error that answers its first query.
#[cfg(feature = "mysql")]
fn greet_mysql(guest: &mut TcpStream) -> io::Result<()> {
    // Protocol 4.1, with a database, a plugin and its data.
    const CAPABILITIES: u32 = 0x0000_0001 | 0x0000_0008 | 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
    const UTF8: u8 = 45;
    const AUTOCOMMIT: u16 = 2;
    const NOT_SUPPORTED: u16 = 1235;
    let [low, high] = [CAPABILITIES as u16, (CAPABILITIES >> 16) as u16];
    let mut hello = b"\x0a8.0.0-green-light\0\x01\0\0\0greetin!\0".to_vec();
    hello.extend(low.to_le_bytes());
    hello.push(UTF8);
    hello.extend(AUTOCOMMIT.to_le_bytes());
    hello.extend(high.to_le_bytes());
    hello.push(21);
    hello.extend([0; 10]);
    hello.extend(b"and-goodbye!\0mysql_native_password\0");
    guest.write_all(&packet(0, &hello))?;
    let mut head = [0; 4];
    guest.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
    skip(guest, length)?;
    let mut answer = packet(2, &[0, 0, 0, 2, 0, 0, 0]);
    let mut refusal = vec![0xff];
    refusal.extend(NOT_SUPPORTED.to_le_bytes());
    refusal.extend(format!("#42000{TEXT}").into_bytes());
    answer.extend(packet(1, &refusal));
    guest.write_all(&answer)
}

#[cfg(feature = "mysql")]
fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut packet = vec![length[0], length[1], length[2], number];
    packet.extend(body);
    packet
}
