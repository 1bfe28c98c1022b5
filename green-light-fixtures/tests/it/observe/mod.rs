//! What one test leaves and the next one sees.

/// The tests of what one observer sees.
macro_rules! observer_tests {
    ($observer:ident) => {
        #[test]
        fn nothing_reaches_the_next_test() {
            $crate::support::run(frame::nothing_reaches_the_next_test::<$observer>());
        }

        #[test]
        fn the_corpus_is_large() {
            frame::corpus_is_large::<$observer>();
        }

        #[test]
        fn what_is_allowed_is_documented() {
            frame::documentation_has_what_is_allowed::<$observer>();
        }
    };
}

mod frame;
mod mysql;
mod postgres;
mod sqlite;
mod table;
mod texts {
    pub(super) mod mysql;
    pub(super) mod postgres;
    pub(super) mod sqlite;
}
