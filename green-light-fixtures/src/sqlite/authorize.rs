//! What SQL may do on a connection that the next test will have.
//!
//! SQLite asks before it prepares a statement, for each thing that the statement is going to do. What is known to be
//! undone by a rollback, or to leave nothing, stands in the lists here. All else wears the connection: the next test
//! gets another one. A few pragmas set something in the whole process, where other tests run: they are refused.

use libsqlite3_sys::{
    SQLITE_DELETE, SQLITE_FUNCTION, SQLITE_INSERT, SQLITE_PRAGMA, SQLITE_READ, SQLITE_RECURSIVE,
    SQLITE_SAVEPOINT, SQLITE_SELECT, SQLITE_TRANSACTION, SQLITE_UPDATE,
};

/// What is to become of a connection after a statement, or of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A rollback undoes it, or there is nothing to undo.
    Clean,
    /// It begins or ends a transaction, which the hooks report.
    Transaction,
    /// It may leave something in the connection.
    Wears,
    /// It sets something in the whole process.
    Refused,
}

/// Pragmas that leave nothing if they are asked for nothing.
const READ: [&str; 41] = [
    "analysis_limit",
    "application_id",
    "auto_vacuum",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "collation_list",
    "compile_options",
    "defer_foreign_keys",
    "encoding",
    "foreign_key_check",
    "foreign_keys",
    "freelist_count",
    "fullfsync",
    "function_list",
    "hard_heap_limit",
    "ignore_check_constraints",
    "integrity_check",
    "journal_mode",
    "journal_size_limit",
    "legacy_alter_table",
    "locking_mode",
    "max_page_count",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "query_only",
    "quick_check",
    "read_uncommitted",
    "recursive_triggers",
    "schema_version",
    "secure_delete",
    "soft_heap_limit",
    "synchronous",
    "table_list",
    "temp_store",
    "user_version",
];

/// Pragmas that leave nothing, whatever they are asked for: about a table or an index, or ignored in a transaction.
const READ_ABOUT: [&str; 10] = [
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_xinfo",
];

/// Pragmas that set something in the whole process.
const PROCESS_WIDE: [&str; 4] = [
    "data_store_directory",
    "hard_heap_limit",
    "soft_heap_limit",
    "temp_store_directory",
];

/// Functions that leave nothing and are no part of SQLite's core: those of its full-text search and its trees, and one
/// of sqlx.
const FUNCTIONS: [&str; 11] = [
    "bm25",
    "fts5_source_id",
    "highlight",
    "match",
    "matchinfo",
    "offsets",
    "regexp",
    "rtreedepth",
    "rtreenode",
    "snippet",
    "rtreecheck",
];

/// The function of SQLite's core that leaves something.
const LOADS: &str = "load_extension";

/// What SQLite asks about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) action: i32,
    pub(crate) first: Option<&'a str>,
    pub(crate) second: Option<&'a str>,
    /// Whether it concerns the database of the test, not a temporary one.
    pub(crate) is_main: bool,
}

impl Deed<'_> {
    /// What becomes of it. `is_builtin` knows the functions of SQLite's core.
    pub(crate) fn verdict(self, is_builtin: impl FnOnce(&str) -> bool) -> Verdict {
        match self.action {
            SQLITE_SELECT | SQLITE_RECURSIVE | SQLITE_SAVEPOINT => Verdict::Clean,
            // A pragma that is asked as a table stays known to the connection.
            SQLITE_READ if self.first.is_some_and(|table| table.starts_with("pragma_")) => {
                Verdict::Wears
            }
            SQLITE_READ => Verdict::Clean,
            // Into the schema itself goes a definition.
            SQLITE_INSERT | SQLITE_UPDATE | SQLITE_DELETE
                if self.is_main && !self.first.is_some_and(is_about_schema) =>
            {
                Verdict::Clean
            }
            SQLITE_TRANSACTION => Verdict::Transaction,
            SQLITE_FUNCTION => match self.second {
                Some(name) if FUNCTIONS.contains(&name) => Verdict::Clean,
                Some(name) if name != LOADS && is_builtin(name) => Verdict::Clean,
                _ => Verdict::Wears,
            },
            SQLITE_PRAGMA => self.of_pragma(),
            _ => Verdict::Wears,
        }
    }

    fn of_pragma(self) -> Verdict {
        let is_in = |names: &[&str]| {
            let name = self.first.unwrap_or_default();
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        match self.second {
            None if is_in(&READ) => Verdict::Clean,
            Some(_) if is_in(&READ_ABOUT) => Verdict::Clean,
            Some(_) if is_in(&PROCESS_WIDE) => Verdict::Refused,
            _ => Verdict::Wears,
        }
    }
}

