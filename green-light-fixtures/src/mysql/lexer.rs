//! The tokens of MySQL and MariaDB.

use crate::sql::lexer::LexerRules;

pub(crate) static RULES: LexerRules = LexerRules {
    nested_comments: false,
    dashes_need_space: true,
    hash_comments: true,
    conditional_comments: true,
    backslash_escapes: true,
    escape_strings: false,
    dollar_quotes: false,
    backtick_names: true,
    bracket_names: false,
};
