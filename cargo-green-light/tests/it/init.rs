//! `cargo green-light init`, up to what it writes. `tests/tools` builds and runs that.

use crate::command::root;
use crate::project::{Project, ended};

const SQLITE: &str = r#"[package]
name = "notes"
version = "0.1.0"
edition = "2024"

[dependencies]
sqlx = { version = "0.9", features = ["runtime-tokio", "sqlite"] }

[workspace]
"#;
const ENTITY: &str = r#"
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "note")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
"#;
const MIGRATOR: &str = "
pub use sea_orm_migration::prelude::*;
pub struct Migrator;
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> { vec![] }
}
";

/// A manifest of SeaORM.
fn sea_orm(name: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         sea-orm = {{ version = \"2\", features = [\"runtime-tokio\", \"sqlx-postgres\"] }}\n{more}"
    )
}

/// What `init` writes without running it: the line of the manifest, and the test.
fn written(project: &Project, arguments: &[&str], package: &str) -> (String, String) {
    let (output, said) = ended(project.init(&[&["--no-run"], arguments].concat()));
    assert!(output.status.success(), "{said}");
    let manifest = project.read(&format!("{package}Cargo.toml"));
    let line = manifest
        .lines()
        .find(|line| line.starts_with("green-light"));
    let line = line.unwrap_or_else(|| panic!("{manifest}"));
    let path = root().display().to_string();
    let test = project.read(&format!("{package}tests/database.rs"));
    (line.replace(&path, "HERE"), test)
}

/// What it says when it writes nothing.
fn refused(project: &Project, arguments: &[&str]) -> String {
    let before = project.files();
    let (output, said) = ended(project.init(arguments));
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(project.files(), before, "{said}");
    said
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "there is no `{part}` in\n{text}");
    }
}

#[test]
fn migrations_of_sqlx_make_a_test_of_a_table_that_is_empty() {
    let project = Project::new(&[
        ("Cargo.toml", SQLITE),
        ("src/main.rs", "fn main() {}"),
        (
            "migrations/0001_a.sql",
            "CREATE TABLE role (id INTEGER); INSERT INTO role VALUES (1);",
        ),
        (
            "migrations/0002_b.up.sql",
            "CREATE TABLE note (id INTEGER);",
        ),
        ("migrations/0002_b.down.sql", "DROP TABLE note;"),
    ]);
    let (line, test) = written(&project, &[], "");
    assert_eq!(
        line,
        "green-light = { path = \"HERE\", default-features = false, features = [\"macros\", \"sqlx\", \"sqlite\"] }"
    );
    assert_has(
        &test,
        &[
            "#[fixture(overrides = green_light::fixtures::schema)]\nfn schema() -> Schema {\n    Schema::sqlx(sqlx::migrate!())\n}",
            "async fn note_is_empty(sqlite_pool: SqlitePool) -> sqlx::Result<()> {",
            "SELECT count(*) FROM note",
        ],
    );
    // Once more, it finds what it has written.
    let files = project.files();
    let (output, said) = ended(project.init(&[]));
    assert!(output.status.success(), "{said}");
    assert_has(
        &said,
        &[
            "ready",
            "`tests/database.rs`, line 7",
            "nothing is to be done",
        ],
    );
    assert_eq!(project.files(), files);
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let project = Project::new(&[
        ("Cargo.toml", SQLITE),
        ("src/lib.rs", ""),
        ("migrations/0001_a.sql", "CREATE TABLE note (id INTEGER);"),
    ]);
    let before = project.files();
    let (output, said) = ended(project.init(&["--dry-run"]));
    assert!(output.status.success(), "{said}");
    assert_eq!(project.files(), before);
    assert_has(
        &said,
        &[
            "--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -6,4 +6,7 @@\n",
            "\n+[dev-dependencies]\n+green-light = { path = ",
            "--- /dev/null\n+++ b/tests/database.rs\n@@ -0,0 +1,",
            "\n+    Schema::sqlx(sqlx::migrate!())\n",
            "nothing is written",
        ],
    );
}

