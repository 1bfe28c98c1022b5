//! One thing that was found.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) topic: Topic,
    pub(crate) level: Level,
    pub(crate) fact: String,
    /// What helps; none where all is well.
    pub(crate) help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topic {
    Dependencies,
    Variables,
    Directory,
    Databases,
}

impl Topic {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dependencies => "dependencies",
            Self::Variables => "variables",
            Self::Directory => "directory",
            Self::Databases => "databases",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Good,
    /// Tests run, but something is worth knowing.
    Note,
    /// Tests cannot run, or not all of them.
    Problem,
}

impl Finding {
    pub(crate) fn good(topic: Topic, fact: impl Into<String>) -> Self {
        Self {
            topic,
            level: Level::Good,
            fact: fact.into(),
            help: None,
        }
    }

    pub(crate) fn note(topic: Topic, fact: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            level: Level::Note,
            help: Some(help.into()),
            ..Self::good(topic, fact)
        }
    }

    pub(crate) fn problem(topic: Topic, fact: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            level: Level::Problem,
            ..Self::note(topic, fact, help)
        }
    }

    /// A problem in the words of green-light: the fact, then a line that begins with `help:`.
    pub(crate) fn told(topic: Topic, text: &str) -> Self {
        match text.split_once("\n  help: ") {
            Some((fact, help)) => Self::problem(topic, fact, help),
            None => Self::problem(topic, text, "read what it says; nothing more is known here"),
        }
    }
}
