//! Which statements, triggers, functions and views are known to leave nothing in a session of MySQL.
//!
//! A statement is clean if it is of a kind that changes rows alone, or nothing, and if all that it calls is on
//! [`FUNCTIONS`]. Everything else is taken to leave something: a variable, a lock, a temporary table.

use crate::mysql::lexer::RULES;
use crate::sql::classify::{is, words};
use crate::sql::lexer::{Kind, tokens};
use crate::sql::split::pieces;

/// First words of statements that leave nothing by themselves but what a rollback takes away.
const CLEAN: [&str; 17] = [
    "delete",
    "desc",
    "describe",
    "do",
    "explain",
    "help",
    "insert",
    "release",
    "replace",
    "rollback",
    "savepoint",
    "select",
    "show",
    "table",
    "update",
    "values",
    "with",
];

/// Words before a parenthesis that call nothing, in the order of the alphabet.
const KEYWORDS: &[&str] = &[
    "against",
    "all",
    "and",
    "any",
    "as",
    "between",
    "bigint",
    "binary",
    "bit",
    "blob",
    "by",
    "case",
    "char",
    "character",
    "columns",
    "constraint",
    "datetime",
    "dec",
    "decimal",
    "distinct",
    "div",
    "double",
    "duplicate",
    "else",
    "elseif",
    "end",
    "enum",
    "escape",
    "except",
    "exists",
    "fixed",
    "float",
    "for",
    "from",
    "having",
    "in",
    "index",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "lateral",
    "like",
    "limit",
    "match",
    "mediumint",
    "mod",
    "nchar",
    "not",
    "numeric",
    "nvarchar",
    "of",
    "offset",
    "on",
    "or",
    "over",
    "partition",
    "real",
    "regexp",
    "return",
    "returning",
    "rlike",
    "row",
    "rows",
    "select",
    "set",
    "signed",
    "smallint",
    "some",
    "straight_join",
    "table",
    "text",
    "then",
    "time",
    "timestamp",
    "tinyint",
    "union",
    "unsigned",
    "until",
    "update",
    "using",
    "value",
    "values",
    "varbinary",
    "varchar",
    "when",
    "where",
    "while",
    "with",
    "xor",
];

