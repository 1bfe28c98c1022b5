//! What a keeper is to keep: an argument in its command line.
//!
//! For libtest it is one more filter, which selects no test. In a variable of the environment, every program that the
//! fixture starts would inherit it.

use std::env;
use std::fmt;
use std::sync::OnceLock;

use crate::run_scope::process::ProcessId;

const PREFIX: &str = "green-light-keeper:";

/// The task of a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) run: ProcessId,
    /// That of the instance.
    pub(crate) key: u64,
}

impl Assignment {
    /// What this process keeps; `None` if it is no keeper.
    pub(crate) fn of_this_process() -> Option<Self> {
        static OWN: OnceLock<Option<Assignment>> = OnceLock::new();
        *OWN.get_or_init(|| {
            let arguments = env::args_os().skip(1);
            let mut texts = arguments.filter_map(|argument| argument.into_string().ok());
            texts.find_map(|text| Self::parse(&text))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split(':');
        let number = parts.next()?.parse().ok()?;
        let started = parts.next()?.parse().ok()?;
        let key = u64::from_str_radix(parts.next()?, 16).ok()?;
        Some(Self {
            run: ProcessId { number, started },
            key,
        })
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProcessId { number, started } = self.run;
        write!(f, "{PREFIX}{number}:{started}:{:016x}", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_nothing_else_is() {
        let assignment = Assignment {
            run: ProcessId {
                number: 12,
                started: 345,
            },
            key: 0xab,
        };
        let text = assignment.to_string();
        assert_eq!(text, "green-light-keeper:12:345:00000000000000ab");
        assert_eq!(Assignment::parse(&text), Some(assignment));
        for other in ["green-light-keeper", "green-light-keeper:1:2", "12:345:ab"] {
            assert_eq!(Assignment::parse(other), None, "{other}");
        }
    }
}
