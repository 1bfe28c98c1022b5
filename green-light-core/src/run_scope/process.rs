//! A process of this machine, as `/proc` describes it.

use std::fs;
use std::process;

/// A process. Its number may be used again later; with its start, it is known for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProcessId {
    pub(crate) number: u32,
    /// In ticks of the system since it was started.
    pub(crate) started: u64,
}

impl ProcessId {
    /// This process; `None` without `/proc`.
    pub(crate) fn own() -> Option<Self> {
        Status::of(process::id()).map(|status| status.id)
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(self) -> bool {
        Status::of(self.number).is_some_and(|status| status.id == self && !status.has_ended)
    }

    /// The nearest process above this one whose name is `wanted`.
    pub(crate) fn ancestor(wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut status = Status::of(process::id())?;
        loop {
            status = Status::of(status.parent)?;
            if wanted(&status.name) {
                return Some(status.id);
            }
        }
    }
}

struct Status {
    id: ProcessId,
    /// The first 15 bytes of the name of its program.
    name: String,
    parent: u32,
    has_ended: bool,
}

impl Status {
    fn of(number: u32) -> Option<Self> {
        let bytes = fs::read(format!("/proc/{number}/stat")).ok()?;
        Self::parse(number, &String::from_utf8_lossy(&bytes))
    }

    /// Reads `NUMBER (NAME) STATE PARENT ..`, with the start in the 22nd place. The name may hold anything.
    fn parse(number: u32, text: &str) -> Option<Self> {
        let (before, fields) = text.rsplit_once(')')?;
        let (_, name) = before.split_once('(')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Self {
            id: ProcessId { number, started },
            name: name.to_owned(),
            parent,
            has_ended: matches!(state, "Z" | "X"),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_and_spaces() {
        let text = "7 (a) (b c) S 5 7 7 0 -1 1 2 3 4 5 6 7 8 9 20 0 1 0 4711 12 13";
        let status = Status::parse(7, text).unwrap();
        assert_eq!(status.name, "a) (b c");
        assert_eq!((status.parent, status.id.started), (5, 4711));
    }

    #[test]
    fn a_process_has_ended_when_it_was_killed_although_its_parent_has_not_asked() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = Status::of(child.id()).unwrap().id;
        assert!(id.is_running());
        let other = ProcessId {
            started: id.started + 1,
            ..id
        };
        assert!(!other.is_running(), "it has the number of one that ended");
        child.kill().unwrap();
        while id.is_running() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!id.is_running());
    }

    #[test]
    fn the_nearest_process_above_is_found_and_not_this_one() {
        let own = ProcessId::own().unwrap();
        assert!(own.is_running());
        let above = ProcessId::ancestor(|_| true).unwrap();
        assert_ne!(above, own);
        assert_eq!(ProcessId::ancestor(|name| name == "no such program"), None);
    }
}