/// Functions that leave nothing in a session, in the order of the alphabet. Those that set locks, sequences or
/// variables are missing. `last_insert_id(5)` leaves what the end of each test sets back.
const FUNCTIONS: &[&str] = &[
    "abs",
    "acos",
    "add_months",
    "adddate",
    "addtime",
    "aes_decrypt",
    "aes_encrypt",
    "any_value",
    "ascii",
    "asin",
    "atan",
    "atan2",
    "avg",
    "benchmark",
    "bin",
    "bin_to_uuid",
    "bit_and",
    "bit_count",
    "bit_length",
    "bit_or",
    "bit_xor",
    "cast",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "charset",
    "chr",
    "coalesce",
    "coercibility",
    "collation",
    "column_add",
    "column_check",
    "column_create",
    "column_delete",
    "column_exists",
    "column_get",
    "column_json",
    "column_list",
    "compress",
    "concat",
    "concat_ws",
    "connection_id",
    "conv",
    "convert",
    "convert_tz",
    "cos",
    "cot",
    "count",
    "crc32",
    "crc32c",
    "cume_dist",
    "curdate",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "curtime",
    "database",
    "date",
    "date_add",
    "date_format",
    "date_sub",
    "datediff",
    "day",
    "dayname",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "decode",
    "decode_oracle",
    "default",
    "degrees",
    "dense_rank",
    "elt",
    "encode",
    "encrypt",
    "exp",
    "export_set",
    "extract",
    "extractvalue",
    "field",
    "find_in_set",
    "first_value",
    "floor",
    "format",
    "format_bytes",
    "format_pico_time",
    "found_rows",
    "from_base64",
    "from_days",
    "from_unixtime",
    "geometrycollection",
    "get_format",
    "greatest",
    "group_concat",
    "grouping",
    "hex",
    "hour",
    "if",
    "ifnull",
    "inet6_aton",
    "inet6_ntoa",
    "inet_aton",
    "inet_ntoa",
    "insert",
    "instr",
    "is_free_lock",
    "is_ipv4",
    "is_ipv4_compat",
    "is_ipv4_mapped",
    "is_ipv6",
    "is_used_lock",
    "is_uuid",
    "isnull",
    "json_array",
    "json_array_append",
    "json_array_insert",
    "json_array_intersect",
    "json_arrayagg",
    "json_compact",
    "json_contains",
    "json_contains_path",
    "json_depth",
    "json_detailed",
    "json_equals",
    "json_exists",
    "json_extract",
    "json_insert",
    "json_keys",
    "json_length",
    "json_loose",
    "json_merge",
    "json_merge_patch",
    "json_merge_preserve",
    "json_normalize",
    "json_object",
    "json_objectagg",
    "json_overlaps",
    "json_pretty",
    "json_query",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_schema_valid",
    "json_schema_validation_report",
    "json_search",
    "json_set",
    "json_storage_free",
    "json_storage_size",
    "json_table",
    "json_type",
    "json_unquote",
    "json_valid",
    "json_value",
    "lag",
    "last_day",
    "last_insert_id",
    "last_value",
    "lcase",
    "lead",
    "least",
    "left",
    "length",
    "lengthb",
    "linestring",
    "ln",
    "load_file",
    "localtime",
    "localtimestamp",
    "locate",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "make_set",
    "makedate",
    "maketime",
    "max",
    "mbrcontains",
    "mbrcoveredby",
    "mbrcovers",
    "mbrdisjoint",
    "mbrequals",
    "mbrintersects",
    "mbroverlaps",
    "mbrtouches",
    "mbrwithin",
    "md5",
    "median",
    "member",
    "microsecond",
    "mid",
    "min",
    "minute",
    "mod",
    "month",
    "monthname",
    "months_between",
    "multilinestring",
    "multipoint",
    "multipolygon",
    "name_const",
    "natural_sort_key",
    "now",
    "nth_value",
    "ntile",
    "nullif",
    "nvl",
    "nvl2",
    "oct",
    "octet_length",
    "old_password",
    "ord",
    "password",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "period_add",
    "period_diff",
    "pi",
    "point",
    "polygon",
    "position",
    "pow",
    "power",
    "quarter",
    "quote",
    "radians",
    "rand",
    "random_bytes",
    "rank",
    "regexp_instr",
    "regexp_like",
    "regexp_replace",
    "regexp_substr",
    "repeat",
    "replace",
    "reverse",
    "right",
    "roles_graphml",
    "round",
    "row_count",
    "row_number",
    "rpad",
    "rtrim",
    "schema",
    "sec_to_time",
    "second",
    "session_user",
    "sformat",
    "sha",
    "sha1",
    "sha2",
    "sign",
    "sin",
    "sleep",
    "soundex",
    "space",
    "sqrt",
    "st_area",
    "st_asbinary",
    "st_asgeojson",
    "st_astext",
    "st_aswkb",
    "st_aswkt",
    "st_boundary",
    "st_buffer",
    "st_centroid",
    "st_contains",
    "st_convexhull",
    "st_crosses",
    "st_difference",
    "st_dimension",
    "st_disjoint",
    "st_distance",
    "st_distance_sphere",
    "st_endpoint",
    "st_envelope",
    "st_equals",
    "st_exteriorring",
    "st_geohash",
    "st_geometryn",
    "st_geometrytype",
    "st_geomfromgeojson",
    "st_geomfromtext",
    "st_geomfromwkb",
    "st_interiorringn",
    "st_intersection",
    "st_intersects",
    "st_isclosed",
    "st_isempty",
    "st_isring",
    "st_issimple",
    "st_isvalid",
    "st_latitude",
    "st_length",
    "st_longitude",
    "st_numgeometries",
    "st_numinteriorrings",
    "st_numpoints",
    "st_overlaps",
    "st_pointfromtext",
    "st_pointn",
    "st_pointonsurface",
    "st_relate",
    "st_simplify",
    "st_srid",
    "st_startpoint",
    "st_swapxy",
    "st_symdifference",
    "st_touches",
    "st_transform",
    "st_union",
    "st_validate",
    "st_within",
    "st_x",
    "st_y",
    "statement_digest",
    "statement_digest_text",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "str_to_date",
    "strcmp",
    "subdate",
    "substr",
    "substring",
    "substring_index",
    "subtime",
    "sum",
    "sysdate",
    "system_user",
    "tan",
    "time_format",
    "time_to_sec",
    "timediff",
    "timestampadd",
    "timestampdiff",
    "to_base64",
    "to_char",
    "to_days",
    "to_seconds",
    "trim",
    "trim_oracle",
    "truncate",
    "ucase",
    "uncompress",
    "uncompressed_length",
    "unhex",
    "unix_timestamp",
    "updatexml",
    "upper",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "uuid",
    "uuid_short",
    "uuid_to_bin",
    "validate_password_strength",
    "var_pop",
    "var_samp",
    "variance",
    "version",
    "week",
    "weekday",
    "weekofyear",
    "weight_string",
    "year",
    "yearweek",
];

