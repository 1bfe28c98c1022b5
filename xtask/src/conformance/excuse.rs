//! Why a graph need not agree with pytest. There are three reasons and no other.

use super::graph::{Case, Fixture};

/// Why `case` cannot be compared at all, with the number of the rule.
pub(crate) fn not_comparable(case: &Case) -> Option<String> {
    if case.has("params") {
        return Some(
            "impossible (62): wide parameters are kept alive, not torn down and rebuilt".to_owned(),
        );
    }
    if case.has("invalid") {
        return Some(
            "compile error (18, 55, 56): missing names and scope violations do not compile"
                .to_owned(),
        );
    }
    for fixture in &case.fixtures {
        for dep in &fixture.deps {
            if *dep == fixture.name && case.visible(dep, None).is_none() {
                return Some(format!("compile error (56): `{dep}` requests itself"));
            }
            let wanted = if *dep == fixture.name {
                case.visible(dep, None)
            } else {
                case.visible(dep, fixture.module.as_deref())
            };
            let Some(wanted) = wanted else {
                return Some(format!(
                    "compile error (55): `{}` cannot name `{dep}`",
                    fixture.name
                ));
            };
            if width(wanted) < width(fixture) {
                return Some(format!(
                    "compile error (18): `{}` is wider than `{dep}`",
                    fixture.name
                ));
            }
        }
        let overridden = fixture
            .module
            .as_ref()
            .and_then(|_| case.visible(&fixture.name, None));
        if overridden.is_some_and(|overridden| width(overridden) > width(fixture)) {
            return Some(format!(
                "compile error (51): the override of `{}` is narrower",
                fixture.name
            ));
        }
    }
    None
}

/// Whether an override could reach into a shared value in `case`: there green-light keeps the
/// values apart and pytest does not (52).
pub(crate) fn has_leak(case: &Case) -> bool {
    let overridden = |name: &str| {
        case.fixtures
            .iter()
            .any(|fixture| fixture.name == name && fixture.module.is_some())
            && case.visible(name, None).is_some()
    };
    let shared = case
        .fixtures
        .iter()
        .filter(|fixture| fixture.scope == "process");
    shared
        .into_iter()
        .any(|fixture| reaches(case, fixture, &overridden, &mut Vec::new()))
}

fn reaches(
    case: &Case,
    fixture: &Fixture,
    goal: &dyn Fn(&str) -> bool,
    seen: &mut Vec<String>,
) -> bool {
    fixture.deps.iter().any(|dep| {
        if goal(dep) {
            return true;
        }
        if seen.contains(dep) {
            return false;
        }
        seen.push(dep.clone());
        case.visible(dep, fixture.module.as_deref())
            .is_some_and(|next| reaches(case, next, goal, seen))
    })
}

fn width(fixture: &Fixture) -> u8 {
    match fixture.scope.as_str() {
        "process" => 2,
        "module" => 1,
        _ => 0,
    }
}
