//! Cases, which rstest expands, and fixtures, which rstest leaves to us.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use green_light::fixtures::backend;
use green_light::prelude::*;

#[fixture]
fn author() -> String {
    "ann".to_owned()
}

mod elsewhere {
    use green_light::prelude::*;

    #[fixture]
    pub(super) fn editor(author: &str) -> String {
        format!("{author}'s editor")
    }

    use super::author;
}

fn test_name() -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap();
    name.strip_prefix("cases::").unwrap().to_owned()
}

#[green_light::test]
#[case("ann", 3)]
#[case::longer("charlotte", 9)]
async fn stand_beside_fixtures(
    #[case] name: &str,
    session: &Session,
    #[case] length: usize,
    #[from(elsewhere::editor)] editor: &str,
    request: &Request,
) -> Result<(), sea_orm::DbErr> {
    session.ping().await?;
    assert_eq!(name.len(), length);
    assert_eq!(editor, "ann's editor");
    let case = if length == 3 {
        "case_1"
    } else {
        "case_2_longer"
    };
    assert_eq!(test_name(), format!("stand_beside_fixtures::{case}"));
    let name = request.test_name().unwrap();
    assert_eq!(name, format!("stand_beside_fixtures::{case}"));
    assert_eq!(request.module_path(), module_path!());
    Ok(())
}

#[green_light::test]
fn multiply(#[values(1, 2)] one: u32, #[values("a", "b")] other: &str, author: String) {
    assert_eq!(author, "ann");
    let (first, second) = (one, if other == "a" { 1 } else { 2 });
    assert_eq!(
        test_name(),
        format!("multiply::one_{first}_{one}::other_{second}___{other}__")
    );
}

#[green_light::test]
async fn come_from_files(#[files("examples/*.rs")] path: PathBuf, author: &str) {
    assert_eq!(author, "ann");
    assert!(path.is_file());
}

#[green_light::test]
#[case("127.0.0.1:80")]
fn are_converted_as_rstest_does(#[case] address: SocketAddr, _author: &str) {
    assert_eq!(address.port(), 80);
}

#[green_light::test]
#[case(async { 1 })]
async fn may_be_futures(
    #[case]
    #[future(awt)]
    one: u32,
    #[by_ref]
    #[values(2)]
    two: &u32,
    author: &str,
) {
    assert_eq!((one, *two, author), (1, 2, "ann"));
}

#[green_light::test]
#[case(0)]
#[should_panic(expected = "on purpose")]
#[case(1)]
#[ignore = "never runs"]
#[case(2)]
async fn have_attributes_of_their_own(#[case] number: u32, author: &str) {
    assert_eq!(author, "ann");
    assert_eq!(number, 0, "on purpose");
}

#[green_light::test(uses(self::author))]
fn know_paths_from_here(
    #[values(1)] _one: u32,
    #[from(super::cases::elsewhere::editor)] editor: &str,
) {
    assert_eq!(editor, "ann's editor");
}

#[green_light::test(timeout = "60s")]
#[rstest::rstest]
#[case(1)]
fn may_name_rstest_below(#[case] one: u32, mut author: String) {
    author.push('!');
    assert_eq!((one, &*author), (1, "ann!"));
}

/// The module is the one written here, not those around the cases.
mod module {
    use super::*;

    static MADE: AtomicU32 = AtomicU32::new(0);

    #[fixture(scope = "module")]
    fn shared() -> u32 {
        MADE.fetch_add(1, Ordering::Relaxed)
    }

    #[green_light::test]
    #[case(1)]
    #[case(2)]
    fn is_shared_by_cases(#[case] _case: u32, #[values(1, 2)] _value: u32, shared: u32) {
        assert_eq!(shared, 0);
    }

    #[green_light::test]
    fn and_by_plain_tests(shared: u32) {
        assert_eq!(shared, 0);
    }

