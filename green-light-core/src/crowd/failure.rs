//! Why the join of a crowd failed.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::crowd::member::{End, State};
use crate::report::failure::Failure;

/// How many members are described one by one.
const SHOWN: usize = 3;

/// Members of a crowd have panicked, or were not done in time.
///
/// It is for people, so `{:?}`, which is what `unwrap` prints, says the same as `{}`.
pub struct CrowdFailure {
    members: usize,
    deadline: Duration,
    failed: Vec<(usize, Failure)>,
    cancelled: Vec<Late>,
    unreachable: Vec<Late>,
}

/// A member that was not done in time, and where it was spawned.
struct Late(usize, &'static Location<'static>);

impl CrowdFailure {
    pub(crate) fn of<'a>(
        states: impl Iterator<Item = &'a State>,
        deadline: Duration,
    ) -> Option<Self> {
        let mut this = Self {
            members: 0,
            deadline,
            failed: Vec::new(),
            cancelled: Vec::new(),
            unreachable: Vec::new(),
        };
        for state in states {
            this.members += 1;
            let late = Late(state.index, state.spawned_at);
            state.read(|end| match end {
                Some(End::Done) => {}
                Some(End::Failed(failure)) => this.failed.push((state.index, failure.clone())),
                Some(End::Cancelled) => this.cancelled.push(late),
                None => this.unreachable.push(late),
            });
        }
        this.failed.sort_by_key(|(index, _)| *index);
        let bad = this.failed.len() + this.cancelled.len() + this.unreachable.len();
        (bad > 0).then_some(this)
    }

    /// How many members have panicked.
    #[must_use]
    pub fn panicked(&self) -> usize {
        self.failed.len()
    }

    /// How many members were not done at the deadline.
    #[must_use]
    pub fn late(&self) -> usize {
        self.cancelled.len() + self.unreachable.len()
    }
}

impl fmt::Display for CrowdFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, deadline) = (self.members, self.deadline);
        let mut paragraphs = Paragraphs { f, first: true };
        if !self.failed.is_empty() {
            let panicked = self.failed.len();
            let shown = self.failed.iter().map(|(index, failure)| {
                let place = failure.place.as_deref().unwrap_or("an unknown place");
                format!("member {index} panicked at {place}: {}", failure.message)
            });
            let fact = format!("{panicked} of {members} crowd members panicked");
            paragraphs.add(&fact, shown)?;
        }
        let late = |members: &[Late]| -> Vec<String> {
            let text = |Late(index, place): &Late| {
                format!(
                    "member {index}, spawned at {}:{}",
                    place.file(),
                    place.line()
                )
            };
            members.iter().map(text).collect()
        };
        if !self.cancelled.is_empty() {
            let count = self.cancelled.len();
            let fact = format!(
                "{count} of {members} crowd members were not done after {deadline:?} and were cancelled"
            );
            paragraphs.add(&fact, late(&self.cancelled).into_iter())?;
        }
        if !self.unreachable.is_empty() {
            let count = self.unreachable.len();
            let fact = format!(
                "{count} of {members} crowd members were not done after {deadline:?} and cannot be \
                 cancelled where they are"
            );
            paragraphs.add(&fact, late(&self.unreachable).into_iter())?;
            paragraphs.f.write_str(
                "\n  help: write `member.wait(future)` where a member blocks, so that it can be cancelled",
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for CrowdFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for CrowdFailure {}

struct Paragraphs<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    first: bool,
}

impl Paragraphs<'_, '_> {
    /// A fact, and its first few instances.
    fn add(&mut self, fact: &str, instances: impl ExactSizeIterator<Item = String>) -> fmt::Result {
        if !self.first {
            self.f.write_str("\n")?;
        }
        self.first = false;
        self.f.write_str(fact)?;
        let more = instances.len().saturating_sub(SHOWN);
        for instance in instances.take(SHOWN) {
            write!(self.f, "\n  {}", instance.replace('\n', "\n    "))?;
        }
        if more > 0 {
            write!(self.f, "\n  and {more} more")?;
        }
        Ok(())
    }
}
