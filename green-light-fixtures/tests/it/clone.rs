//! How PostgreSQL clones databases from their template: ahead of tests, with all that the template has.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Isolation};

use crate::{
    children::{LONG, Partner, part, said, say, wait_for_a_line},
    role::Role,
    support::{On, run, text},
};

const ON: On = On {
    backend: Backend::Postgres,
    test: "clone::every_database_is_a_clone_of_the_template",
};
/// More than are created ahead.
const DATABASES: usize = 5;

const TABLES: &str = "CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE book (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author int REFERENCES author (id));
    CREATE VIEW authors AS SELECT name FROM author;
    CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT 2 * x';
    INSERT INTO author (name) VALUES ('ann'), ('bob');
    INSERT INTO book (author) VALUES (1);
    DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET work_mem TO ''7MB''', current_database());
    END $$";

/// All that a test can see of its database, the rows that it is about to make among it.
const LOOK: &str = "SELECT concat_ws('; ',
    (SELECT string_agg(concat_ws(' ', relkind, relname), ', ' ORDER BY relname) FROM pg_class
      WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', conname, pg_get_constraintdef(oid)), ', ' ORDER BY conname)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', id, name), ', ' ORDER BY id) FROM author),
    (SELECT string_agg(concat_ws(' ', id, author), ', ' ORDER BY id) FROM book),
    nextval('author_id_seq'), nextval('book_id_seq'), twice(21),
    (SELECT string_agg(name, ', ' ORDER BY name) FROM authors),
    current_setting('work_mem'),
    (SELECT concat_ws(' ', datdba::regrole, datistemplate, datallowconn) FROM pg_database
      WHERE datname = current_database()))";

/// The part of a process: looks at some databases.
async fn look_at_some() {
    let engine = ON.engine(TABLES).await;
    for _ in 0..DATABASES {
        let session = engine.session(Isolation::Database).await.unwrap();
        say(
            "table",
            &text(&*session, "SELECT 'author'::regclass::oid::text").await,
        );
        say("look", &text(&*session, LOOK).await);
        session.finish().await.unwrap();
    }
    say("built", &engine.stats().templates_built.to_string());
}

/// What lines `name=` say, each once.
fn told(said: &str, name: &str) -> HashSet<String> {
    let prefix = format!("{name}=");
    let values = said.lines().filter_map(|line| line.split_once(&prefix));
    values.map(|(_, value)| value.to_owned()).collect()
}

#[test]
fn every_database_is_a_clone_of_the_template() {
    if part().is_some() {
        return run(look_at_some());
    }
    let role = run(Role::new());
    let tests = || said(role.playing(ON.test, "tests").spawn().unwrap());
    let first = tests();
    assert_eq!(told(&first, "built"), HashSet::from(["1".to_owned()]));
    let looks = told(&first, "look");
    assert_eq!(looks.len(), 1, "{looks:?}");

    // The tables of a clone have the numbers that the template's have.
    assert_eq!(told(&first, "table").len(), 1);

    let clear = "UPDATE green_light.database SET state = 'done' WHERE state <> 'done' RETURNING name, state";
    assert!(!run(role.registry::<(String, String)>(clear)).is_empty());
    let next = tests();
    assert_eq!(told(&next, "built"), HashSet::from(["0".to_owned()]));
    assert_eq!(told(&next, "look"), looks);
    assert_eq!(told(&next, "table"), told(&first, "table"));
    run(role.drop());
}

#[test]
fn the_next_database_is_ready_before_it_is_asked_for() {
    if part().is_some() {
        return run(async {
            let engine = ON.engine(TABLES).await;
            let first = engine.session(Isolation::Database).await.unwrap();
            say(
                "first",
                &text(&*first, "SELECT current_database()::text").await,
            );
            assert!(wait_for_a_line());
            let second = engine.session(Isolation::Database).await.unwrap();
            say(
                "second",
                &text(&*second, "SELECT current_database()::text").await,
            );
            first.finish().await.unwrap();
            second.finish().await.unwrap();
        });
    }
    let role = run(Role::new());
    let test = "clone::the_next_database_is_ready_before_it_is_asked_for";
    let mut process = Partner::start(&mut role.playing(test, "tests"));
    let first = process.hear("first");
    let begun = Instant::now();
    let ready = loop {
        let free = "SELECT name, state FROM green_light.database WHERE state = 'free'";
        let free = run(role.registry::<(String, String)>(free));
        if !free.is_empty() {
            break free;
        }
        assert!(begun.elapsed() < LONG, "nothing is made ahead");
        thread::sleep(Duration::from_millis(10));
    };
    process.tell("go");
    let second = process.hear("second");
    assert_ne!(first, second);
    assert!(ready.iter().any(|(name, _)| *name == second), "{ready:?}");
    process.end();
    run(role.drop());
}