/// Words between `INSERT` and the name of its table.
const INSERT_OPTIONS: [&str; 5] = ["delayed", "high_priority", "ignore", "into", "low_priority"];

/// Whether a text may leave something in its session that no rollback takes away.
pub(crate) fn may_leave(sql: &str) -> bool {
    pieces(sql, &RULES).any(|statement| {
        let first = words(statement).next().unwrap_or_default();
        if first.is_empty() {
            return false;
        }
        !CLEAN.iter().any(|known| is(first, known)) || may_call(statement)
    })
}

/// Whether the body of a trigger or a function, or the query of a view, may leave something in the session that uses
/// it. What such a body cannot have is not looked for: the server refuses there what commits, and what prepares.
pub(crate) fn program_may_leave(body: &str) -> bool {
    may_call(body) || may_set(body)
}

/// Whether the body of a trigger or a function may write rows, and so use up numbers.
pub(crate) fn program_may_write(body: &str) -> bool {
    let mut tokens = tokens(body, &RULES);
    tokens.any(|(_, token)| {
        ["insert", "replace", "update"]
            .iter()
            .any(|word| is(token, word))
    })
}

/// Whether it has something that is neither a name, nor a word of SQL, nor a call of a known function.
fn may_call(sql: &str) -> bool {
    const NEVER: [&str; 2] = ["call", "temporary"];
    // The places of an `INSERT` up to the parenthesis with its columns.
    let mut insert = None;
    let (mut before, mut last) = ("", "");
    for (_, token) in tokens(sql, &RULES) {
        if token == "@" || NEVER.iter().any(|word| is(token, word)) {
            return true;
        }
        if token == "("
            && is_name(last)
            && insert.is_none_or(|header: InsertHeader| !header.is_named())
        {
            let is_known = before != "." && is_any_of(last, &[KEYWORDS, FUNCTIONS]);
            if !is_known {
                return true;
            }
        }
        insert = match insert {
            _ if is(token, "insert") || is(token, "replace") => Some(InsertHeader::default()),
            Some(header) => header.after(token),
            None => None,
        };
        (before, last) = (last, token);
    }
    false
}

/// What came after `INSERT`: words of its own, and the name of a table.
#[derive(Clone, Copy, Default)]
struct InsertHeader {
    has_name: bool,
    ends_with_dot: bool,
}

impl InsertHeader {
    fn is_named(self) -> bool {
        self.has_name && !self.ends_with_dot
    }