#[test]
fn a_migration_crate_of_the_workspace_becomes_a_dependency_of_its_tests() {
    let members = "\n[workspace]\nmembers = [\"entity\", \"migration\"]\nresolver = \"3\"\n";
    let entity = "entity = { path = \"entity\" }\n";
    let project = Project::new(&[
        (
            "Cargo.toml",
            &sea_orm("shop", &format!("{entity}{members}")),
        ),
        ("src/main.rs", "fn main() {}"),
        ("entity/Cargo.toml", &sea_orm("entity", "")),
        ("entity/src/lib.rs", "pub mod note;"),
        ("entity/src/note.rs", ENTITY),
        (
            "migration/Cargo.toml",
            &sea_orm("migration", "sea-orm-migration = \"2\"\n"),
        ),
        ("migration/src/lib.rs", MIGRATOR),
    ]);
    let (line, test) = written(&project, &[], "");
    assert_eq!(
        line,
        "green-light = { path = \"HERE\", default-features = false, features = [\"macros\", \"sea-orm\", \
         \"sea-orm-migration\", \"postgres\"] }"
    );
    assert_has(
        &project.read("Cargo.toml"),
        &["migration = { path = \"migration\" }"],
    );
    assert_has(
        &test,
        &[
            "Schema::migrations::<migration::Migrator>()",
            "async fn the_migrations_fit_note(session: Session) -> Result<(), DbErr> {",
            "entity::note::Entity::find().one(&session).await?;",
        ],
    );
}

#[test]
fn entities_alone_make_the_tables_and_those_of_sqlite_need_no_features() {
    let manifest = format!("{}\n[workspace]\n", sea_orm("my-notes", ""));
    let project = Project::new(&[
        (
            "Cargo.toml",
            &manifest.replace("sqlx-postgres", "sqlx-sqlite"),
        ),
        (
            "src/lib.rs",
            &format!("pub mod entities;\npub mod user {{{ENTITY}}}\n"),
        ),
        (
            "src/entities/mod.rs",
            "pub mod note;\n#[cfg(test)]\nmod tests {}",
        ),
        ("src/entities/note.rs", ENTITY),
    ]);
    let (line, test) = written(&project, &[], "");
    assert_eq!(line, "green-light = { path = \"HERE\" }");
    assert_has(
        &test,
        &[
            "            .register(my_notes::entities::note::Entity)\n            .register(my_notes::user::Entity)\n",
            "async fn note_is_empty(session: Session)",
        ],
    );
}

#[test]
fn what_tests_cannot_see_is_told_with_what_to_move() {
    let manifest = format!("{}\n[workspace]\n", sea_orm("notes", ""));
    let program = Project::new(&[
        ("Cargo.toml", &manifest),
        (
            "src/main.rs",
            &format!("mod note {{{ENTITY}}}\nfn main() {{}}\n"),
        ),
    ]);
    assert_has(
        &refused(&program, &[]),
        &[
            "tests cannot name `notes::note`, which is in `src/main.rs`",
            "help: `notes` is a program without a library",
        ],
    );
    let private = Project::new(&[
        ("Cargo.toml", &manifest),
        ("src/lib.rs", &format!("mod note {{{ENTITY}}}\n")),
    ]);
    assert_has(
        &refused(&private, &[]),
        &[
            "tests cannot name `notes::note`, which is in `src/lib.rs`",
            "write `pub` before it",
        ],
    );
}

#[test]
fn where_nothing_is_found_it_says_what_it_looked_for_and_what_helps() {
    let project = Project::new(&[("Cargo.toml", SQLITE), ("src/lib.rs", "")]);
    assert_has(
        &refused(&project, &[]),
        &[
            "error: `notes` has nothing that tables could be made of",
            "* a directory `migrations` with files of SQL",
            "* migrations of SeaORM: a type with `impl MigratorTrait`",
            "* entities of SeaORM",
            "help: with sqlx: `mkdir migrations`",
            "start/others.html",
        ],
    );
    let old = Project::new(&[
        ("Cargo.toml", &SQLITE.replace("0.9", "0.8")),
        ("src/lib.rs", ""),
        ("migrations/0001_a.sql", "CREATE TABLE note (id INTEGER);"),
    ]);
    assert_has(
        &refused(&old, &[]),
        &[
            "`notes` uses sqlx ^0.8, and green-light returns the types of sqlx 0.9",
            "`database_url`",
        ],
    );
}

