//! How PostgreSQL makes databases like their template: ahead, and the way that was the fastest when the
//! template was new. Whichever it is, the databases are the same.

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
    test: "clone_strategy::the_fastest_way_is_measured_and_every_way_makes_the_same_database",
};
/// More than the template's first measurements have made.
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
fn the_fastest_way_is_measured_and_every_way_makes_the_same_database() {
    if part().is_some() {
        return run(look_at_some());
    }
    let role = run(Role::new());
    let tests = || said(role.playing(ON.test, "tests").spawn().unwrap());
    let first = tests();
    assert_eq!(told(&first, "built"), HashSet::from(["1".to_owned()]));
    let looks = told(&first, "look");
    assert_eq!(looks.len(), 1, "{looks:?}");

    let measured = "SELECT strategy, measured FROM green_light.template";
    let [(strategy, times)] = &*run(role.registry::<(String, String)>(measured)) else {
        panic!("one template");
    };
    let times: Vec<(&str, f64)> = times
        .split(", ")
        .map(|time| {
            let (way, time) = time.split_once(' ').unwrap();
            (way, time.strip_suffix(" ms").unwrap().parse().unwrap())
        })
        .collect();
    assert!(times.is_sorted_by_key(|(_, time)| *time), "{times:?}");
    assert_eq!(times[0].0, strategy);
    let ways: HashSet<_> = times.iter().map(|(way, _)| *way).collect();
    assert!(
        ways.contains("clone") && ways.contains("replay"),
        "{ways:?}"
    );

    for way in ["clone", "copy-files", "replay"] {
        let chosen = format!(
            "WITH gone AS (UPDATE green_light.database SET state = 'done' WHERE state <> 'done') \
             UPDATE green_light.template SET strategy = '{way}' RETURNING name, strategy"
        );
        assert_eq!(run(role.registry::<(String, String)>(&chosen)).len(), 1);
        let said = tests();
        assert_eq!(
            told(&said, "built"),
            HashSet::from(["0".to_owned()]),
            "{way}"
        );
        assert_eq!(told(&said, "look"), looks, "{way}");
        // What is copied has the numbers of the template.
        let tables = told(&said, "table").len();
        let expected = if way == "replay" { DATABASES } else { 1 };
        assert_eq!(tables, expected, "{way}");
    }
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
    let test = "clone_strategy::the_next_database_is_ready_before_it_is_asked_for";
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
