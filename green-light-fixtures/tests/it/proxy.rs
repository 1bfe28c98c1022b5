//! Between a process and its server: at one of the messages of the process it kills the process, or falls
//! silent as a stopped server does, so that this happens at a chosen step of whatever the process does.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Output},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::children::{LONG, output};

/// How the messages of a client are told apart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    Postgres,
    MySql,
}

/// Where the server is.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    Socket(PathBuf),
    Tcp(String, u16),
}

/// The message at which a process dies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// The one of this number, counted from 0. Connections used at the same time take turns as they like.
    Number(usize),
    /// The first with this text.
    Text(&'static str),
}

/// What happens at the message, and whether the server still gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// The process dies; the server does not get it.
    Before,
    /// The server gets it, and is at work when the process is gone.
    During,
    /// Neither the server nor the process ever gets anything again. Connections stay open, new ones are
    /// taken.
    Silent,
    /// The server gets it and answers, and nothing that comes after it on the same connection.
    Last,
}

/// A server for one process.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    wire: Wire,
    upstream: Upstream,
    at: At,
    when: When,
    seen: AtomicUsize,
    victim: Mutex<Option<Child>>,
    started: Condvar,
    /// The message at which it happened.
    killed_at: Mutex<Option<String>>,
    is_silent: AtomicBool,
    /// Whether the process has ended, so that nothing more need be kept open.
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Proxy {
    /// Kills the process at one of its messages.
    pub(crate) fn start(wire: Wire, upstream: &Upstream, at: At, when: When) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            wire,
            upstream: upstream.clone(),
            at,
            when,
            seen: AtomicUsize::new(0),
            victim: Mutex::default(),
            started: Condvar::new(),
            killed_at: Mutex::default(),
            is_silent: AtomicBool::new(false),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        // Ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs `command` to its end. The message at which the proxy fell silent, if it did, and how the
    /// process ended.
    #[track_caller]
    pub(crate) fn run_in_silence(&self, mut command: Command) -> (Option<String>, Output) {
        let output = output(command.spawn().unwrap());
        *self.shared.is_over.lock().unwrap() = true;
        self.shared.over.notify_all();
        (self.shared.killed_at.lock().unwrap().clone(), output)
    }

    /// Runs `command` to its end. The message at which it was killed, if it was.
    #[track_caller]
    pub(crate) fn run(&self, mut command: Command) -> Option<String> {
        *self.shared.victim.lock().unwrap() = Some(command.spawn().unwrap());
        self.shared.started.notify_all();
        let begun = Instant::now();
        let ended = || {
            let mut victim = self.shared.victim.lock().unwrap();
            victim.as_mut().unwrap().try_wait().unwrap().is_some()
        };
        while !ended() {
            assert!(begun.elapsed() < LONG, "the process neither ends nor dies");
            thread::sleep(Duration::from_millis(5));
        }
        let killed_at = self.shared.killed_at.lock().unwrap().clone();
        if killed_at.is_none() {
            let child = self.shared.victim.lock().unwrap().take().unwrap();
            let output = child.wait_with_output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(output.status.success(), "{said}");
        }
        killed_at
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> Option<()> {
        self.hush();
        match &self.upstream {
            Upstream::Socket(path) => {
                let server = UnixStream::connect(path).ok()?;
                let answers = server.try_clone().ok()?;
                let end = |server: &UnixStream| drop(server.shutdown(Shutdown::Both));
                self.carry(&mut client, server, answers, end)
            }
            Upstream::Tcp(host, port) => {
                let server = TcpStream::connect((host.as_str(), *port)).ok()?;
                let answers = server.try_clone().ok()?;
                let end = |server: &TcpStream| drop(server.shutdown(Shutdown::Both));
                self.carry(&mut client, server, answers, end)
            }
        }
    }

    fn carry<S: Read + Write + Send>(
        &self,
        client: &mut TcpStream,
        mut server: S,
        mut answers: S,
        end: impl Fn(&S),
    ) -> Option<()> {
        let mut back = client.try_clone().ok()?;
        thread::scope(|scope| {
            scope.spawn(move || {
                let _ = self.carry_back(&mut answers, &mut back);
                let _ = back.shutdown(Shutdown::Both);
            });
            let mut started = false;
            while let Ok(message) = self.message(client, &mut started) {
                match self.pass(&message, &mut server) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let _ = io::copy(client, &mut io::sink());
                        break;
                    }
                    Err(_) => break,
                }
            }
            end(&server);
        });
        Some(())
    }

    fn carry_back(&self, answers: &mut impl Read, back: &mut TcpStream) -> io::Result<()> {
        let mut bytes = [0; 8192];
        loop {
            let length = answers.read(&mut bytes)?;
            self.hush();
            if length == 0 {
                return Ok(());
            }
            back.write_all(&bytes[..length])?;
        }
    }

    /// Goes no further while the proxy is silent.
    fn hush(&self) {
        if self.is_silent.load(Ordering::Acquire) {
            let is_over = self.is_over.lock().unwrap();
            drop(self.over.wait_while(is_over, |is_over| !*is_over).unwrap());
        }
    }

    /// Passes a message on, unless it is the one.
    fn pass(&self, message: &[u8], server: &mut impl Write) -> io::Result<()> {
        self.hush();
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        let is_it = match self.at {
            At::Number(at) => number == at,
            At::Text(text) => String::from_utf8_lossy(message).contains(text),
        };
        match self.when {
            When::Before if is_it => self.kill(message),
            When::During if is_it => {
                server.write_all(message)?;
                self.kill(message);
            }
            When::Silent if is_it && !self.is_silent.swap(true, Ordering::AcqRel) => {
                self.note(message);
                self.hush();
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            When::Last if is_it => {
                server.write_all(message)?;
                self.note(message);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            _ => server.write_all(message)?,
        }
        Ok(())
    }

    fn kill(&self, message: &[u8]) {
        let victim = self.victim.lock().unwrap();
        let mut victim = self
            .started
            .wait_while(victim, |victim| victim.is_none())
            .unwrap();
        self.note(message);
        victim.as_mut().unwrap().kill().unwrap();
        victim.as_mut().unwrap().wait().unwrap();
    }

    fn note(&self, message: &[u8]) {
        let readable = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = String::from_utf8_lossy(message)
            .chars()
            .map(readable)
            .collect();
        *self.killed_at.lock().unwrap() = Some(text);
    }

    /// The next message, with everything before it that does nothing on its own.
    fn message(&self, client: &mut TcpStream, started: &mut bool) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let begin = message.len();
            let is_whole = match self.wire {
                Wire::Postgres if !*started => {
                    let length = u32::from_be_bytes(take(client, &mut message)?);
                    let code = u32::from_be_bytes(take(client, &mut message)?);
                    *started = code == 196_608;
                    rest(client, &mut message, begin + length as usize)?;
                    true
                }
                Wire::Postgres => {
                    let [kind] = take(client, &mut message)?;
                    let length = u32::from_be_bytes(take(client, &mut message)?);
                    rest(client, &mut message, begin + 1 + length as usize)?;
                    matches!(kind, b'Q' | b'S' | b'H' | b'X' | b'p')
                }
                Wire::MySql => {
                    let [a, b, c, _number] = take(client, &mut message)?;
                    let length = u32::from_le_bytes([a, b, c, 0]);
                    rest(client, &mut message, begin + 4 + length as usize)?;
                    true
                }
            };
            if is_whole {
                return Ok(message);
            }
        }
    }
}

fn take<const N: usize>(client: &mut impl Read, message: &mut Vec<u8>) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes)?;
    message.extend(bytes);
    Ok(bytes)
}

fn rest(client: &mut impl Read, message: &mut Vec<u8>, end: usize) -> io::Result<()> {
    let begin = message.len();
    message.resize(end, 0);
    client.read_exact(&mut message[begin..])
}
