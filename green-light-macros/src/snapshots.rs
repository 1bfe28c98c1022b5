//! What canonical functions become, in full: `snapshots/*.rs`.
//!
//! Accept a changed expansion with `UPDATE_EXPECT=1 cargo test -p green-light-macros`.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::quote;

fn check(expansion: TokenStream, expected: &ExpectFile) {
    let file = syn::parse2(expansion).expect("the expansion is a list of items");
    expected.assert_eq(&prettyplease::unparse(&file));
}

#[test]
fn a_test_without_parameters() {
    let item = quote! {
        #[ignore = "later"]
        async fn saves() {
            assert!(true);
        }
    };
    check(
        crate::test::expand(quote!(), &item),
        &expect_file!["../snapshots/test.rs"],
    );
}

#[test]
fn a_test_with_everything() {
    let args = quote!(
        uses(mailbox),
        without(tracing),
        context = false,
        timeout = "5s"
    );
    let item = quote! {
        /// Saves a post.
        #[should_panic]
        #[instrument]
        async fn saves(session: Session, _author: &Model, request: &Request) -> Result<(), DbErr> {
            session.save(request.test_name()).await
        }
    };
    check(
        crate::test::expand(args, &item),
        &expect_file!["../snapshots/test_with_everything.rs"],
    );
}

#[test]
fn a_test_with_cases_is_handed_to_rstest() {
    let args = quote!(timeout = "5s");
    let item = quote! {
        #[case(1)]
        #[case::last(2)]
        #[instrument]
        async fn saves(
            #[case] #[from(super::limit)] most: u32,
            #[case] title: &str,
            session: Session,
        ) {
            session.save(title, most).await;
        }
    };
    check(
        crate::test::expand(args, &item),
        &expect_file!["../snapshots/test_with_cases.rs"],
    );
}

#[test]
fn a_case_from_rstest() {
    let args = quote!(__handed, __group = saves, __from(most = limit), __given(most: u32));
    let item = quote! {
        async fn case_1(session: Session) {
            let most = 1;
            let title = "a";
            saves(most, title, session).await
        }
    };
    check(
        crate::test::expand(args, &item),
        &expect_file!["../snapshots/test_of_a_case.rs"],
    );
}

#[test]
fn a_test_for_each_backend() {
    let args = quote!(backends(sqlite, postgres), isolation = database);
    let item = quote! {
        /// Saves a post.
        #[should_panic]
        async fn saves(session: Session) {
            session.save().await;
        }
    };
    check(
        crate::test::expand(args, &item),
        &expect_file!["../snapshots/test_with_backends.rs"],
    );
}

#[test]
fn a_fixture_that_returns_a_result() {
    let args = quote!(scope = "module");
    let item = quote! {
        /// Ann.
        pub async fn author(session: &Session, #[from(time::clock)] now: Clock) -> Result<Model, DbErr> {
            Model::ann(session, now).await
        }
    };
    check(
        crate::fixture::expand(args, &item),
        &expect_file!["../snapshots/fixture.rs"],
    );
}

#[test]
fn a_fixture_that_yields() {
    let args = quote!(
        overrides = crate::mail::mailer,
        scope = "process",
        reach = "crate"
    );
    let item = quote! {
        async fn mailer(out: Yield<Mailer>, request: &Request) {
            let server = MailServer::start(request.module_path()).await;
            out.give(server.mailer()).await;
            server.stop().await;
        }
    };
    check(
        crate::fixture::expand(args, &item),
        &expect_file!["../snapshots/fixture_with_yield.rs"],
    );
}

#[test]
fn a_fixture_around_the_test() {
    let args = quote!(around, autouse, crate = lamp);
    let item = quote! {
        async fn traced(next: Next<'_>, request: &Request) -> Outcome {
            next.run().instrument(span(request)).await
        }
    };
    check(
        crate::fixture::expand(args, &item),
        &expect_file!["../snapshots/fixture_around.rs"],
    );
}

#[test]
fn a_fixture_for_a_whole_run() {
    let args = quote!(scope = "run");
    let item = quote! {
        pub fn search(container: &Container) -> Result<Url, Error> {
            container.search()
        }
    };
    check(
        crate::fixture::expand(args, &item),
        &expect_file!["../snapshots/fixture_for_a_run.rs"],
    );
}
