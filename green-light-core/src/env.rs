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

/// Farther away, a name is no help.
const NEAR: usize = 4;

/// Which of the variables `there` begin with `GREEN_LIGHT_` and are none of green-light's, each with the nearest that is,
/// if one is near.
pub fn unknown_variables(
    there: impl Iterator<Item = OsString>,
) -> Vec<(String, Option<&'static str>)> {
    let there = there.filter_map(|name| name.into_string().ok());
    let unknown =
        there.filter(|name| name.starts_with("GREEN_LIGHT_") && !NAMES.contains(&name.as_str()));
    let nearest = |name: &str| {
        let near = NAMES.map(|known| (strsim::osa_distance(name, known), known));
        let (distance, known) = near.into_iter().min()?;
        (distance <= NEAR).then_some(known)
    };
    unknown
        .map(|name| {
            let nearest = nearest(&name);
            (name, nearest)
        })
        .collect()
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
        let all = || NAMES.into_iter().chain(others).map(OsString::from);
        assert!(check(all()).is_ok());
        let unknown = unknown_variables(all());
        let names: Vec<_> = unknown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["GREEN_LIGHT_COLOUR", "GREEN_LIGHT_PORT"]);
        assert_eq!(unknown[0].1, None);
        let far = [OsString::from("GREEN_LIGHT_CONECTIO")];
        let meant = Some("GREEN_LIGHT_CONNECTIONS");
        assert_eq!(unknown_variables(far.into_iter())[0].1, meant);
    }
}
