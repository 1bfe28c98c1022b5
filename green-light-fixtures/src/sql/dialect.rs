//! What differs between databases in their SQL, as text.

use std::{collections::HashSet, fmt};

use crate::backend::Backend;
use crate::sql::lexer::LexerRules;

/// Says of a text that it is a command of the database's command line program.
pub(crate) const NOT_SQL: &str = "is not SQL";

/// The SQL of one database.
pub(crate) trait Dialect: fmt::Debug + Send + Sync {
    fn backend(&self) -> Backend;

    /// How its tokens look.
    fn lexer(&self) -> &'static LexerRules;

    /// The body of what `CREATE object ..` defines, if it can have a `;` that is in no quotes.
    fn program(&self, object: &str) -> Option<Box<dyn ProgramBody>>;

    /// Whether statements that begin with `word` define an object, which is named next.
    fn defines_by(&self, word: &str) -> bool {
        word == "CREATE"
    }

    /// The body of a statement that begins with these two words and is a block by itself.
    fn block(&self, _first: &str, _second: &str) -> Option<Box<dyn ProgramBody>> {
        None
    }

    /// Why the statement with which `text` begins is not run: the fact, which follows the statement in a sentence, and
    /// what to do.
    fn reject(&self, text: &str) -> Option<Rejection>;

    /// What to do about a statement of a script that was refused with `message`, if there is more to say than that it is
    /// wrong.
    fn refusal_help(&self, _message: &str) -> Option<&'static str> {
        None
    }

    /// A statement of a schema in words that can run again on the same server, if it makes what belongs to the server.
    fn repeatable(&self, _statement: &str) -> Option<String> {
        None
    }

    /// The length of a command of a client at the beginning of `text` that can be left out.
    fn ignorable(&self, _text: &str) -> Option<usize> {
        None
    }

    /// The delimiter that a command of a client at the beginning of `text` sets, and the length of the command.
    fn delimiter<'a>(&self, _text: &'a str) -> Option<(&'a str, usize)> {
        None
    }

    /// Whether a text may have a statement that ends the transaction it is sent in.
    fn ends_transaction(&self, sql: &str) -> bool {
        // The words may stand in quotes.
        let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|word| {
            ["commit", "end", "rollback", "abort", "prepare"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        })
    }

    /// Whether a text may leave something in its session that no rollback takes away.
    fn dirties_session(&self, _sql: &str) -> bool {
        false
    }

    /// Whether a text may set the next number of one of `columns`, so that a rollback does not set it back.
    fn may_move_counters(&self, _sql: &str, _columns: &CountedColumns) -> bool {
        false
    }

    /// Whether a text may leave something in its session that no rollback takes away, where `suspects` are the
    /// functions of the database of which it is not known that they leave nothing.
    fn may_leave_traces(&self, _sql: &str, _suspects: &HashSet<Box<str>>) -> bool {
        false
    }

    /// The settings of its session that a text sets, where green-light puts them back.
    fn settings_set(&self, _sql: &str) -> SettingsSet {
        SettingsSet::default()
    }

    /// Whether a text searches in an index that has no rows of the transaction in which it is sent.
    fn searches_committed_rows(&self, _sql: &str) -> bool {
        false
    }

    /// Whether who knows the URL of a test's database can commit to it.
    fn others_may_commit(&self) -> bool {
        self.ddl_commits()
    }

    /// Whether statements that define something end the transaction they are sent in.
    fn ddl_commits(&self) -> bool {
        false
    }
}

/// The settings that statements set, by their names in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    dead_code,
    reason = "only some databases have settings that end with a transaction"
)]
pub(crate) struct SettingsSet {
    /// Whether any was set, even one whose name is not known.
    pub(crate) any: bool,
    /// Those that were named.
    pub(crate) named: Vec<String>,
    /// Those of them that stay when the transaction is committed; `*` stands for all.
    pub(crate) lasting: Vec<String>,
}

#[allow(
    dead_code,
    reason = "only some databases have settings that end with a transaction"
)]
impl SettingsSet {
    pub(crate) fn add(&mut self, more: Self) {
        self.any |= more.any;
        self.named.extend(more.named);
        self.lasting.extend(more.lasting);
    }

    /// Whether `name` stays as it was set.
    pub(crate) fn lasts(&self, name: &str) -> bool {
        let is_it = |lasting: &String| lasting == "*" || lasting.eq_ignore_ascii_case(name);
        self.lasting.iter().any(is_it)
    }
}

/// The columns of a database that the server numbers.
#[derive(Debug, Default)]
#[allow(
    dead_code,
    reason = "only some databases have columns whose numbers a rollback leaves"
)]
pub(crate) struct CountedColumns {
    /// Their names, in small letters.
    pub(crate) names: Vec<String>,
    /// Whether any row that is written may use up the numbers: there are few of them, or a trigger writes rows.
    pub(crate) by_any_row: bool,
}

/// Why a statement is not run.
pub(crate) struct Rejection {
    /// Follows the statement in a sentence.
    pub(crate) fact: &'static str,
    pub(crate) help: &'static str,
}

/// Follows the body of a trigger, a procedure or a rule, to tell where the statement ends that defines it.
pub(crate) trait ProgramBody {
    /// A `;`. Whether the statement ends here.
    fn semicolon(&mut self) -> bool;

    /// A word that is not quoted, in upper case.
    fn word(&mut self, word: &str);

    /// Anything else that is not blank.
    fn other(&mut self, text: &str);
}