    fn after(self, token: &str) -> Option<Self> {
        match () {
            () if !self.has_name && INSERT_OPTIONS.iter().any(|word| is(token, word)) => Some(self),
            () if self.is_named() && token == "." => Some(Self {
                ends_with_dot: true,
                ..self
            }),
            () if !self.is_named() && is_name(token) => Some(Self {
                has_name: true,
                ends_with_dot: false,
            }),
            () => None,
        }
    }
}

/// Whether it has a `SET` that is not known to set a column, or a variable of the body itself.
fn may_set(body: &str) -> bool {
    let all: Vec<_> = tokens(body, &RULES).collect();
    let own = own_variables(&all);
    // Whether the next `SET` belongs to a statement that writes rows, or to an error.
    let mut is_of_rows = false;
    let mut at = 0;
    while let Some((kind, token)) = all.get(at) {
        at += 1;
        let begins = ["then", "else", "begin", "do", "loop", "repeat"];
        let writes = ["insert", "update", "replace", "signal", "resignal"];
        if *kind == Kind::Semicolon || begins.iter().any(|word| is(token, word)) {
            is_of_rows = false;
        } else if writes.iter().any(|word| is(token, word)) {
            is_of_rows = true;
        } else if is(token, "set") && !is_of_rows {
            match targets_are_own(&all[at..], &own) {
                Some(length) => at += length,
                None => return true,
            }
        }
    }
    false
}

/// The variables that the outermost block of a body declares.
fn own_variables<'a>(all: &[(Kind, &'a str)]) -> Vec<&'a str> {
    let mut depth = 0_usize;
    let mut own = Vec::new();
    let mut tokens = all.iter().peekable();
    while let Some((_, token)) = tokens.next() {
        let next = tokens.peek().map_or("", |(_, next)| *next);
        match () {
            () if is(token, "begin") || is(token, "case") => depth += 1,
            () if is(token, "end") => {
                let is_of_another = ["if", "loop", "while", "repeat", "for"];
                if !is_of_another.iter().any(|word| is(next, word)) {
                    depth = depth.saturating_sub(1);
                }
                if is(next, "case") {
                    tokens.next();
                }
            }
            () if is(token, "declare") && depth == 1 => {
                while let Some((_, name)) = tokens.next() {
                    own.push(*name);
                    if tokens.peek().is_none_or(|(_, next)| *next != ",") {
                        break;
                    }
                    tokens.next();
                }
            }
            () => {}
        }
    }
    own
}

