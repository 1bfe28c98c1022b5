//! The `GREEN_LIGHT_*` environment, read once.
//!
//! A variable that cannot be understood fails every test with the list of what it may be, rather
//! than being ignored: a typo in `GREEN_LIGHT_SHOW` would otherwise look like a feature that does
//! not work.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::context::settings::settings;
use crate::env;

/// What `GREEN_LIGHT_SHOW` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Nothing,
    /// Every set-up and teardown, as pytest's `--setup-show`.
    Setup,
    /// What would be set up; runs nothing.
    Plan,
    /// All fixtures there are; runs nothing.
    Fixtures,
    /// What took longest, at the end.
    Durations,
}

/// The environment of this process.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) show: Show,
    /// Where events are written.
    pub(crate) events: Option<PathBuf>,
    /// `GREEN_LIGHT_AUTOUSE=0` leaves out the coroutine context of every test.
    pub(crate) autouse_context: bool,
    /// `GREEN_LIGHT_SKIP=fail`: a skipped test fails.
    pub(crate) skips_fail: bool,
    /// `GREEN_LIGHT_DEBUG=1` prints where each step of a test runs.
    pub(crate) debug: bool,
    /// Whether nextest runs this process, for one test alone.
    pub(crate) nextest: bool,
}

impl Config {
    /// The configuration of this process.
    ///
    /// # Errors
    ///
    /// If a variable has a value it cannot have.
    pub(crate) fn get() -> Result<&'static Self, String> {
        static CONFIG: OnceLock<Result<Config, String>> = OnceLock::new();
        CONFIG
            .get_or_init(|| {
                // Told here, as the others are, rather than by a panic of the first context.
                settings()?;
                env::check(std::env::vars_os().map(|(name, _)| name))?;
                Self::read(|name| std::env::var_os(name))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    fn read(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let given = |name: &str| var(name).filter(|value| !value.is_empty());
        let value = |name: &str| given(name).map(|value| value.to_string_lossy().into_owned());
        let show = match value("GREEN_LIGHT_SHOW").as_deref() {
            None => Show::Nothing,
            Some("setup") => Show::Setup,
            Some("plan") => Show::Plan,
            Some("fixtures") => Show::Fixtures,
            Some("durations") => Show::Durations,
            Some(other) => {
                return Err(unknown(
                    "GREEN_LIGHT_SHOW",
                    other,
                    "`setup`, `plan`, `fixtures` or `durations`",
                ));
            }
        };
        let debug = match value("GREEN_LIGHT_DEBUG").as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => return Err(unknown("GREEN_LIGHT_DEBUG", other, "`0` or `1`")),
        };
        let autouse_context = match value("GREEN_LIGHT_AUTOUSE").as_deref() {
            None | Some("1") => true,
            Some("0") => false,
            Some(other) => return Err(unknown("GREEN_LIGHT_AUTOUSE", other, "`0` or `1`")),
        };
        let skips_fail = match value("GREEN_LIGHT_SKIP").as_deref() {
            None => false,
            Some("fail") => true,
            Some(other) => return Err(unknown("GREEN_LIGHT_SKIP", other, "`fail`")),
        };
        Ok(Self {
            show,
            events: given("GREEN_LIGHT_EVENTS").map(PathBuf::from),
            autouse_context,
            skips_fail,
            debug,
            nextest: value("NEXTEST").is_some(),
        })
    }
}

/// Whether the variables of green-light that core reads are understood, and none is misspelt.
///
/// # Errors
///
/// When one is not, with what to write.
pub fn check_environment() -> Result<(), String> {
    Config::get().map(drop)
}

fn unknown(variable: &str, value: &str, expected: &str) -> String {
    format!("`{variable}={value}` is not understood\n  help: set it to {expected}, or unset it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_empty_environment_is_the_default() {
        let config = read(&[("GREEN_LIGHT_SHOW", "")]).unwrap();
        assert_eq!(config.show, Show::Nothing);
        assert!(config.autouse_context);
        assert!(config.events.is_none());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_a_path_or_is_refused() {
        use std::os::unix::ffi::OsStringExt as _;
        let strange = || OsString::from_vec(vec![b'a', 0xff]);
        let only = |wanted| move |name: &str| (name == wanted).then(strange);
        let config = Config::read(only("GREEN_LIGHT_EVENTS")).unwrap();
        assert_eq!(config.events, Some(strange().into()));
        for name in [
            "GREEN_LIGHT_SHOW",
            "GREEN_LIGHT_DEBUG",
            "GREEN_LIGHT_AUTOUSE",
            "GREEN_LIGHT_SKIP",
        ] {
            let error = Config::read(only(name)).unwrap_err();
            assert!(error.contains(&format!("`{name}=a")), "{error}");
        }
    }

    #[test]
    fn a_typo_names_the_variable_and_what_it_may_be() {
        let error = read(&[("GREEN_LIGHT_SHOW", "stup")]).unwrap_err();
        assert!(
            error.contains("`GREEN_LIGHT_SHOW=stup` is not understood"),
            "{error}"
        );
        assert!(
            error.contains("`setup`, `plan`, `fixtures` or `durations`"),
            "{error}"
        );
    }
}
