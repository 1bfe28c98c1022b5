//! What green-light asks of the operating system: a thread without output capture, and the end of the process.
//!
//! libtest keeps what a test prints in a buffer that belongs to the thread, and that a thread made by
//! `std::thread` inherits from the one that makes it. A long-lived thread must not keep the buffer of the
//! test that happened to start it: what it prints would be lost.
//!
//! Every unsafe block here is one call into the C library.

#![expect(unsafe_code, reason = "the operating system is called through C")]

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

use once_cell::sync::OnceCell;

use crate::mutex::Mutex;

/// The exit status of a failed libtest run.
const FAILED: i32 = 101;

/// Spawns a thread whose output, and that of the threads it spawns, is captured by no test.
///
/// On Unix the thread is made from a thread of the operating system that has nothing to inherit. Elsewhere
/// it is an ordinary thread, which inherits the capture of the test that comes first.
///
/// # Errors
///
/// When the system has no more threads.
pub(crate) fn spawn_uncaptured<F, T>(name: &str, f: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let builder = thread::Builder::new().name(name.to_owned());
    on_uncaptured_thread(move || builder.spawn(f))?
}

/// Runs `f` on a thread that the standard library did not make, and waits for it.
#[cfg(unix)]
fn on_uncaptured_thread<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    use std::ffi::c_void;
    use std::mem::MaybeUninit;
    use std::ptr;

    struct Job<F, T> {
        f: Option<F>,
        out: Option<thread::Result<T>>,
    }

    extern "C" fn run<F: FnOnce() -> T, T>(job: *mut c_void) -> *mut c_void {
        // SAFETY: `on_uncaptured_thread` passes a pointer to its own `Job<F, T>` and does not touch it before this
        // thread has been joined.
        let job = unsafe { &mut *job.cast::<Job<F, T>>() };
        // A panic must not leave an `extern "C"` function.
        job.out = job
            .f
            .take()
            .map(|f| panic::catch_unwind(AssertUnwindSafe(f)));
        ptr::null_mut()
    }

    /// That of the standard library's threads. With the system's own, which is larger, its memory would be kept
    /// for the next thread, which then has more stack than others.
    const STACK: usize = 2 << 20;

    let mut job = Job {
        f: Some(f),
        out: None,
    };
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the first call writes the attributes, on success; the second changes them. A size that is refused
    // leaves them as they are.
    let status = unsafe {
        let status = libc::pthread_attr_init(attributes.as_mut_ptr());
        if status == 0 {
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK);
        }
        status
    };
    if status != 0 {
        return Err(io::Error::from_raw_os_error(status));
    }
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: `run::<F, T>` gets the pointer it expects. `job` outlives the thread, which is joined below on
    // every path on which it was started, and nothing panics in between. `F` and `T` are `Send`. The attributes were
    // written above, and are not used again.
    let status = unsafe {
        let job = ptr::from_mut(&mut job).cast();
        let status =
            libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), run::<F, T>, job);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        status
    };
    if status != 0 {
        return Err(io::Error::from_raw_os_error(status));
    }
    // SAFETY: `pthread_create` succeeded, so `thread` is written, and it is joined once, by us.
    let status = unsafe { libc::pthread_join(thread.assume_init(), ptr::null_mut()) };
    assert_eq!(status, 0, "a thread that was just made can be joined");
    match job
        .out
        .expect("the thread was joined, so its function has returned")
    {
        Ok(out) => Ok(out),
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Runs `f` here: other systems offer no way round.
#[cfg(not(unix))]
fn on_uncaptured_thread<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    Ok(f())
}