/// How many tokens a `SET` takes after its first word, if it sets columns of the new row and the variables `own` only.
fn targets_are_own(all: &[(Kind, &str)], own: &[&str]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (_, name) = all.get(at)?;
        let (_, next) = all.get(at + 1)?;
        let is_own = match is(name, "new") {
            true => *next == ".",
            false => own.iter().any(|own| is(name, own)) && [":", "="].contains(next),
        };
        if !is_own {
            return None;
        }
        let mut depth = 0_usize;
        loop {
            match all.get(at) {
                None | Some((Kind::Semicolon, _)) => return Some(at),
                Some((_, "(")) => depth += 1,
                Some((_, ")")) => depth = depth.saturating_sub(1),
                Some((_, ",")) if depth == 0 => break,
                Some(_) => {}
            }
            at += 1;
        }
        at += 1;
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_' || first == '`')
}

/// Whether `word` is on one of the lists, each in the order of the alphabet.
fn is_any_of(word: &str, lists: &[&[&str]]) -> bool {
    let word = word.to_ascii_lowercase();
    lists.iter().any(|list| list.binary_search(&&*word).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order() {
        for list in [KEYWORDS, FUNCTIONS] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn knows_what_outlives_a_rollback() {
        for statement in [
            "SET foreign_key_checks = 0",
            "SELECT GET_LOCK('a', 1)",
            "SELECT `get_lock`('a', 1)",
            "SELECT 1 FROM u WHERE get_lock ('a', 1)",
            "INSERT INTO u SELECT get_lock('a', 1)",
            "INSERT u SELECT mine(1)",
            "INSERT INTO u (email) VALUES (other.f())",
            "SELECT other.concat('a')",
            "CREATE TEMPORARY TABLE t (a int)",
            "SELECT 1 INTO @a",
            "SELECT @a := 1",
            "USE other",
            "PREPARE p FROM 'SELECT 1'",
            "EXECUTE IMMEDIATE 'SET SESSION sql_safe_updates = 1'",
            "IF 1 THEN SET SESSION sql_safe_updates = 1; END IF",
            "/*!40101 SET sql_mode = '' */",
            "DO GET_LOCK('a', 1)",
            "HANDLER u OPEN",
            "SELECT setval(s, 5)",
            "XA START 'a'",
        ] {
            assert!(may_leave(statement), "{statement}");
        }
        for statement in [
            "INSERT INTO u VALUES ('; set', 'temporary', 'a@b')",
            "INSERT INTO `u` (`email`) VALUES (?), (?) ON DUPLICATE KEY UPDATE `email` = VALUES(`email`)",
            "REPLACE LOW_PRIORITY shop.u (email) VALUES (upper('a'))",
            "INSERT IGNORE `shop`.`u` (email) SELECT replace(email, 'a', 'b') FROM u",
            "SELECT `u`.`id` FROM `u` WHERE `u`.`id` IN (1, 2) AND (`a` = 1 OR NOT (b = 2)) LIMIT 1",
            "SELECT count(*), max(id), CAST(id AS CHAR(10)) FROM u JOIN v USING (id) WHERE EXISTS (SELECT 1)",
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM (SELECT 1 AS a, 2 AS b) AS t",
            "WITH t AS (SELECT 1) SELECT * FROM t",
            "SELECT last_insert_id()",
            "SAVEPOINT a",
            "(SELECT 1) UNION SELECT 2; ",
            "-- nothing",
            "",
        ] {
            assert!(!may_leave(statement), "{statement}");
        }
    }

    #[test]
    fn knows_which_programs_leave_nothing() {
        for body in [
            "SET NEW.email = if(NEW.email LIKE '%@%', NEW.email, 'temporary')",
            "SET NEW.a = 1, NEW.b = concat(NEW.c, ',')",
            "UPDATE v SET n = n + 1 WHERE id = NEW.id",
            "INSERT INTO log (what, at) VALUES ('new', now())",
            "BEGIN DECLARE n, m INT DEFAULT 0; SELECT count(*) INTO n FROM u; SET n = n + 1; SET m := (n + 1); \
             IF n > 5 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'many'; ELSE SET NEW.a = n; END IF; END",
            "BEGIN DECLARE done INT; DECLARE c CURSOR FOR SELECT CASE WHEN 1 THEN 2 ELSE 3 END; \
             DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1; OPEN c; CLOSE c; END",
            "RETURN a + 1",
            "select `gl_d_x`.`u`.`id` AS `id`,count(0) AS `n` from `gl_d_x`.`u` where (`gl_d_x`.`u`.`id` > 1)",
        ] {
            assert!(!program_may_leave(body), "{body}");
        }
        for body in [
            "SET @a = 7",
            "SET group_concat_max_len = 17",
            "SET NEW.a = 1, group_concat_max_len = 17",
            "SET SESSION sql_mode = ''",
            "SET NAMES utf8mb4",
            "BEGIN DECLARE names INT; SET NAMES utf8mb4; END",
            "BEGIN BEGIN DECLARE sql_safe_updates INT; END; SET sql_safe_updates = 1; END",
            "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SET sql_safe_updates = 1; END",
            "IF 1 THEN SET sql_safe_updates = 1; END IF",
            "BEGIN CALL p(); END",
            "BEGIN CREATE TEMPORARY TABLE t (a int); END",
            "RETURN get_lock('a', 0)",
            "RETURN other.f()",
            "DO release_lock('a')",
            "select get_lock('a',0) AS `a`",
        ] {
            assert!(program_may_leave(body), "{body}");
        }
    }
}
