//! Why a graph need not agree with pytest. There are three reasons and no other.

use serde_json::Value;

use super::graph::{Case, Test};
use super::model::{self, Rules};

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
            if wanted.width() < fixture.width() {
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
        if overridden.is_some_and(|overridden| overridden.width() > fixture.width()) {
            return Some(format!(
                "compile error (51): the override of `{}` is narrower",
                fixture.name
            ));
        }
    }
    for test in &case.tests {
        let asked = test.requests.iter().chain(&test.uses).chain(&test.dynamic);
        for name in asked {
            if case.visible(name, Some(&test.module)).is_none() {
                return Some(format!(
                    "compile error (55, 57): `{}` cannot name `{name}`",
                    test.name
                ));
            }
        }
    }
    None
}

/// Why green-light is expected to differ from pytest in `case`; `None` if it is not.
pub(crate) fn of_difference(
    case: &Case,
    tests: &[&Test],
    as_pytest: &[Value],
    expected: &[Value],
) -> Option<String> {
    if as_pytest == expected {
        return None;
    }
    let differs = |rules| model::predict(case, tests, rules) != as_pytest;
    let overrides = differs(Rules {
        keeps_overrides_apart: true,
        ..Rules::PYTEST
    });
    let xfail = differs(Rules {
        xfail_spares_fixtures: true,
        ..Rules::PYTEST
    });
    let mut reasons = Vec::new();
    if overrides {
        reasons.push("better (52): an override is kept out of the shared values of other modules");
    }
    if xfail {
        reasons.push("better (84): the errors of fixtures are reported under `xfail`");
    }
    Some(format!("{}; the rest agrees", reasons.join("; ")))
}