/// Starts `command` as a process that has nothing to do with this one: in a session of its own, and no child of this
/// process. It inherits the three standard streams alone, whatever else this process has inherited.
///
/// # Errors
///
/// If the program cannot be started.
#[cfg(target_os = "linux")]
pub(crate) fn spawn_detached(command: &mut std::process::Command) -> io::Result<()> {
    use std::fs;
    use std::os::unix::process::CommandExt as _;

    // What the standard library opens is closed in any case.
    let open: Vec<libc::c_int> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    let detach = move || {
        for descriptor in &open {
            // SAFETY: the call only marks a descriptor, of this new process, that exists or does not.
            unsafe { libc::fcntl(*descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        // SAFETY: both calls may be made between `fork` and `exec`, and `_exit` at any time. The process that goes on
        // is a copy of this one, and does nothing but what this one would have done.
        unsafe {
            if libc::setsid() == -1 {
                return Err(io::Error::last_os_error());
            }
            match libc::fork() {
                -1 => Err(io::Error::last_os_error()),
                0 => Ok(()),
                _ => libc::_exit(0),
            }
        }
    };
    // SAFETY: `detach` calls into the system, and neither allocates nor takes a lock.
    let mut child = unsafe { command.pre_exec(detach) }.spawn()?;
    child.wait().map(drop)
}

/// Takes what this process has as its standard input, which is then empty: what it starts does not inherit it.
///
/// # Errors
///
/// If the process has no more descriptors.
#[cfg(target_os = "linux")]
pub(crate) fn take_stdin() -> io::Result<std::os::fd::OwnedFd> {
    use std::fs::File;
    use std::os::fd::{AsFd as _, AsRawFd as _};

    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    let empty = File::open("/dev/null")?;
    // SAFETY: the standard input belongs to the process, and stays open: another file is put in its place.
    if unsafe { libc::dup2(empty.as_raw_fd(), libc::STDIN_FILENO) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(taken)
}

/// The number of the user at the other end of a Unix socket.
///
/// # Errors
///
/// If `socket` is no such socket.
#[cfg(target_os = "linux")]
pub(crate) fn peer_user(socket: std::os::fd::BorrowedFd<'_>) -> io::Result<u32> {
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd as _;

    let mut peer = MaybeUninit::<libc::ucred>::uninit();
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the pointers are to a place for a `ucred`, and to its size.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            peer.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it has written the whole of it.
    Ok(unsafe { peer.assume_init() }.uid)
}

type Job = Box<dyn FnOnce() + Send>;

static AT_EXIT: Mutex<Vec<Job>> = Mutex::new(Vec::new());

/// Runs `f` when the process ends, on the thread that ends it, last registered first.
///
/// It runs when `main` returns and on [`std::process::exit`], and not when the process is killed or aborts.
/// Thread-locals of that thread may be gone. For crates of fixtures. A panic in `f` is reported by the panic hook and ends `f` only.
///
/// # Errors
///
/// When the C library cannot register another function.
pub fn at_exit(f: impl FnOnce() + Send + 'static) -> io::Result<()> {
    extern "C" fn run() {
        loop {
            // One at a time: a job may register another.
            let job = AT_EXIT.lock().pop();
            let Some(job) = job else { break };
            // The hook has printed the message; unwinding must not leave an `extern "C"` function.
            drop(panic::catch_unwind(AssertUnwindSafe(job)));
        }
    }

    static REGISTERED: OnceCell<()> = OnceCell::new();
    AT_EXIT.lock().push(Box::new(f));
    REGISTERED.get_or_try_init(|| {
        // SAFETY: `run` is an `extern "C"` function that lives as long as the program and does not unwind.
        let status = unsafe { libc::atexit(run) };
        if status == 0 {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::OutOfMemory))
        }
    })?;
    Ok(())
}

/// Ends the process at once with the status of a failed test run, for failures found in [`at_exit`].
///
/// Nothing else runs: neither what is registered to run at exit, nor destructors.
pub(crate) fn exit_failed() -> ! {
    // SAFETY: `_exit` may be called at any time; it does not return.
    unsafe { libc::_exit(FAILED) }
}

/// Runs `install`, which puts handlers of faults (`SIGSEGV`, `SIGBUS`) in the place of those that are there.
/// From then on a fault goes to the new ones where `is_theirs` says so, and else to those that were there before.
///
/// The one that is there before is that of the standard library: it reports the overflow of a thread's stack.
/// `is_theirs` runs in a signal handler, on the thread that has the fault.
#[cfg(unix)]
pub(crate) fn share_fault_handlers(install: impl FnOnce(), is_theirs: fn() -> bool) {
    use std::ffi::{c_int, c_void};
    use std::mem;
    use std::ptr;
    use std::sync::OnceLock;

    const FAULTS: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

    type Full = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Short = extern "C" fn(c_int);

    struct Handlers {
        before: [libc::sigaction; 2],
        theirs: [libc::sigaction; 2],
        is_theirs: fn() -> bool,
    }

    static HANDLERS: OnceLock<Handlers> = OnceLock::new();

    fn current() -> Option<[libc::sigaction; 2]> {
        let mut actions = Vec::with_capacity(FAULTS.len());
        for signal in FAULTS {
            // SAFETY: all zeros are a `sigaction`, and the call only writes one.
            let (status, action) = unsafe {
                let mut action: libc::sigaction = mem::zeroed();
                (
                    libc::sigaction(signal, ptr::null(), &raw mut action),
                    action,
                )
            };
            if status != 0 {
                return None;
            }
            actions.push(action);
        }
        actions.try_into().ok()
    }

    extern "C" fn fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let Some(handlers) = HANDLERS.get() else {
            return;
        };
        let actions = if (handlers.is_theirs)() {
            &handlers.theirs
        } else {
            &handlers.before
        };
        let action = &actions[usize::from(signal == libc::SIGBUS)];
        let handler = action.sa_sigaction;
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            // The instruction runs again when this returns, and its fault is then what it was before.
            // SAFETY: the action is one that the system had before.
            unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
        } else if action.sa_flags & libc::SA_SIGINFO == 0 {
            // SAFETY: without that flag the system calls the handler in this way.
            let handler = unsafe { mem::transmute::<usize, Short>(handler) };
            handler(signal);
        } else {
            // SAFETY: with that flag the system calls the handler in this way.
            let handler = unsafe { mem::transmute::<usize, Full>(handler) };
            handler(signal, info, context);
        }
    }

    let before = current();
    install();
    let (Some(before), Some(theirs)) = (before, current()) else {
        return;
    };
    let is_as_before =
        (0..FAULTS.len()).all(|at| before[at].sa_sigaction == theirs[at].sa_sigaction);
    let handlers = Handlers {
        before,
        theirs,
        is_theirs,
    };
    if is_as_before || HANDLERS.set(handlers).is_err() {
        return;
    }
    for (at, signal) in FAULTS.into_iter().enumerate() {
        let mut action = theirs[at];
        action.sa_sigaction = fault as Full as usize;
        action.sa_flags |= libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: `fault` is what these flags ask for, and lives as long as the program.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
}

/// Elsewhere handlers are asked one after the other by the system.
#[cfg(not(unix))]
pub(crate) fn share_fault_handlers(install: impl FnOnce(), _: fn() -> bool) {
    install();
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use super::*;

    fn in_child(test: &str) -> (Option<i32>, String) {
        let this = env::current_exe().unwrap();
        let output = Command::new(this)
            .args([test, "--exact", "--ignored"])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    #[test]
    fn an_uncaptured_thread_has_its_name_and_returns_its_value() {
        let thread = spawn_uncaptured("by name", || thread::current().name().map(str::to_owned));
        assert_eq!(thread.unwrap().join().unwrap().as_deref(), Some("by name"));
    }

    #[test]
    fn a_panic_of_an_uncaptured_thread_reaches_its_join() {
        let thread = spawn_uncaptured("panicking", || panic!("in the thread")).unwrap();
        assert_eq!(
            thread.join().unwrap_err().downcast_ref(),
            Some(&"in the thread")
        );
    }

    #[test]
    #[cfg(unix)]
    fn an_uncaptured_thread_prints_past_the_capture_of_the_test_that_starts_it() {
        let (status, said) = in_child("os::tests::printing");
        assert_eq!(status, Some(0), "{said}");
        assert!(
            said.contains("from the thread and its child") && !said.contains("from the test"),
            "{said}"
        );
    }

    #[test]
    #[ignore = "started by the test above, in a process of its own"]
    fn printing() {
        println!("from the test");
        let thread = spawn_uncaptured("printing", || {
            thread::spawn(|| println!("from the thread and its child"))
                .join()
                .unwrap();
        });
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn what_is_registered_runs_at_exit_last_first_and_survives_a_panic() {
        let (status, said) = in_child("os::tests::registering");
        assert_eq!(status, Some(101), "{said}");
        let at = |what: &str| {
            said.find(what)
                .unwrap_or_else(|| panic!("{what} is missing: {said}"))
        };
        assert!(
            at("test result: ok") < at("second") && at("second") < at("first"),
            "{said}"
        );
        assert!(at("late panic") > 0, "{said}");
        assert!(!said.contains("never"), "{said}");
    }

    #[test]
    #[ignore = "started by the test above, in a process of its own"]
    fn registering() {
        at_exit(|| println!("never")).unwrap();
        at_exit(|| {
            println!("first");
            exit_failed();
        })
        .unwrap();
        at_exit(|| panic!("late panic")).unwrap();
        at_exit(|| println!("second")).unwrap();
    }
}
