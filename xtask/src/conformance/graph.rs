//! A graph of fixtures and tests in the neutral format, and what pytest did with it.

use serde_json::Value;

/// One line of a `.jsonl` file of graphs.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The `mod` it is rendered to.
    pub(crate) ident: String,
    pub(crate) features: Vec<String>,
    pub(crate) modules: Vec<String>,
    pub(crate) fixtures: Vec<Fixture>,
    pub(crate) tests: Vec<Test>,
    /// The events of pytest, in libtest's order, without the plan; `None` if it was not asked.
    pub(crate) trace: Option<Vec<Value>>,
}

pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) module: Option<String>,
    pub(crate) scope: String,
    pub(crate) autouse: bool,
    pub(crate) deps: Vec<String>,
    pub(crate) has_teardown: bool,
    pub(crate) fails_in: String,
    pub(crate) finalizers: u64,
    pub(crate) dynamic: Vec<String>,
}

pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) requests: Vec<String>,
    pub(crate) uses: Vec<String>,
    pub(crate) dynamic: Vec<String>,
    pub(crate) fails: bool,
    pub(crate) skips: bool,
    pub(crate) xfail: String,
}

impl Case {
    /// Reads one line.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let graph = &json["graph"];
        let trace = if json["libtest_trace"].is_null() {
            &json["trace"]
        } else {
            &json["libtest_trace"]
        };
        let name = text(&graph["name"]);
        let ident: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        Ok(Self {
            ident: format!("g_{ident}"),
            name,
            features: texts(&graph["features"]),
            modules: texts(&graph["modules"]),
            fixtures: list(&graph["fixtures"])
                .iter()
                .map(Fixture::parse)
                .collect(),
            tests: list(&graph["tests"]).iter().map(Test::parse).collect(),
            trace: if trace.is_null() {
                None
            } else {
                Some(events(trace)?)
            },
        })
    }

    pub(crate) fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|has| has == feature)
    }

    /// The definitions of `name` in sight of `module`, furthest first.
    pub(crate) fn definitions(&self, name: &str, module: Option<&str>) -> Vec<&Fixture> {
        let levels = [None, module];
        let levels = if module.is_none() {
            &levels[..1]
        } else {
            &levels[..]
        };
        let at = |level: &Option<&str>| {
            self.fixtures
                .iter()
                .find(|fixture| fixture.name == name && fixture.module.as_deref() == *level)
        };
        levels.iter().filter_map(at).collect()
    }

    /// The nearest of them.
    pub(crate) fn visible(&self, name: &str, module: Option<&str>) -> Option<&Fixture> {
        self.definitions(name, module).pop()
    }
}

impl Fixture {
    /// Wider scopes have larger numbers.
    pub(crate) fn width(&self) -> u8 {
        match self.scope.as_str() {
            "process" => 2,
            "module" => 1,
            _ => 0,
        }
    }

    fn parse(json: &Value) -> Self {
        Self {
            name: text(&json["name"]),
            module: json["module"].as_str().map(str::to_owned),
            scope: text(&json["scope"]),
            autouse: json["autouse"].as_bool().unwrap_or(false),
            deps: texts(&json["deps"]),
            has_teardown: json["has_teardown"].as_bool().unwrap_or(false),
            fails_in: json["fails_in"].as_str().unwrap_or("none").to_owned(),
            finalizers: json["finalizers"].as_u64().unwrap_or(0),
            dynamic: texts(&json["dynamic"]),
        }
    }
}

impl Test {
    pub(crate) fn full_name(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    fn parse(json: &Value) -> Self {
        Self {
            name: text(&json["name"]),
            module: text(&json["module"]),
            requests: texts(&json["requests"]),
            uses: texts(&json["uses"]),
            dynamic: texts(&json["dynamic"]),
            fails: json["fails"].as_bool().unwrap_or(false),
            skips: json["skips"].as_bool().unwrap_or(false),
            xfail: json["xfail"].as_str().unwrap_or("none").to_owned(),
        }
    }
}

/// The events of a trace, given as a list or as lines, without the plan.
pub(crate) fn events(trace: &Value) -> Result<Vec<Value>, String> {
    match trace {
        Value::Array(events) => Ok(events.clone()),
        Value::String(lines) => lines
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}")))
            .collect(),
        other => Err(format!("a trace is a list or text, not {other}")),
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn texts(json: &Value) -> Vec<String> {
    list(json).iter().map(text).collect()
}
