//! The names of all `GREEN_LIGHT_*` variables, whichever part reads them.
//!
//! A name that is nearly one of them is a typo, and would look like a feature that does not work.

use std::ffi::OsString;

/// What the guide `variables` lists.
const NAMES: [&str; 17] = [
    "GREEN_LIGHT_AUTOUSE",
    "GREEN_LIGHT_CONNECTIONS",
    "GREEN_LIGHT_DEBUG",
    "GREEN_LIGHT_DIR",
    "GREEN_LIGHT_DROP_TIMEOUT",
    "GREEN_LIGHT_EVENTS",
    "GREEN_LIGHT_ISOLATION",
    "GREEN_LIGHT_KEEP",
    "GREEN_LIGHT_LINGER",
    "GREEN_LIGHT_MYSQL_URL",
    "GREEN_LIGHT_POSTGRES_URL",
    "GREEN_LIGHT_REBUILD",
    "GREEN_LIGHT_SHOW",
    "GREEN_LIGHT_SKIP",
    "GREEN_LIGHT_STACK_SIZE",
    "GREEN_LIGHT_STALL_TIMEOUT",
    "GREEN_LIGHT_WAIT",
];

/// So many letters may be wrong, too many or missing.
const TYPO: usize = 2;

/// Whether none of the variables `there` is misspelt.
///
/// # Errors
///
/// If one is, with the name it was meant to have.
pub(crate) fn check(there: impl Iterator<Item = OsString>) -> Result<(), String> {
    for name in there {
        let Some(name) = name.to_str() else { continue };
        if let Some(meant) = meant(name) {
            return Err(format!(
                "unknown variable `{name}`\n  help: did you mean `{meant}`? write that, or unset `{name}`"
            ));
        }
    }
    Ok(())
}

/// The variable that `name` was meant to be, if it is nearly one.
fn meant(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    if !upper.contains("GREEN") || NAMES.contains(&name) {
        return None;
    }
    let near = NAMES.map(|known| (strsim::osa_distance(&upper, known), known));
    let (distance, known) = near.into_iter().min()?;
    (distance <= TYPO).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_told_with_what_was_meant() {
        for (name, known) in [
            ("GREEN_LIGHT_SHWO", "GREEN_LIGHT_SHOW"),
            ("GREEN_LIGHT_ISOLATON", "GREEN_LIGHT_ISOLATION"),
            ("GREENLIGHT_KEEP", "GREEN_LIGHT_KEEP"),
            ("GREEN_LIGHTS_DEBUG", "GREEN_LIGHT_DEBUG"),
            ("green_light_wait", "GREEN_LIGHT_WAIT"),
        ] {
            let error = check([OsString::from(name)].into_iter()).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "unknown variable `{name}`\n  help: did you mean `{known}`? write that, or unset `{name}`"
                )
            );
        }
    }

    #[test]
    fn names_of_others_and_our_own_are_left_alone() {
        let others = [
            "PATH",
            "GREEN_LIGHT",
            "GREEN_LIGHT_COLOUR",
            "GREEN_LIGHT_PORT",
            "EVERGREEN_SHOW",
        ];
        let all = NAMES.into_iter().chain(others).map(OsString::from);
        assert!(check(all).is_ok());
    }
}