/// Whether a table describes others, or how they are searched.
fn is_about_schema(table: &str) -> bool {
    table.starts_with("sqlite_") && table != "sqlite_sequence"
}

#[cfg(test)]
mod tests {
    use libsqlite3_sys::{SQLITE_ATTACH, SQLITE_CREATE_TEMP_TABLE};

    use super::*;

    fn verdict(action: i32, first: Option<&str>, second: Option<&str>) -> Verdict {
        let deed = Deed {
            action,
            first,
            second,
            is_main: true,
        };
        deed.verdict(|name| ["abs", LOADS].contains(&name))
    }

    #[test]
    fn what_is_not_known_wears() {
        let pragma = |name, value| verdict(SQLITE_PRAGMA, Some(name), value);
        assert_eq!(pragma("page_count", None), Verdict::Clean);
        assert_eq!(pragma("Query_Only", None), Verdict::Clean);
        assert_eq!(pragma("query_only", Some("1")), Verdict::Wears);
        assert_eq!(pragma("table_info", Some("u")), Verdict::Clean);
        assert_eq!(pragma("foreign_keys", Some("off")), Verdict::Clean);
        assert_eq!(pragma("invented_tomorrow", None), Verdict::Wears);
        assert_eq!(pragma("optimize", None), Verdict::Wears);
        assert_eq!(pragma("SOFT_heap_limit", Some("1")), Verdict::Refused);
        let function = |name| verdict(SQLITE_FUNCTION, None, Some(name));
        assert_eq!(function("abs"), Verdict::Clean);
        assert_eq!(function("snippet"), Verdict::Clean);
        assert_eq!(function(LOADS), Verdict::Wears);
        assert_eq!(function("of_an_extension"), Verdict::Wears);
        assert_eq!(verdict(SQLITE_ATTACH, Some("f"), None), Verdict::Wears);
        assert_eq!(
            verdict(SQLITE_CREATE_TEMP_TABLE, Some("t"), None),
            Verdict::Wears
        );
        assert_eq!(verdict(4711, None, None), Verdict::Wears);
    }

    #[test]
    fn rows_of_the_test_are_clean_and_those_that_define_are_not() {
        for action in [SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE] {
            assert_eq!(verdict(action, Some("u"), None), Verdict::Clean);
            let sequence = Some("sqlite_sequence");
            assert_eq!(verdict(action, sequence, None), Verdict::Clean);
            assert_eq!(verdict(action, Some("sqlite_master"), None), Verdict::Wears);
            assert_eq!(verdict(action, Some("sqlite_stat1"), None), Verdict::Wears);
        }
        let temporary = Deed {
            action: SQLITE_INSERT,
            first: Some("t"),
            second: None,
            is_main: false,
        };
        assert_eq!(temporary.verdict(|_| true), Verdict::Wears);
    }

    #[test]
    fn lists_are_sorted_and_in_small_letters() {
        for names in [&READ[..], &READ_ABOUT, &PROCESS_WIDE] {
            assert!(names.is_sorted());
            assert!(names.iter().all(|name| *name == name.to_lowercase()));
        }
    }
}
