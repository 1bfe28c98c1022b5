//! The stand-in for a server of PostgreSQL: what it says to those who connect.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::LazyLock,
};

use crate::server::stand_in::{TEXT, listen, skip};

/// Where it listens; `None` where no process may connect to itself.
pub(crate) static ADDRESS: LazyLock<Option<SocketAddr>> = LazyLock::new(|| listen(greet));

/// The start of a session, and at once the error that answers its first query.
fn greet(guest: &mut TcpStream) -> io::Result<()> {
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
