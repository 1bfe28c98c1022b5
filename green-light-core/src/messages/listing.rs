//! `GREEN_LIGHT_SHOW=fixtures`: every fixture of the binary, as pytest's `--fixtures` lists them.

use std::fmt::Write;
use std::sync::Once;

use crate::fixture::definition::{Definition, FIXTURES, LISTED, Listed, Reach};
use crate::messages::described;
use crate::report::print::say_to_terminal;

/// Prints the list, once in a process.
pub(crate) fn print() {
    static PRINTED: Once = Once::new();
    PRINTED.call_once(|| {
        let all = all();
        for (listed, declared) in &all {
            described::fixture(listed, *declared);
        }
        say_to_terminal(&list(all));
    });
}

/// All fixtures, with the declarations of those that reach tests unasked.
fn all() -> Vec<(Listed, Option<&'static Definition>)> {
    let requested = LISTED.iter().map(|listed| (*listed, None));
    let reaching = FIXTURES
        .iter()
        .map(|definition| (definition.listed(), Some(definition)));
    requested.chain(reaching).collect()
}

fn list(mut fixtures: Vec<(Listed, Option<&'static Definition>)>) -> String {
    fixtures.sort_by_key(|(fixture, _)| (fixture.module, fixture.name, fixture.location.line));
    let (mut text, mut module) = (String::new(), "");
    for (fixture, reaching) in fixtures {
        if fixture.module != module {
            module = fixture.module;
            let _ = write!(text, "\nfixtures of `{module}`");
        }
        let _ = write!(
            text,
            "\n    {} [{}] -- {}",
            fixture.name,
            kind(&fixture),
            fixture.location
        );
        if let Some(definition) = reaching
            && let Some(overridden) = definition.overrides
        {
            let overridden = overridden();
            let _ = write!(
                text,
                "\n        overrides `{}::{}`, for {}",
                overridden.module,
                overridden.name,
                reach(definition)
            );
        }
        if let Some(definition) = reaching.filter(|definition| definition.autouse) {
            let _ = write!(text, "\n        autouse, for {}", reach(definition));
        }
        let paragraph = fixture.docs.lines().map(str::trim);
        let paragraph = paragraph.take_while(|line| !line.is_empty());
        for line in paragraph {
            let _ = write!(text, "\n        {line}");
        }
        if fixture.docs.is_empty() {
            text.push_str("\n        no documentation");
        }
    }
    text
}

fn kind(fixture: &Listed) -> &'static str {
    if fixture.around {
        "around"
    } else {
        fixture.scope.name()
    }
}

fn reach(fixture: &Definition) -> String {
    match fixture.reach {
        Reach::Module if fixture.module != fixture.crate_name() => {
            format!("the tests of `{}` and below", fixture.module)
        }
        Reach::Module | Reach::Crate => "every test".to_owned(),
    }
}
