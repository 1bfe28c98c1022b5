//! All forms of fixtures and tests in a file that asks for nearly every lint there is.

#![warn(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore,
    let_underscore_drop,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    redundant_imports,
    redundant_lifetimes,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results
)]
// What a strict project would choose.
#![warn(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::default_numeric_fallback,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::missing_docs_in_private_items,
    clippy::panic,
    clippy::pattern_type_mismatch,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::redundant_type_annotations,
    clippy::same_name_method,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::single_call_fn,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_in_result,
    clippy::unwrap_used
)]

use core::error::Error;
use core::fmt;
use std::rc::Rc;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait as _, DbErr};
use tokio::task::yield_now;

/// An error.
#[derive(Debug, Clone, Copy)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("broken")
    }
}

impl Error for Broken {}

/// Sync.
#[fixture]
fn number() -> u8 {
    7
}

/// Sync, public.
#[fixture]
pub(super) fn public(number: u8) -> u8 {
    number
}

/// Async.
#[fixture]
async fn text() -> String {
    yield_now().await;
    "text".to_owned()
}

/// Fails.
#[fixture]
async fn fails(text: &str) -> Result<Vec<u8>, Broken> {
    yield_now().await;
    if text.is_empty() {
        return Err(Broken);
    }
    Ok(text.as_bytes().to_vec())
}

/// Unit.
#[fixture]
fn unit() {}

/// Unit, async.
#[fixture]
async fn unit_async() {
    yield_now().await;
}

/// Unit, fails.
#[fixture]
fn unit_fails(number: u8) -> Result<(), Broken> {
    if number == 7 { Ok(()) } else { Err(Broken) }
}

/// Yields.
#[fixture(scope = "process")]
async fn server(out: Yield<u16>) {
    out.give(8080).await;
    yield_now().await;
}

/// Yields, fails.
#[fixture(scope = "module")]
async fn client(server: &u16, out: Yield<String>) -> Result<(), Broken> {
    out.give(server.to_string()).await;
    Ok(())
}

/// Wraps.
#[fixture(around)]
async fn timed(next: Next<'_>) -> Outcome {
    next.run().await
}

/// Wraps everything.
#[fixture(around, autouse)]
async fn traced(next: Next<'_>, request: &Request) -> Outcome {
    let _name = request.test_name();
    next.run().await
}

/// Fresh, with defaults.
#[fixture(fresh)]
fn book(#[default("Emma")] title: &str, #[default(1)] pages: u32) -> String {
    format!("{title}, {pages}")
}

/// Autouse.
#[fixture(autouse)]
fn each(request: &Request) {
    let _name = request.test_name();
}

/// Override.
#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE t (a INTEGER)")
}

/// Not thread-safe.
#[fixture]
fn local() -> Rc<u8> {
    Rc::new(1)
}

green_light::uses!(unit, unit_async);

/// Sync.
#[green_light::test]
fn sync(number: u8, public: &u8) {
    assert_eq!(number, *public, "equal");
}

/// Async.
#[green_light::test]
async fn asynchronous(text: &str, fails: Vec<u8>, client: String, local: Rc<u8>) {
    yield_now().await;
    assert_eq!(text.as_bytes(), fails, "equal");
    assert_eq!((client, *local), ("8080".to_owned(), 1), "equal");
}

/// Session.
#[green_light::test]
async fn with_session(session: Session) -> Result<(), DbErr> {
    let _done = session
        .execute_unprepared("INSERT INTO t VALUES (1)")
        .await?;
    Ok(())
}

/// Database.
#[green_light::test(isolation = database, timeout = "5s", uses(timed, unit_fails))]
async fn options(transaction: Transaction) {
    drop(transaction);
    yield_now().await;
}

/// Backends.
#[green_light::test(backends(sqlite))]
async fn backends(session: &Session) {
    let _url = session.url();
    yield_now().await;
}

/// Cases.
#[green_light::test]
#[case(7)]
#[case::named(7)]
fn cases(
    #[case]
    #[from(number)]
    given: u8,
    public: u8,
    #[values(1, 2)] other: u8,
) {
    assert_eq!(given, public, "equal");
    assert_ne!(given, other, "other");
}

/// Panics.
#[green_light::test]
#[should_panic(expected = "on purpose")]
fn panics(number: u8) {
    assert_eq!(number, 8, "on purpose");
}

/// Ignored.
#[green_light::test(xfail, start_paused, meta(a = 1))]
#[ignore = "later"]
async fn ignored(#[from(text)] _words: String) {
    yield_now().await;
}

/// Local.
#[green_light::test(local)]
async fn locally(#[with(title = "Persuasion", pages = 3)] book: &mut String) -> Result<(), Broken> {
    book.push('!');
    yield_now().await;
    assert_eq!(book, "Persuasion, 3!", "set");
    Ok(())
}

/// Boxed.
#[green_light::test]
fn boxed(number: &u8) -> Result<(), Box<dyn Error>> {
    if *number == 7 {
        Ok(())
    } else {
        Err(Broken.into())
    }
}

/// What stands in a module of its own.
mod inner {
    use green_light::prelude::*;

    use super::{Broken, number};

    /// For the module above.
    #[fixture]
    pub(super) fn shared(number: u8) -> Result<u8, Broken> {
        if number == 7 { Ok(number) } else { Err(Broken) }
    }

    /// For this one.
    #[fixture]
    pub(super) async fn own(shared: &u8, #[default(2_u8)] _factor: u8) -> Vec<u8> {
        vec![*shared]
    }
}

/// Of the module below.
#[green_light::test]
async fn from_below(#[from(inner::own)] list: Vec<u8>, #[from(inner::shared)] _shared: &u8) {
    assert_eq!(list, [7_u8]);
}
