//! Whether a `;` ends a statement, or stands in the body of the trigger, procedure, function, event or
//! rule that the statement makes.
//!
//! Each database has its own bodies. SQLite's triggers end with `END;` after a `;`, as `sqlite3` itself
//! tells. PostgreSQL quotes bodies, but for `BEGIN ATOMIC .. END` and the parentheses of rules. MySQL
//! nests blocks, some of whose words are also functions (`IF`, `REPEAT`) or clauses (`FOR`): they open a
//! block only where a statement can begin.

use crate::backend::Backend;

use crate::sql::mysql_blocks::Blocks;

/// What has been seen of a statement so far, as far as it decides where it ends.
pub(crate) struct Body {
    dialect: Backend,
    made: Made,
    /// Whether the last token was one that an account's name follows, as in `DEFINER = root`.
    name: bool,
    /// Whether the last word was `BEGIN`.
    begin: bool,
    /// Open parentheses of a rule, or `BEGIN ATOMIC` and `CASE` that wait for their `END`.
    depth: usize,
    /// What of `; END ;` has been seen of a trigger of SQLite.
    tail: Tail,
    blocks: Blocks,
}

/// What a statement makes.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    /// No word yet.
    Nothing,
    /// `CREATE`, but not yet what.
    Something,
    Program,
    Rule,
    /// What has no body.
    Other,
}

#[derive(Clone, Copy, PartialEq)]
enum Tail {
    No,
    Semicolon,
    End,
}

impl Body {
    pub(crate) fn new(dialect: Backend) -> Self {
        Self {
            dialect,
            made: Made::Nothing,
            name: false,
            begin: false,
            depth: 0,
            tail: Tail::No,
            blocks: Blocks::default(),
        }
    }

    /// A `;`. Whether the statement ends here.
    pub(crate) fn semicolon(&mut self) -> bool {
        match (self.made, self.dialect) {
            (Made::Program, Backend::Sqlite) => {
                let ends = self.tail == Tail::End;
                self.tail = Tail::Semicolon;
                ends
            }
            (Made::Program, Backend::MySql) => self.blocks.semicolon(),
            _ => self.depth == 0,
        }
    }

    pub(crate) fn word(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        let name = std::mem::take(&mut self.name);
        let begin = std::mem::replace(&mut self.begin, word == "BEGIN");
        match (self.made, self.dialect) {
            (Made::Nothing, Backend::MySql) if word == "ALTER" => self.made = Made::Something,
            // MariaDB runs blocks outside of programs: `BEGIN NOT ATOMIC .. END`.
            (Made::Nothing, Backend::MySql) if word == "BEGIN" => self.begin = true,
            (Made::Nothing, Backend::MySql) if begin && word == "NOT" => {
                self.made = Made::Program;
                self.blocks.begin();
            }
            (Made::Nothing, _) if word == "CREATE" => self.made = Made::Something,
            (Made::Nothing, _) => self.made = Made::Other,
            (Made::Something, _) if !name => self.make(&word),
            (Made::Program, Backend::Sqlite) => {
                let ends = self.tail == Tail::Semicolon && word == "END";
                self.tail = if ends { Tail::End } else { Tail::No };
            }
            (Made::Program, Backend::MySql) => self.blocks.word(&word),
            (Made::Program, _) => match &*word {
                "ATOMIC" if begin => self.depth += 1,
                "CASE" if self.depth > 0 => self.depth += 1,
                "END" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
    }

    /// What follows `CREATE`.
    fn make(&mut self, word: &str) {
        let (mysql, postgres) = (
            self.dialect == Backend::MySql,
            self.dialect == Backend::Postgres,
        );
        self.made = match word {
            "OR" | "REPLACE" | "TEMP" | "TEMPORARY" | "AGGREGATE" | "CONSTRAINT" | "DEFINER"
            | "CURRENT_USER" | "CURRENT_ROLE" => return,
            "TRIGGER" if !postgres => Made::Program,
            "PROCEDURE" | "FUNCTION" if self.dialect != Backend::Sqlite => Made::Program,
            "EVENT" if mysql => Made::Program,
            "PACKAGE" if mysql => {
                self.blocks.begin();
                Made::Program
            }
            "RULE" if postgres => Made::Rule,
            _ => Made::Other,
        };
        self.blocks.kind();
    }

    /// Anything else that is not blank.
    pub(crate) fn other(&mut self, text: &str) {
        self.name = matches!(text, "=" | "@");
        self.begin = false;
        self.tail = Tail::No;
        match (self.made, text) {
            (Made::Nothing, _) => self.made = Made::Other,
            (Made::Rule, "(") => self.depth += 1,
            (Made::Rule, ")") => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.blocks.other(text);
    }
}
