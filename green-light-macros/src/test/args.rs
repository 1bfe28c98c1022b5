//! The options in `#[green_light::test(..)]`, each with its place.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Path, Type};

use super::model::{RuntimeChoice, Xfail};
use crate::attr::Argument;
use crate::crate_path::CratePath;
use crate::diagnostic::Errors;
use crate::options::{self, Setting};

const OPTIONS: &[&str] = &[
    "uses",
    "without",
    "from",
    "with",
    "isolation",
    "backends",
    "context",
    "timeout",
    "rstest",
    "xfail",
    "runtime",
    "start_paused",
    "local",
    "meta",
    "crate",
];

const ISOLATIONS: &[&str] = &["transaction", "database", "shared"];

const BACKENDS: &[&str] = &["sqlite", "postgres", "mysql"];

/// Options as written; whether they fit together is for `check`.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) uses: Vec<Path>,
    pub(crate) without: Vec<Path>,
    /// Where the fixtures of parameters are, as `#[from]` says it on a parameter.
    pub(crate) from: Vec<(Ident, Path)>,
    pub(crate) isolation: Option<Ident>,
    pub(crate) backends: Vec<Ident>,
    pub(crate) context: Option<bool>,
    pub(crate) timeout: Option<Duration>,
    /// What parameters set of their fixtures, as `#[with]` says it on a parameter.
    pub(crate) with: Vec<(Ident, Vec<Argument>)>,
    /// The attribute that expands cases.
    pub(crate) rstest: Option<Path>,
    pub(crate) xfail: Option<(Xfail, Span)>,
    pub(crate) runtime: Option<(RuntimeChoice, Span)>,
    pub(crate) start_paused: Option<Span>,
    pub(crate) local: Option<Span>,
    pub(crate) meta: Vec<(String, String)>,
    pub(crate) krate: CratePath,
    /// Whether [`cases`](super::cases) has handed the test to rstest; then what follows is its, too.
    pub(crate) is_handed: bool,
    pub(crate) handed_from: Vec<(Ident, Path)>,
    /// As `with`.
    pub(crate) handed_with: Vec<(Ident, Vec<Argument>)>,
    /// Cases that fixtures are given, with the types of their parameters.
    pub(crate) handed_given: Vec<(Ident, Type)>,
    /// The function whose cases rstest has put into a module of its name.
    pub(crate) group: Option<Ident>,
    pub(crate) errors: Errors,
}

impl Args {
    pub(crate) fn parse(tokens: TokenStream) -> Self {
        let mut args = Self::default();
        for setting in options::read("green_light::test", OPTIONS, tokens, &mut args.errors) {
            args.set(&setting);
        }
        args
    }

    fn set(&mut self, setting: &Setting) {
        let errors = &mut self.errors;
        match setting.name.to_string().as_str() {
            "uses" => self.uses = setting.paths(errors),
            "without" => self.without = setting.paths(errors),
            "with" => self.with = setting.arguments(errors),
            "__with" => self.handed_with = setting.arguments(errors),
            "from" => self.from = setting.pairs(errors),
            "isolation" => self.isolation = setting.word("isolation", ISOLATIONS, errors),
            "backends" => self.backends = setting.words("backend", BACKENDS, errors),
            "context" => self.context = setting.boolean(errors),
            "timeout" => self.timeout = timeout(setting, errors),
            "rstest" => self.rstest = setting.path(errors),
            "__handed" => self.is_handed = true,
            "__from" => self.handed_from = setting.pairs(errors),
            "__given" => self.handed_given = setting.typed(),
            "__group" => {
                self.group = setting
                    .path(errors)
                    .and_then(|path| path.get_ident().cloned());
            }
            "xfail" if setting.is_flag() => self.xfail = Some((Xfail::Yes, setting.span())),
            "xfail" => {
                self.xfail = options::one_of(setting, &[Xfail::Strict], |_| "strict", errors);
            }
            "runtime" => {
                self.runtime =
                    options::one_of(setting, &RuntimeChoice::NAMED, RuntimeChoice::name, errors);
            }
            "start_paused" => self.start_paused = setting.flag(errors),
            "local" => self.local = setting.flag(errors),
            "meta" => self.meta = setting.literals(errors),
            "crate" => self.krate = setting.path(errors).map(CratePath::new).unwrap_or_default(),
            // `read` lets through what one of our macros might tell another.
            other => errors.refuse(
                &setting.name,
                format!("unknown option `{other}`"),
                "remove it",
            ),
        }
    }
}

fn timeout(setting: &Setting, errors: &mut Errors) -> Option<Duration> {
    let typed = setting.string("\"5s\"", errors)?;
    let text = typed.value();
    let duration = duration(&text);
    if duration.is_none() {
        errors.refuse(
            typed,
            format!("`{text}` is not a duration"),
            "write a number above zero and a unit: `\"500ms\"`, `\"5s\"` or `\"2m\"`",
        );
    }
    duration
}

/// `500ms`, `5s`, `1.5s`, `2m`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    let duration = Duration::try_from_secs_f64(number * seconds).ok()?;
    let milliseconds = u64::try_from(duration.as_millis()).ok()?;
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let ms = Duration::from_millis;
        for (text, expected) in [
            ("500ms", Some(ms(500))),
            ("5s", Some(ms(5000))),
            ("1.5s", Some(ms(1500))),
            ("2m", Some(ms(120_000))),
            ("2 min", Some(ms(120_000))),
            ("5", None),
            ("s", None),
            ("", None),
            ("0s", None),
            ("-1s", None),
            ("1.2.3s", None),
            ("5 fortnights", None),
            ("99999999999999999999999m", None),
        ] {
            assert_eq!(duration(text), expected, "{text:?}");
        }
    }
}
