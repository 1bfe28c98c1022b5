//! A graph as green-light source, the way a user would write it.

use std::fmt::Write;

use super::graph::{Case, Fixture, Test};

/// What every rendered file begins with.
pub(crate) const PRELUDE: &str = r#"//! Rendered from graphs of fixtures; see `cargo xtask conformance --help`.
#![allow(unused, clippy::all)]

mod support {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The value of a fixture; its text names the definition and the instance.
    #[derive(Clone, Debug)]
    pub struct Value(pub String);

    #[derive(Debug)]
    pub struct Failed(pub String);

    impl std::fmt::Display for Failed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl std::error::Error for Failed {}

    pub struct Count(AtomicU32);

    impl Count {
        pub const fn new() -> Self {
            Self(AtomicU32::new(0))
        }

        pub fn next(&self, name: &str) -> Value {
            Value(format!("{name}#{}", self.0.fetch_add(1, Ordering::Relaxed) + 1))
        }
    }
}
"#;

/// The module of one graph.
pub(crate) fn module(case: &Case) -> String {
    let mut out = format!(
        "\nmod {} {{\n    use crate::support::*;\n    use green_light::prelude::*;\n",
        case.ident
    );
    for item in case
        .fixtures
        .iter()
        .filter(|fixture| fixture.module.is_none())
    {
        fixture(&mut out, case, item);
    }
    for module in &case.modules {
        let _ = writeln!(out, "    mod {module} {{\n    use super::*;");
        for item in case
            .fixtures
            .iter()
            .filter(|fixture| fixture.module.as_ref() == Some(module))
        {
            fixture(&mut out, case, item);
        }
        for item in case.tests.iter().filter(|test| test.module == *module) {
            test(&mut out, item);
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n");
    out
}

fn fixture(out: &mut String, case: &Case, fixture: &Fixture) {
    let overrides = fixture.module.is_some() && case.visible(&fixture.name, None).is_some();
    let mut options = vec![format!("scope = \"{}\"", fixture.scope)];
    if fixture.autouse {
        options.push("autouse".to_owned());
    }
    if overrides {
        options.push(format!("overrides = super::{}", fixture.name));
    }
    let mut parameters: Vec<String> = fixture
        .deps
        .iter()
        .map(|dep| {
            let from = if *dep == fixture.name {
                format!("#[from(super::{dep})] ")
            } else {
                String::new()
            };
            format!("{from}{dep}: &Value")
        })
        .collect();
    let wants_request = fixture.finalizers > 0 || !fixture.dynamic.is_empty();
    if wants_request {
        parameters.push("request: &Request".to_owned());
    }
    if fixture.has_teardown {
        parameters.push("out: Yield<Value>".to_owned());
    }
    let returns = if fixture.has_teardown {
        "Result<(), Failed>"
    } else {
        "Result<Value, Failed>"
    };
    let label = match &fixture.module {
        Some(module) => format!("{}@{module}", fixture.name),
        None => fixture.name.clone(),
    };
    let _ = writeln!(
        out,
        "    #[fixture({})]\n    async fn {}({}) -> {returns} {{\n        static COUNT: Count = Count::new();\n        let value = COUNT.next(\"{label}\");",
        options.join(", "),
        fixture.name,
        parameters.join(", "),
    );
    for _ in 0..fixture.finalizers {
        out.push_str("        request.on_teardown(async {});\n");
    }
    for name in &fixture.dynamic {
        let _ = writeln!(out, "        request.get(self::{name}).await;");
    }
    // Half of the failures are panics: the trace must be the same.
    let panics = case.name.bytes().last().is_some_and(|last| last % 2 == 1);
    let fail = |phase: &str| {
        if panics {
            format!("panic!(\"{phase} {{}}\", value.0)")
        } else {
            format!("return Err(Failed(format!(\"{phase} {{}}\", value.0)))")
        }
    };
    match fixture.fails_in.as_str() {
        "setup" => {
            let _ = writeln!(out, "        if true {{ {} }}", fail("setup"));
        }
        "skip" => out.push_str("        green_light::skip(&format!(\"setup {}\", value.0));\n"),
        _ => {}
    }
    if fixture.has_teardown {
        out.push_str("        out.give(value.clone()).await;\n");
        if fixture.fails_in == "teardown" {
            let _ = writeln!(out, "        if true {{ {} }}", fail("teardown"));
        }
        out.push_str("        Ok(())\n    }\n");
    } else {
        out.push_str("        Ok(value)\n    }\n");
    }
}

fn test(out: &mut String, test: &Test) {
    let mut options = Vec::new();
    if !test.uses.is_empty() {
        options.push(format!("uses({})", test.uses.join(", ")));
    }
    match test.xfail.as_str() {
        "xfail" => options.push("xfail".to_owned()),
        "strict" => options.push("xfail = \"strict\"".to_owned()),
        _ => {}
    }
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("({})", options.join(", "))
    };
    let mut parameters: Vec<String> = test
        .requests
        .iter()
        .map(|name| format!("{name}: &Value"))
        .collect();
    if !test.dynamic.is_empty() {
        parameters.push("request: &Request".to_owned());
    }
    let _ = writeln!(
        out,
        "    #[green_light::test{options}]\n    async fn {}({}) {{",
        test.name,
        parameters.join(", ")
    );
    for name in &test.dynamic {
        let _ = writeln!(out, "        request.get(self::{name}).await;");
    }
    if test.skips {
        let _ = writeln!(
            out,
            "        green_light::skip(\"call {}::{}\");",
            test.module, test.name
        );
    }
    if test.fails {
        let _ = writeln!(
            out,
            "        panic!(\"call {}::{}\");",
            test.module, test.name
        );
    }
    out.push_str("    }\n");
}