    #[rstest::rstest]
    #[case(1)]
    #[green_light::test]
    fn also_with_rstest_above(
        #[case] _case: u32,
        #[values(1, 2)] _value: u32,
        #[ignore] shared: u32,
    ) {
        assert_eq!(shared, 0);
    }
}

mod rstest_above {
    use green_light::prelude::*;
    use rstest::rstest;

    use super::author;

    #[rstest]
    #[case("ann")]
    #[case::other("bob")]
    #[green_light::test(from(writer = author))]
    async fn stacks(#[case] name: &str, #[ignore] writer: &str, #[ignore] request: &Request) {
        assert_eq!(name == "ann", writer == name);
        assert_eq!(request.module_path(), module_path!());
        assert!(request.test_name().unwrap().starts_with("stacks::case_"));
    }

    #[rstest]
    #[green_light::test]
    fn stacks_without_cases(#[ignore] author: &str, #[ignore] request: &Request) {
        assert_eq!(author, "ann");
        assert_eq!(request.test_name(), Some("stacks_without_cases"));
    }

    #[rstest]
    #[case(1)]
    #[tokio::test]
    async fn and_beside_it_tokio(#[case] one: u32) {
        assert_eq!(one, 1);
    }
}

/// A case that feeds a fixture.
mod given {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    enum Speed {
        Slow,
        Fast,
    }

    static ENGINES: AtomicU32 = AtomicU32::new(0);
    static DEFAULTS: AtomicU32 = AtomicU32::new(0);

    #[fixture(scope = "process")]
    fn base() -> u32 {
        DEFAULTS.fetch_add(1, Ordering::Relaxed)
    }

    #[fixture(scope = "process")]
    fn speed(_base: u32) -> Speed {
        Speed::Slow
    }

    #[fixture(scope = "process")]
    async fn motor(speed: &Speed) -> (u32, Speed) {
        tokio::task::yield_now().await;
        (ENGINES.fetch_add(1, Ordering::Relaxed), speed.clone())
    }

    #[fixture]
    fn ride(motor: &(u32, Speed)) -> String {
        format!("{:?} with motor {}", motor.1, motor.0)
    }

    #[green_light::test]
    async fn reaches_the_whole_graph(
        #[values(Speed::Slow, Speed::Fast)]
        #[from(speed)]
        wanted: Speed,
        #[values(1, 2, 3)] _again: u32,
        motor: &(u32, Speed),
        ride: &str,
    ) {
        assert_eq!(motor.1, wanted);
        assert!(ride.starts_with(&format!("{wanted:?}")));
        // One for each value, however many tests.
        assert!(ENGINES.load(Ordering::Relaxed) <= 2);
        // What is given is not made, nor what it would need.
        assert_eq!(DEFAULTS.load(Ordering::Relaxed), 0);
    }

    #[green_light::test]
    fn may_be_borrowed(
        #[values(Speed::Fast)]
        #[from(speed)]
        wanted: &Speed,
    ) {
        assert_eq!(*wanted, Speed::Fast);
    }

    #[fixture]
    fn local() -> Rc<String> {
        Rc::new("made".to_owned())
    }

    #[fixture]
    fn user(local: &Rc<String>) -> Rc<String> {
        Rc::clone(local)
    }

    #[green_light::test]
    #[case(Rc::new("given".to_owned()))]
    async fn is_one_value_for_all(
        #[case]
        #[from(local)]
        mine: Rc<String>,
        user: &Rc<String>,
    ) {
        assert_eq!(**user, "given");
        assert!(Rc::ptr_eq(&mine, user));
    }

    #[green_light::test]
    async fn chooses_a_backend(
        #[values(Backend::Sqlite)]
        #[from(backend)]
        wanted: Backend,
        session: Session,
    ) {
        assert_eq!(wanted, Backend::Sqlite);
        session.ping().await.unwrap();
    }

    #[green_light::test]
    #[case("given")]
    fn is_converted(
        #[case]
        #[from(author)]
        name: String,
    ) {
        assert_eq!(name, "given");
    }
}
