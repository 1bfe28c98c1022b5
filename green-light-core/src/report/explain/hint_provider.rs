//! What a fixture knows about a failure of its database: core knows no database.

use std::cell::RefCell;
use std::rc::Rc;

use crate::report::explain::left_behind;

type Advice = Rc<dyn Fn(Concern) -> Option<String>>;

/// What a failure is about, as far as its words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Concern {
    /// A pool had no connection left.
    Connections,
    /// A server had no connection left.
    NoConnection,
    /// A pool was closed before it was used.
    ClosedPool,
    /// A connection was lost while it was in use.
    LostConnection,
    /// A connection or a transaction may only read.
    ReadOnly,
    /// A table is not there.
    MissingTable,
}

thread_local! {
    static PROVIDERS: RefCell<Vec<Advice>> = const { RefCell::new(Vec::new()) };
}

/// A fixture that is asked, until this is dropped.
#[must_use = "the fixture is not asked any more once this is dropped"]
pub struct HintProvider(Advice);

/// Asks `advice` when a test on this thread fails with an error about its database. What it returns is
/// printed instead of what is true of any database: a fact, and a line of help. For crates of fixtures.
pub fn provide_hints(advice: impl Fn(Concern) -> Option<String> + 'static) -> HintProvider {
    let advice: Advice = Rc::new(advice);
    PROVIDERS.with_borrow_mut(|providers| providers.push(Rc::clone(&advice)));
    HintProvider(advice)
}

impl Drop for HintProvider {
    fn drop(&mut self) {
        // A thread that ends has no providers any more.
        let _ = PROVIDERS.try_with(|providers| {
            let mut providers = providers.borrow_mut();
            providers.retain(|other| !Rc::ptr_eq(other, &self.0));
        });
    }
}

/// What the first one says that knows something.
pub(crate) fn ask(concern: Concern) -> Option<String> {
    let providers = PROVIDERS.with_borrow(Clone::clone);
    let advised = providers.iter().find_map(|advice| advice(concern));
    advised.or_else(|| match concern {
        // What is used after its test is used on any thread.
        Concern::ClosedPool => left_behind::advice(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::explain::lookup::explain;
    use crate::report::failure::Failure;

    #[test]
    fn who_knows_more_about_a_pool_is_asked_until_dropped() {
        let pool = Failure::new("pool timed out while waiting for an open connection");
        let other = Failure::new("attempted to acquire a connection on a closed pool");
        let general = [explain(&pool), explain(&other)];
        let ignorant = provide_hints(|_| None);
        let provider = provide_hints(|concern| {
            let known = concern == Concern::Connections;
            known.then(|| "it has a holder\n  help: ask it".to_owned())
        });
        let told = explain(&pool);
        assert_eq!(told, "\n  what it means: it has a holder\n  help: ask it");
        assert_eq!(explain(&other), general[1]);
        drop((ignorant, provider));
        assert_eq!(explain(&pool), general[0]);
    }
}