#[test]
fn a_workspace_with_several_services_asks_for_one() {
    let service = |name: &str| SQLITE.replace("notes", name).replace("\n[workspace]\n", "");
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"orders\", \"users\"]\nresolver = \"3\"\n",
        ),
        ("orders/Cargo.toml", &service("orders")),
        ("orders/src/lib.rs", ""),
        ("users/Cargo.toml", &service("users")),
        ("users/src/lib.rs", ""),
        ("migrations/0001_a.sql", "CREATE TABLE note (id INTEGER);"),
    ]);
    assert_has(
        &refused(&project, &[]),
        &[
            "the workspace has 2 packages with code on a database",
            "`-p orders`, `-p users`",
            "fixtures.html#a-crate-of-fixtures",
        ],
    );
    let (_, test) = written(&project, &["-p", "users"], "users/");
    assert_has(&test, &["Schema::sqlx(sqlx::migrate!(\"../migrations\"))"]);
    assert_eq!(project.read("orders/Cargo.toml"), service("orders"));
}

#[test]
fn several_databases_or_migrations_are_a_question_and_env_answers_the_first() {
    let both = SQLITE.replace("\"sqlite\"", "\"sqlite\", \"postgres\"");
    let project = Project::new(&[
        ("Cargo.toml", &both),
        ("src/lib.rs", MIGRATOR),
        ("migrations/0001_a.sql", "CREATE TABLE note (id INTEGER);"),
    ]);
    assert_has(
        &refused(&project, &[]),
        &[
            "several places: `notes::Migrator`, `migrations`",
            "`--from notes::Migrator`, `--from migrations`",
        ],
    );
    let from = ["--from", "migrations"];
    assert_has(
        &refused(&project, &from),
        &[
            "`notes` is for several databases",
            "`--backend sqlite`, `--backend postgres`",
        ],
    );
    project.write(
        ".env",
        "# here\nDATABASE_URL=\"postgres://app:hunter2secret@localhost/x\"\n",
    );
    let (output, said) = ended(project.init(&["--dry-run", "--from", "migrations/"]));
    assert!(output.status.success(), "{said}");
    assert_has(
        &said,
        &[
            "PostgreSQL, because of `DATABASE_URL`",
            "+use sqlx::PgPool;",
        ],
    );
    assert!(!said.contains("hunter2secret"), "{said}");
}

#[test]
fn a_green_light_that_is_there_and_tests_that_are_not_found_are_minded() {
    let manifest = SQLITE.replace("edition", "autotests = false\nedition").replace(
        "[workspace]",
        "[dev-dependencies]\ngreen-light = { version = \"0.1\", default-features = false, features = [\"macros\"] }\n\n[workspace]",
    );
    let project = Project::new(&[
        ("Cargo.toml", &manifest),
        ("src/lib.rs", ""),
        ("tests/database.rs", "// taken\n"),
        ("migrations/V1__note.sql", "CREATE TABLE note (id INTEGER);"),
    ]);
    assert_has(
        &refused(&project, &[]),
        &[
            "without the features `sqlite`",
            "`cargo add --dev green-light --package notes --features sqlite`",
        ],
    );
    project.write(
        "Cargo.toml",
        &manifest.replace("\"macros\"", "\"macros\", \"postgres\", \"sqlite\""),
    );
    let (output, said) = ended(project.init(&["--no-run"]));
    assert!(output.status.success(), "{said}");
    assert_eq!(project.read("tests/database.rs"), "// taken\n");
    assert_has(
        &project.read("tests/green_light.rs"),
        &["Schema::sql_dir(\"migrations\")", "    Backend::Sqlite\n"],
    );
    assert_has(
        &project.read("Cargo.toml"),
        &["[[test]]\nname = \"green_light\"\npath = \"tests/green_light.rs\"\n"],
    );
}
