//! `GREEN_LIGHT_DEBUG=1`: where each step of a test runs: thread, runtime, context.

use crate::config::Config;
use crate::fixture::definition::Definition;
use crate::fixture::test_meta::TestMeta;
use crate::report::explain::thread_context::Place;
use crate::report::print::say;

/// What begins here.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    Begin(&'static TestMeta),
    Enter(&'static Definition),
    SetUp(&'static Definition),
    Body(&'static TestMeta),
    TearDown(&'static Definition),
    Leave(&'static Definition),
    End(&'static TestMeta),
}

/// Prints where `moment` happens, if that was asked for. Call it there.
pub(crate) fn debug(moment: Moment) {
    if Config::get().is_ok_and(|config| config.debug) {
        say(&line(moment, &Place::here()));
    }
}

fn line(moment: Moment, place: &Place) -> String {
    let what = match moment {
        Moment::Begin(test) => format!("test `{}` begins", test.name()),
        Moment::Enter(fixture) => format!("around fixture `{}` is entered", fixture.name),
        Moment::SetUp(fixture) => format!("{} is set up", named(fixture)),
        Moment::Body(test) => format!("body of test `{}` runs", test.name()),
        Moment::TearDown(fixture) => format!("{} is torn down", named(fixture)),
        Moment::Leave(fixture) => format!("around fixture `{}` is left", fixture.name),
        Moment::End(test) => format!("test `{}` has ended", test.name()),
    };
    format!("debug: {what}: {}", place.with_id())
}

fn named(fixture: &Definition) -> String {
    format!("fixture `{}` (scope `{}`)", fixture.name, fixture.scope)
}
