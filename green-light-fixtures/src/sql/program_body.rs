//! Whether a `;` ends a statement, or stands in the body of the trigger, procedure, function, event or rule that the
//! statement defines.

use crate::sql::dialect::{Dialect, ProgramBody};

/// What has been seen of a statement so far, as far as it decides where the statement ends.
pub(crate) struct StatementReader {
    dialect: &'static dyn Dialect,
    kind: StatementKind,
    /// The first word, while the second one decides.
    first: Option<String>,
    /// Whether the last token was one that an account's name follows, as in `DEFINER = root`.
    is_name_next: bool,
}

enum StatementKind {
    Unknown,
    /// `CREATE`, but not yet of what.
    Definition,
    Program(Box<dyn ProgramBody>),
    WithoutBody,
}

impl StatementReader {
    pub(crate) fn new(dialect: &'static dyn Dialect) -> Self {
        Self {
            dialect,
            kind: StatementKind::Unknown,
            first: None,
            is_name_next: false,
        }
    }

    /// A `;`. Whether the statement ends here.
    pub(crate) fn semicolon(&mut self) -> bool {
        match &mut self.kind {
            StatementKind::Program(body) => body.semicolon(),
            _ => true,
        }
    }

    /// A word that is not quoted.
    pub(crate) fn word(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        let is_name = std::mem::take(&mut self.is_name_next);
        let body = match (&mut self.kind, self.first.take()) {
            (StatementKind::WithoutBody, _) => return,
            (StatementKind::Program(body), _) => return body.word(&word),
            (StatementKind::Definition, _) if is_name || is_before_object(&word) => return,
            (StatementKind::Definition, _) => self.dialect.program(&word),
            (StatementKind::Unknown, Some(first)) => self.dialect.block(&first, &word),
            (StatementKind::Unknown, None) if self.dialect.defines_by(&word) => {
                self.kind = StatementKind::Definition;
                return;
            }
            (StatementKind::Unknown, None) => {
                self.first = Some(word);
                return;
            }
        };
        self.kind = body.map_or(StatementKind::WithoutBody, StatementKind::Program);
    }

    /// Anything else that is not blank.
    pub(crate) fn other(&mut self, text: &str) {
        self.is_name_next = matches!(text, "=" | "@");
        match &mut self.kind {
            StatementKind::Program(body) => body.other(text),
            kind @ StatementKind::Unknown => *kind = StatementKind::WithoutBody,
            StatementKind::Definition | StatementKind::WithoutBody => {}
        }
    }
}

/// Whether `word` may stand between `CREATE` and the kind of object.
fn is_before_object(word: &str) -> bool {
    matches!(
        word,
        "OR" | "REPLACE"
            | "TEMP"
            | "TEMPORARY"
            | "AGGREGATE"
            | "CONSTRAINT"
            | "DEFINER"
            | "CURRENT_USER"
            | "CURRENT_ROLE"
    )
}
