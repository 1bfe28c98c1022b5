//! A server with a password: nothing of green-light prints it, and every driver gets it.

use std::{
    env,
    fmt::Debug,
    io::{self, Write as _},
    process::Command,
};

use green_light_core::{note, progress, redacted};
use green_light_fixtures::{Backend, DatabaseUrl, Engine, Error, Isolation, NewDatabase, Schema};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection, Executor as _, MySqlConnection, PgConnection,
    mysql::MySqlConnectOptions, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use crate::{
    children::{output, part, playing},
    mysql_server::{MySqlServer, password_by_socket},
    role::Role,
    support::run,
};

/// What is looked for in all that is printed.
const SECRET: &str = "hunter2";
/// As people choose them, with what has a meaning in a URL.
const PASSWORDS: [&str; 4] = [
    "hunter2",
    "p@ss/hunter2:%40",
    "50% hunter2 ?a=b&c#d",
    "grüße \"hunter2\" 'it`s",
];

/// `text` as it stands in a URL.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The variable with the password as it is.
const PLAIN: &str = "GREEN_LIGHT_TEST_PASSWORD";

fn show(text: &str) {
    let text = format!("{text}\n");
    io::stdout().write_all(text.as_bytes()).unwrap();
}

/// Prints `value` in each way there is.
fn print(what: &str, value: &impl Debug) {
    show(&format!("{what}: {value:?}\n{value:#?}"));
}

fn print_error(error: &Error) {
    print("error", error);
    show(&error.to_string());
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        show(&format!("because of {source}"));
        cause = source.source();
    }
}

/// Every form in which a URL is passed on.
fn forms(url: &DatabaseUrl) -> [String; 6] {
    [
        url.to_string(),
        AsRef::<str>::as_ref(url).to_owned(),
        (**url).to_owned(),
        format!("{url}"),
        String::from(url.clone()),
        url.expose().to_owned(),
    ]
}

async fn connects(backend: Backend, url: &str) {
    let connected = match backend {
        Backend::Postgres => {
            let options: PgConnectOptions = url.parse().unwrap();
            let connection = options.connect().await.unwrap();
            connection.close().await
        }
        _ => {
            let options: MySqlConnectOptions = url.parse().unwrap();
            let connection = options.connect().await.unwrap();
            connection.close().await
        }
    };
    connected.unwrap();
}

async fn seed(db: &NewDatabase) -> Result<(), String> {
    print("a new database", db);
    connects(db.backend(), db.url()).await;
    Ok(())
}

/// The part of a process whose variable has the password: prints all that there is, and connects.
async fn tests(backend: Backend) {
    let schema = Schema::sql("CREATE TABLE secrets (x INT)").then(Schema::run("a seed", seed));
    print("schema", &schema);
    let builder = Engine::builder().backend(backend).schema(schema);
    print("builder", &builder);
    let engine = builder.build().await.unwrap();
    print("engine", &engine);
    print("its url", &engine.url());
    // What an application may say of it.
    let plain = env::var(PLAIN).expect("the password is passed on");
    note(&plain);
    progress(&format!("the password is {plain:?}"));
    for isolation in [
        Isolation::Transaction,
        Isolation::Database,
        Isolation::Shared,
    ] {
        let test = engine.isolate(isolation, "shop::order").await.unwrap();
        print("transaction", &test);
        let session = test.session();
        print("session", &session);
        print("pool", session.connection());
        print("its url", session.url());
        show(&session.url().redacted());
        match backend {
            Backend::Postgres => print("pool of sqlx", session.postgres_pool()),
            _ => print("pool of sqlx", session.mysql_pool()),
        }
        if isolation == Isolation::Transaction {
            print("savepoint", &test.savepoint().await.unwrap());
        } else {
            for url in forms(session.url()) {
                connects(backend, &url).await;
            }
        }
        drop(session);
        test.finish().await.unwrap();
    }
}

/// The part of a process whose variable has what no server knows.
async fn fails(backend: Backend) {
    let built = Engine::builder().backend(backend).build().await;
    print_error(&built.expect_err("nobody is there"));
}

async fn play(backend: Backend) {
    match part().as_deref() {
        Some("fails") => fails(backend).await,
        _ => tests(backend).await,
    }
}

