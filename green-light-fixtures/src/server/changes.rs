//! What differs in a server as a whole from what is known to belong to it, and which tests may have done it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What kind of thing it is, and which one.
pub(crate) type Key = (String, String);

/// What there is, with its name in words and what it is like.
pub(crate) type State = BTreeMap<Key, (String, String)>;

/// What differs from what is known to belong to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) label: String,
    /// What it was like before, if it was there.
    pub(crate) before: Option<String>,
    /// What it is like now, if it is there.
    pub(crate) now: Option<String>,
}

impl Change {
    /// What was done, in words.
    pub(crate) fn in_words(&self) -> String {
        let what = match (&self.before, &self.now) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        format!("{what}: {}", self.label)
    }
}

pub(crate) fn differences(before: &State, now: &State) -> Vec<Change> {
    let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let changes = keys.into_iter().filter_map(|key| {
        let (was, is) = (before.get(key), now.get(key));
        let (label, _) = is.or(was)?;
        let change = Change {
            key: key.clone(),
            label: label.clone(),
            before: was.map(|(_, content)| content.clone()),
            now: is.map(|(_, content)| content.clone()),
        };
        (change.before != change.now).then_some(change)
    });
    changes.collect()
}

/// From here on, the changes belong to `state`.
pub(crate) fn learn(state: &mut State, changes: &[Change]) {
    for change in changes {
        match &change.now {
            Some(now) => {
                let row = (change.label.clone(), now.clone());
                state.insert(change.key.clone(), row)
            }
            None => state.remove(&change.key),
        };
    }
}

/// Changes that were found and are not settled.
#[derive(Debug, Default)]
pub(crate) struct PendingChanges(BTreeMap<Key, Pending>);

#[derive(Debug)]
struct Pending {
    change: Change,
    /// The tests of this process that may have done it.
    tests: BTreeMap<u64, Arc<str>>,
    is_told: bool,
}

/// Changes that no test that runs may have done.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) changes: Vec<Change>,
    /// Those of them that no report has named.
    pub(crate) untold: Vec<Change>,
    /// Which tests may have done these, besides the one that has ended.
    pub(crate) others: BTreeSet<String>,
}

impl PendingChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changes are settled.
    pub(crate) fn forget(&mut self, changes: &[Change]) {
        for change in changes {
            self.0.remove(&change.key);
        }
    }

    /// No others are left.
    pub(crate) fn keep_only(&mut self, left: &[Change]) {
        self.0.retain(|_, pending| left.contains(&pending.change));
    }

    /// These were found while the tests `running` ran, and no others.
    pub(crate) fn note(&mut self, changes: Vec<Change>, running: &BTreeMap<u64, Arc<str>>) {
        self.keep_only(&changes);
        for change in changes {
            self.0.entry(change.key.clone()).or_insert(Pending {
                change,
                tests: running.clone(),
                is_told: false,
            });
        }
    }

    /// Those that no test of `running` may have done but `ended`, which has ended. A report names them now.
    pub(crate) fn due(&mut self, mut running: BTreeMap<u64, Arc<str>>, ended: Option<u64>) -> Due {
        if let Some(ended) = ended {
            running.remove(&ended);
        }
        let mut due = Due::default();
        for pending in self.0.values_mut() {
            if pending.tests.keys().any(|test| running.contains_key(test)) {
                continue;
            }
            due.changes.push(pending.change.clone());
            if !std::mem::replace(&mut pending.is_told, true) {
                due.untold.push(pending.change.clone());
                let others = pending.tests.iter();
                let others = others.filter(|(test, _)| Some(**test) != ended);
                due.others
                    .extend(others.map(|(_, name)| format!("`{name}`")));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, content: &str) -> (Key, (String, String)) {
        let key = ("role".to_owned(), name.to_owned());
        (key, (format!("the role `{name}`"), content.to_owned()))
    }

    #[test]
    fn what_is_new_gone_and_changed_is_said() {
        let before = State::from([row("a", "1"), row("b", "1"), row("c", "1")]);
        let now = State::from([row("a", "1"), row("b", "2"), row("d", "1")]);
        let changes = differences(&before, &now);
        let found: Vec<_> = changes.iter().map(Change::in_words).collect();
        let expected = [
            "changed: the role `b`",
            "gone: the role `c`",
            "new: the role `d`",
        ];
        assert_eq!(found, expected);
        assert!(differences(&now, &now).is_empty());
        let mut learned = before;
        learn(&mut learned, &changes);
        assert_eq!(learned, now);
    }

    #[test]
    fn a_change_is_told_once_and_when_all_have_ended_that_may_have_done_it() {
        let changes = differences(&State::new(), &State::from([row("a", "1")]));
        let tests = |numbers: &[u64]| -> BTreeMap<u64, Arc<str>> {
            let names = numbers.iter().map(|n| (*n, format!("test {n}").into()));
            names.collect()
        };
        let mut pending = PendingChanges::default();
        pending.note(changes.clone(), &tests(&[1, 2]));
        assert!(pending.due(tests(&[1, 2]), Some(1)).changes.is_empty());
        pending.note(changes.clone(), &tests(&[2, 3]));
        let due = pending.due(tests(&[2, 3]), Some(2));
        assert_eq!((&due.changes, &due.untold), (&changes, &changes));
        assert_eq!(due.others, BTreeSet::from(["`test 1`".to_owned()]));
        let due = pending.due(tests(&[3]), None);
        assert_eq!((due.changes.len(), due.untold.len()), (1, 0));
        pending.forget(&changes);
        assert!(pending.is_empty());
    }
}
