//! The processes that use what a keeper keeps. Each has a connection for as long as it lives.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::os;
use crate::run_scope::address::own_user;
use crate::run_scope::process::ProcessId;

/// How often to look whether the run has ended, while no process has a connection.
const LOOK: Duration = Duration::from_millis(50);

/// What is said when the set-up has ended; `None` before.
pub(crate) type Said = Option<Arc<str>>;

/// Says `greeting` and what comes of the set-up to each process that connects. Returns when the run has ended and all
/// these processes have; then no other can connect. `greeted` hears of each that knows who keeps, or has ended before.
pub(crate) async fn serve(
    listener: StdListener,
    run: ProcessId,
    greeting: Arc<str>,
    said: watch::Receiver<Said>,
    greeted: mpsc::Sender<()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let mut clients = JoinSet::new();
    let mut look = interval_at(Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // A process that has connected comes before the end.
            biased;
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (greeting, said, greeted) =
                        (Arc::clone(&greeting), said.clone(), greeted.clone());
                    clients.spawn(async move {
                        let is_greeted = greet(&stream, &greeting).await.is_ok();
                        let _ = greeted.send(());
                        if is_greeted {
                            client(stream, said).await;
                        }
                    });
                }
                // Such as too many open files: some clients may end.
                Err(_) => sleep(LOOK).await,
            },
            Some(_) = clients.join_next() => {}
            _ = look.tick(), if clients.is_empty() => {
                if !run.is_running() {
                    return Ok(());
                }
            }
        }
    }
}

/// Says `greeting` to a process of this user.
async fn greet(stream: &UnixStream, greeting: &str) -> io::Result<()> {
    if os::peer_user(stream.as_fd())? != own_user()? {
        return Err(io::Error::from(ErrorKind::PermissionDenied));
    }
    write(stream, greeting).await
}

/// Serves one process that was greeted until it ends.
async fn client(stream: UnixStream, mut said: watch::Receiver<Said>) {
    let answered = async {
        let outcome = said.wait_for(Option::is_some).await;
        let outcome = outcome.map_err(io::Error::other)?.clone();
        write(&stream, outcome.as_deref().unwrap_or_default()).await
    };
    // A process may end before it has its answer.
    tokio::select! {
        answered = answered => if answered.is_ok() { ended(&stream).await },
        () = ended(&stream) => {}
    }
}

async fn write(stream: &UnixStream, text: &str) -> io::Result<()> {
    let mut left = text.as_bytes();
    while !left.is_empty() {
        stream.writable().await?;
        match stream.try_write(left) {
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until the process at the other end has ended. It never says anything.
async fn ended(stream: &UnixStream) {
    let mut buffer = [0; 64];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}
