//! The stand-in for a server of MySQL: what it says to those who connect.

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

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut packet = vec![length[0], length[1], length[2], number];
    packet.extend(body);
    packet
}