/// What the process printed, which has no password.
#[track_caller]
fn prints_no_password(mut command: Command) -> String {
    let output = output(command.spawn().unwrap());
    let printed =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let printed = printed.join("\n");
    assert!(output.status.success(), "{printed}");
    for secret in [SECRET, &encoded(SECRET)] {
        assert!(!printed.contains(secret), "{secret} is in: {printed}");
    }
    printed
}

#[test]
fn of_a_role_of_postgres_are_not_printed_and_passed_on() {
    if part().is_some() {
        return run(play(Backend::Postgres));
    }
    let test = "passwords::of_a_role_of_postgres_are_not_printed_and_passed_on";
    let role = run(Role::new());
    for password in PASSWORDS {
        let quoted = password.replace('\'', "''");
        let set = format!("ALTER ROLE {} PASSWORD '{quoted}'", role.name);
        let mut admin: PgConnection = run(role.admin());
        run(admin.execute(AssertSqlSafe(set))).unwrap();
        run(admin.close()).unwrap();
        let command = role.playing(test, "tests");
        let command = with_password(command, "GREEN_LIGHT_POSTGRES_URL", password);
        assert!(prints_no_password(command).contains(":***@"));
    }
    run(role.drop());
    let mut nowhere = playing(test, "fails");
    let url = format!("postgres://app:{}@127.0.0.1:1/shop", encoded(PASSWORDS[1]));
    nowhere.env("GREEN_LIGHT_POSTGRES_URL", url);
    prints_no_password(nowhere);
}

#[test]
fn of_a_user_of_mysql_are_not_printed_and_passed_on() {
    if part().is_some() {
        return run(play(Backend::MySql));
    }
    let test = "passwords::of_a_user_of_mysql_are_not_printed_and_passed_on";
    let server = MySqlServer::start(50);
    let mut admin: MySqlConnection = run(server.admin());
    for password in PASSWORDS {
        if run(password_by_socket(&mut admin, password)).is_empty() {
            // MySQL itself takes none through a socket.
            break;
        }
        let quoted = password.replace('\'', "''");
        let set = format!("ALTER USER tester@localhost IDENTIFIED BY '{quoted}'");
        run(admin.execute(AssertSqlSafe(set))).unwrap();
        let command = server.playing(test, "tests");
        let command = with_password(command, "GREEN_LIGHT_MYSQL_URL", password);
        assert!(prints_no_password(command).contains(":***@"));
    }
    run(admin.close()).unwrap();
    let mut refused = server.playing(test, "fails");
    refused = with_password(refused, "GREEN_LIGHT_MYSQL_URL", "not hunter2");
    prints_no_password(refused);
    server.end();
}

/// The same with `password` in the URL of `variable`.
fn with_password(mut command: Command, variable: &str, password: &str) -> Command {
    let url = command
        .get_envs()
        .find(|(name, _)| *name == variable)
        .and_then(|(_, url)| url?.to_str().map(str::to_owned))
        .expect("it has a URL");
    let (start, place) = url.rsplit_once('@').unwrap();
    let (start, _) = start.rsplit_once(':').unwrap();
    command.env(variable, format!("{start}:{}@{place}", encoded(password)));
    command.env(PLAIN, password);
    command
}

#[test]
fn of_drivers_options_are_not_printed_whatever_is_in_them() {
    let others = [
        "hunter2\\",
        "a\"hunter2\\\"",
        "@:hunter2://'",
        "hunter2\nhunter2",
    ];
    for password in PASSWORDS.into_iter().chain(others) {
        let url = format!("postgres://app:{}@db/shop", encoded(password));
        let printed = [
            both_ways(&PgConnectOptions::new_without_pgpass().password(password)),
            both_ways(&MySqlConnectOptions::new().password(password)),
            both_ways(&SqliteConnectOptions::new().pragma("key", password.to_owned())),
            both_ways(&sea_orm::ConnectOptions::new(url.clone())),
        ];
        for text in printed {
            let shown = redacted(&text);
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains(&encoded("hunter2")), "{shown}");
        }
    }
}

fn both_ways(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}, or {:?}", format!("{value:?}"))
}

#[test]
fn of_a_file_of_sqlite_are_not_printed() {
    let builder = Engine::builder().map_sqlite_options(|options| options.pragma("key", SECRET));
    assert!(!format!("{builder:?}").contains(SECRET), "{builder:?}");
}
