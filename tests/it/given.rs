//! What a test gives to fixtures, in the place of what they would make.

use green_light::prelude::*;

mod isolation {
    use super::*;
    use green_light::fixtures::isolation;

    #[green_light::test(isolation = transaction)]
    async fn is_what_the_option_says(isolation: Isolation, session: &Session) {
        assert_eq!(isolation, Isolation::Transaction);
        session.ping().await.unwrap();
    }

    #[green_light::test(isolation = database)]
    async fn is_that_of_one_test(isolation: Isolation, session: &Session) {
        assert_eq!(isolation, Isolation::Database);
        session.ping().await.unwrap();
    }

    #[green_light::test(isolation = shared)]
    async fn is_that_of_another(isolation: Isolation, session: &Session) {
        assert_eq!(isolation, Isolation::Shared);
        session.ping().await.unwrap();
    }
}

mod backends {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use green_light::fixtures::backend;

    static MADE: AtomicU32 = AtomicU32::new(0);

    #[fixture(scope = "module")]
    fn server(backend: Backend) -> String {
        format!("{backend}-{}", MADE.fetch_add(1, Ordering::Relaxed))
    }

    #[green_light::test(backends(sqlite))]
    async fn are_tests_of_their_own(backend: Backend, request: &Request) {
        assert_eq!(backend, Backend::Sqlite);
        assert_eq!(request.test_name(), Some("are_tests_of_their_own::sqlite"));
        assert_eq!(request.module_path(), module_path!());
        assert_eq!(
            std::thread::current().name(),
            Some("given::backends::are_tests_of_their_own::sqlite")
        );
    }

    #[green_light::test(backends(sqlite), isolation = transaction)]
    fn share_what_is_built_from_equal_values(server: &str) {
        assert!(server.starts_with("sqlite-"));
    }

    /// The module is the one written here, not the one around the cases.
    #[green_light::test(backends(sqlite))]
    fn share_a_module_scope(server: &str) {
        assert!(server.starts_with("sqlite-"));
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[green_light::test(backends(sqlite))]
    #[should_panic(expected = "on purpose")]
    async fn keep_their_attributes(session: Session) {
        session.ping().await.unwrap();
        panic!("on purpose");
    }

    #[green_light::test(backends(sqlite))]
    #[ignore = "never runs"]
    fn stay_ignored() {
        unreachable!("libtest does not run it");
    }
}
