//! The settings of contexts: stack size and limits, read once from the environment.
//!
//! A bad value is an error that names the variable; it is raised by the first context entered, never in a
//! destructor.

use std::cell::Cell;
use std::env;
use std::sync::OnceLock;
use std::time::Duration;

/// Bytes of stack of one context.
pub(crate) const STACK_SIZE: &str = "GREEN_LIGHT_STACK_SIZE";
/// When a `wait` that suspends the polls around it fails.
pub(crate) const STALL_TIMEOUT: &str = "GREEN_LIGHT_STALL_TIMEOUT";
/// How long a dropped context may go on waiting in its destructors.
pub(crate) const DROP_TIMEOUT: &str = "GREEN_LIGHT_DROP_TIMEOUT";

const DEFAULT_STACK: usize = 2 << 20;
const SMALLEST_STACK: usize = 64 << 10;
const LARGEST_STACK: usize = 1 << 30;

thread_local! {
    static OVERRIDE: Cell<Option<Limits>> = const { Cell::new(None) };
}

/// The limits in time of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A `wait` that suspends the polls around it warns after this long.
    pub stall_warning: Duration,
    /// A `wait` that suspends the polls around it fails after this long.
    pub stall_timeout: Duration,
    /// A dropped context that goes on waiting is abandoned after this long.
    pub drop_timeout: Duration,
}

impl Limits {
    /// The limits that hold on this thread.
    pub fn current() -> Self {
        OVERRIDE.get().unwrap_or_else(|| match settings() {
            Ok(settings) => settings.limits,
            // The first context that was entered has raised the error already.
            Err(_) => DEFAULT_LIMITS,
        })
    }

    /// Replaces the limits on this thread, for tests of the limits themselves.
    pub fn set(self) {
        OVERRIDE.set(Some(self));
    }
}

const DEFAULT_LIMITS: Limits = Limits {
    stall_warning: Duration::from_secs(5),
    stall_timeout: Duration::from_secs(60),
    drop_timeout: Duration::from_secs(5),
};

/// What the environment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Bytes of stack of one context.
    pub(crate) stack_size: usize,
    limits: Limits,
}

/// The settings of this process, or why they cannot be used.
pub(crate) fn settings() -> Result<&'static Settings, &'static str> {
    static SETTINGS: OnceLock<Result<Settings, String>> = OnceLock::new();
    SETTINGS
        .get_or_init(|| parse(|name| env::var_os(name).map(|v| v.to_string_lossy().into_owned())))
        .as_ref()
        .map_err(String::as_str)
}

fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
    let stack_size = match variable(STACK_SIZE) {
        None => DEFAULT_STACK,
        Some(text) => parse_size(&text).ok_or_else(|| bad_stack_size(&text))?,
    };
    let duration = |name: &str, default: Duration| match variable(name) {
        None => Ok(default),
        Some(text) => parse_duration(&text).ok_or_else(|| bad_duration(name, &text)),
    };
    let stall_timeout = duration(STALL_TIMEOUT, DEFAULT_LIMITS.stall_timeout)?;
    let limits = Limits {
        stall_warning: DEFAULT_LIMITS.stall_warning.min(stall_timeout / 2),
        stall_timeout,
        drop_timeout: duration(DROP_TIMEOUT, DEFAULT_LIMITS.drop_timeout)?,
    };
    Ok(Settings { stack_size, limits })
}

fn bad_stack_size(value: &str) -> String {
    format!(
        "`{STACK_SIZE}` is `{value}`, expected bytes from 64K to 1024M\n  \
         help: write it like `{STACK_SIZE}=4M`, or unset it for 2M"
    )
}

fn bad_duration(name: &str, value: &str) -> String {
    format!(
        "`{name}` is `{value}`, expected seconds or milliseconds\n  \
         help: write it like `{name}=60s` or `{name}=500ms`"
    )
}

/// `65536`, `512K` or `8M`, in the range that makes sense for a stack.
fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let bytes = digits.trim().parse::<usize>().ok()?.checked_mul(unit)?;
    (SMALLEST_STACK..=LARGEST_STACK)
        .contains(&bytes)
        .then_some(bytes)
}

/// `60`, `60s` or `500ms`; more than zero, and at most a day.
fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 1),
        (None, Some(digits)) => (digits, 1000),
        (None, None) => (text, 1000),
    };
    let millis = digits.trim().parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=86_400_000)
        .contains(&millis)
        .then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Settings, String> {
        parse(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn defaults_hold_without_variables() {
        let settings = parse(|_| None).unwrap();
        assert_eq!(settings.stack_size, 2 << 20);
        assert_eq!(settings.limits, DEFAULT_LIMITS);
    }

    #[test]
    fn sizes_are_bytes_or_carry_a_unit() {
        assert_eq!(with(STACK_SIZE, "65536").unwrap().stack_size, 65536);
        assert_eq!(with(STACK_SIZE, "512K").unwrap().stack_size, 512 << 10);
        assert_eq!(with(STACK_SIZE, " 8M ").unwrap().stack_size, 8 << 20);
    }

    #[test]
    fn a_bad_size_names_the_variable_the_value_and_the_range() {
        for bad in ["", "many", "1", "9999999M", "-4K", "4096T"] {
            let error = with(STACK_SIZE, bad).unwrap_err();
            assert!(error.contains("`GREEN_LIGHT_STACK_SIZE`"), "{error}");
            assert!(error.contains(&format!("`{bad}`")), "{error}");
            assert!(error.contains("64K"), "{error}");
        }
    }

    #[test]
    fn the_warning_never_comes_after_the_failure() {
        let settings = with(STALL_TIMEOUT, "500ms").unwrap();
        assert_eq!(settings.limits.stall_timeout, Duration::from_millis(500));
        assert_eq!(settings.limits.stall_warning, Duration::from_millis(250));
    }

    #[test]
    fn a_bad_duration_names_the_variable_and_the_value() {
        for bad in ["", "0", "soon", "-1s", "99999999s"] {
            let error = with(DROP_TIMEOUT, bad).unwrap_err();
            assert!(error.contains("`GREEN_LIGHT_DROP_TIMEOUT`"), "{error}");
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
        assert_eq!(
            with(DROP_TIMEOUT, "7s").unwrap().limits.drop_timeout,
            Duration::from_secs(7)
        );
    }
}
