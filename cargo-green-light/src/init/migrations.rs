//! A directory of migrations in SQL.

use std::fs;
use std::path::{Path, PathBuf};

/// What such a directory holds.
#[derive(Debug)]
pub(crate) struct SqlMigrations {
    pub(crate) directory: PathBuf,
    /// How many migrations there are.
    pub(crate) count: usize,
    /// Whether all have names that `sqlx::migrate!` reads.
    pub(crate) is_of_sqlx: bool,
    /// The tables that are there after the last migration, in the order in which they were made.
    pub(crate) tables: Vec<Table>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// As the migrations write it.
    pub(crate) name: String,
    /// Whether a migration writes rows into it.
    pub(crate) has_rows: bool,
}

impl SqlMigrations {
    /// Looks at a directory; `None` if there are no migrations in it.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).ok()?.flatten() {
            let path = entry.path();
            match path.is_dir() {
                // As Diesel and Prisma have them.
                true => {
                    let names = ["up.sql", "migration.sql"].map(|name| path.join(name));
                    files.extend(names.into_iter().filter(|file| file.is_file()));
                }
                false if path.extension().is_some_and(|end| end == "sql") => files.push(path),
                false => {}
            }
        }
        files.retain(|file| !name(file).ends_with(".down.sql"));
        files.sort_by_key(|file| (number(file), file.clone()));
        if files.is_empty() {
            return None;
        }
        let mut tables = Vec::new();
        for file in &files {
            apply(&fs::read_to_string(file).unwrap_or_default(), &mut tables);
        }
        Some(Self {
            directory: directory.to_owned(),
            count: files.len(),
            is_of_sqlx: files.iter().all(|file| is_of_sqlx(directory, file)),
            tables,
        })
    }
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The number that its name, or that of its directory, begins with.
fn number(file: &Path) -> u64 {
    let directory = file.parent().map(name).unwrap_or_default();
    let own = name(file);
    let digits = |name: &str| {
        let digits = name.trim_start_matches(['V', 'U']).chars();
        let digits: String = digits.take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    digits(&own)
        .or_else(|| digits(&directory))
        .unwrap_or_default()
}

/// `1_name.sql` or `1_name.up.sql`, in the directory itself.
fn is_of_sqlx(directory: &Path, file: &Path) -> bool {
    let name = name(file);
    let (version, _) = name.split_once('_').unwrap_or_default();
    file.parent() == Some(directory) && version.parse::<i64>().is_ok()
}

/// What the statements of one migration do to the tables.
fn apply(sql: &str, tables: &mut Vec<Table>) {
    for statement in words(sql).split(|word| word == ";") {
        let upper: Vec<String> = statement.iter().map(|word| word.to_uppercase()).collect();
        let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
        let after = |at: usize| statement.get(at).cloned();
        match upper[..] {
            ["CREATE", "TABLE", "IF", "NOT", "EXISTS", ..] => made(tables, after(5)),
            ["CREATE", "TABLE", ..] => made(tables, after(2)),
            ["CREATE", "UNLOGGED", "TABLE", ..] => made(tables, after(3)),
            ["DROP", "TABLE", "IF", "EXISTS", ..] => dropped(tables, after(4).as_ref()),
            ["DROP", "TABLE", ..] => dropped(tables, after(2).as_ref()),
            ["ALTER", "TABLE", _, "RENAME", "TO", ..] => {
                let (old, new) = (after(2), after(5));
                for table in tables
                    .iter_mut()
                    .filter(|table| Some(&table.name) == old.as_ref())
                {
                    table.name = new.clone().unwrap_or_default();
                }
            }
            _ => {
                // Also in a function or after `WITH`: then the table may have rows.
                for (at, pair) in upper.windows(2).enumerate() {
                    if *pair == ["INSERT", "INTO"] || pair[0] == "COPY" {
                        let name = after(at + if pair[0] == "COPY" { 1 } else { 2 });
                        let has = tables
                            .iter_mut()
                            .filter(|table| Some(&table.name) == name.as_ref());
                        has.for_each(|table| table.has_rows = true);
                    }
                }
            }
        }
    }
}

fn made(tables: &mut Vec<Table>, name: Option<String>) {
    if let Some(name) = name.filter(|name| tables.iter().all(|table| table.name != *name)) {
        tables.push(Table {
            name,
            has_rows: false,
        });
    }
}

fn dropped(tables: &mut Vec<Table>, name: Option<&String>) {
    tables.retain(|table| Some(&table.name) != name);
}

/// The words of a text in SQL, without comments, texts in quotes and parentheses; `;` is a word.
fn words(sql: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut rest = sql.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek()) {
            ('-', Some('-')) | ('#', _) => {
                rest.find(|letter| *letter == '\n');
            }
            ('/', Some('*')) => {
                let mut before = ' ';
                rest.next();
                rest.find(|letter| {
                    std::mem::replace(&mut before, *letter) == '*' && *letter == '/'
                });
            }
            ('\'', _) => {
                rest.find(|letter| *letter == '\'');
            }
            // A name stays as it is written, with its quotes.
            ('"' | '`' | '[', _) => {
                let end = if letter == '[' { ']' } else { letter };
                word.push(letter);
                for letter in rest.by_ref() {
                    word.push(letter);
                    if letter == end {
                        break;
                    }
                }
                continue;
            }
            (letter, _) if letter.is_alphanumeric() || "_.$".contains(letter) => {
                word.push(letter);
                continue;
            }
            _ => {}
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter == ';' {
            words.push(";".to_owned());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_those_after_the_last_migration() {
        let mut tables = Vec::new();
        for sql in [
            "-- CREATE TABLE no (id int);\nCREATE TABLE users (id SERIAL, name TEXT DEFAULT 'a; b');\n\
             create table if not exists public.roles(id int); /* CREATE TABLE nor (id int); */",
            "INSERT INTO public.roles (id) VALUES (1); CREATE TABLE \"old\" (id int); DROP TABLE \"old\"",
            "ALTER TABLE users RENAME TO people; CREATE INDEX i ON people (name);",
        ] {
            apply(sql, &mut tables);
        }
        let found: Vec<_> = tables
            .iter()
            .map(|table| (&*table.name, table.has_rows))
            .collect();
        assert_eq!(found, [("people", false), ("public.roles", true)]);
    }

    #[test]
    fn names_are_of_sqlx_or_of_others() {
        let directory = Path::new("m");
        for (name, expected) in [
            ("m/0001_users.sql", true),
            ("m/20260102093000_author.up.sql", true),
            ("m/V1__users.sql", false),
            ("m/users.sql", false),
            ("m/1_users/up.sql", false),
        ] {
            assert_eq!(is_of_sqlx(directory, Path::new(name)), expected, "{name}");
        }
        assert_eq!(number(Path::new("m/2_users/up.sql")), 2);
        assert_eq!(number(Path::new("m/V12__users.sql")), 12);
    }
}
