//! Where the keeper of an instance is found: a socket in Linux's name space without files.
//!
//! Nothing is left on the disk, whatever is killed, and no path is too long. Only one process at a time can bind the
//! name: so that is the lock of the start as well. The name depends on the run, the user and the version of
//! green-light, so nothing else is found there than a keeper for this process.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use crate::os;
use crate::run_scope::process::ProcessId;

/// The address of one keeper.
#[derive(Clone, Debug)]
pub(crate) struct Address(SocketAddr);

impl Address {
    /// The address for the instance `key` in `run`.
    pub(crate) fn new(run: ProcessId, key: u64) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        run.hash(&mut hasher);
        // Processes of two containers may have the same number, and may share a network.
        let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        space.hash(&mut hasher);
        own_user()?.hash(&mut hasher);
        key.hash(&mut hasher);
        let name = format!("green-light-{:016x}", hasher.finish());
        SocketAddr::from_abstract_name(name).map(Self)
    }

    /// Connects to the keeper, or to the one that is being started. Refused if there is none.
    pub(crate) fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect_addr(&self.0)?;
        if os::peer_user(stream.as_fd())? == own_user()? {
            return Ok(stream);
        }
        let theirs = "a process of another user has taken the address of the keeper";
        Err(io::Error::new(io::ErrorKind::PermissionDenied, theirs))
    }

    /// Takes the address. In use if another process has it.
    pub(crate) fn bind(&self) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&self.0)
    }
}

/// The number of the user of this process.
pub(crate) fn own_user() -> io::Result<u32> {
    fs::metadata("/proc/self").map(|process| process.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_an_address_and_the_system_takes_it_back() {
        let run = ProcessId::own().unwrap();
        let [address, other] = [1, 2].map(|key| Address::new(run, key).unwrap());
        let refused = address.connect().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let listener = address.bind().unwrap();
        let taken = address.bind().unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        let _waiting = address.connect().unwrap();
        let _independent = other.bind().unwrap();
        drop(listener);
        address.bind().unwrap();
    }
}
