//! The blocks of a program of MySQL or MariaDB, by the words that open and close them.
//!
//! Some of the words are also functions (`IF`, `REPEAT`) or clauses (`FOR`): they open a block only where a statement can
//! begin.

use crate::sql::dialect::ProgramBody;

/// In the place of the last word, after the kind of the program.
const KIND: &str = "KIND";

/// The blocks that are open, and whether a statement can begin.
#[derive(Default)]
pub(crate) struct Blocks {
    open: Vec<Block>,
    /// Whether the next word can be the first one of a statement.
    start: bool,
    /// Whether the body has not begun: parameters, the event of a trigger, characteristics.
    header: bool,
    /// Whether the last word was an `END` that closed a block.
    end: bool,
    /// Whether the next token is the name of another trigger.
    name: bool,
    /// Open parentheses.
    parentheses: usize,
    last: String,
}

#[derive(PartialEq)]
enum Block {
    Statements,
    /// `CASE` as an expression, in which `THEN` and `ELSE` begin none.
    Expression,
}

impl Blocks {
    /// Those of a program of which the kind has just been read, such as `PROCEDURE`. Its header follows.
    pub(crate) fn of_program() -> Self {
        Self {
            header: true,
            last: KIND.to_owned(),
            ..Self::default()
        }
    }

    /// Those in a block that has just been opened.
    pub(crate) fn of_block() -> Self {
        let mut blocks = Self::default();
        blocks.begin();
        blocks
    }

    fn begin(&mut self) {
        self.open.push(Block::Statements);
        self.start = true;
    }
}

impl ProgramBody for Blocks {
    fn semicolon(&mut self) -> bool {
        self.end = false;
        self.start = true;
        self.open.is_empty()
    }

    fn word(&mut self, word: &str) {
        let last = std::mem::replace(&mut self.last, word.to_owned());
        let start = std::mem::take(&mut self.start);
        if std::mem::take(&mut self.name) {
            self.start = true;
            return;
        }
        if std::mem::take(&mut self.end) && is_named_by_end(word) {
            return;
        }
        // `CREATE PROCEDURE IF NOT EXISTS`.
        let body = self.header && self.parentheses == 0 && last != KIND;
        match word {
            "BEGIN" => {
                self.header = false;
                self.begin();
            }
            "IF" | "WHILE" | "FOR" if start || body => {
                self.header = false;
                self.open.push(Block::Statements);
            }
            "LOOP" | "REPEAT" if start || body => {
                self.header = false;
                self.begin();
            }
            "CASE" => {
                let statement = start || body;
                self.header = false;
                self.open.push(if statement {
                    Block::Statements
                } else {
                    Block::Expression
                });
            }
            "THEN" | "ELSE" => self.start = self.open.last() != Some(&Block::Expression),
            // `DO` is also a statement, which an expression follows.
            "DO" => self.start = !start,
            "ROW" => self.start = last == "EACH",
            "FOLLOWS" | "PRECEDES" => self.name = start,
            "SQLEXCEPTION" | "SQLWARNING" | "FOUND" => self.start = true,
            "END" => self.end = self.open.pop().is_some(),
            _ if self.parentheses == 0 && begins_a_body(word, &last) => self.header = false,
            _ => {}
        }
    }

    fn other(&mut self, text: &str) {
        self.end = false;
        // The name of a trigger may be quoted.
        self.start = text == ":" || std::mem::take(&mut self.name);
        match text {
            "(" => self.parentheses += 1,
            ")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
    }
}

/// Whether `END` may be followed by `word`, which then belongs to it.
fn is_named_by_end(word: &str) -> bool {
    matches!(word, "IF" | "LOOP" | "WHILE" | "REPEAT" | "FOR" | "CASE")
}

/// Whether `word` is a statement by itself that can be the whole body of a program. Those of a trigger's
/// event end its header as well, and `EACH ROW` says where its body begins.
fn begins_a_body(word: &str, last: &str) -> bool {
    match word {
        // `CHARACTER SET utf8mb4` is part of a type.
        "SET" => last != "CHARACTER",
        "RETURN" | "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "CALL" | "WITH"
        | "VALUES" | "TABLE" | "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "EXECUTE" | "PREPARE"
        | "ON" => true,
        _ => false,
    }
}
