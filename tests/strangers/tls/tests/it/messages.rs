//! Runs the specimens against real servers, and looks at what they print.

use std::{env, process::Command};

use green_light::prelude::*;
use sqlx::{Connection as _, MySqlPool, PgConnection, PgPool};

use super::servers::{self, Server};

/// What each kind of mistake is answered with: what it means, and what to write.
const FEATURE: &str = "for which sqlx needs its feature `tls-rustls` or `tls-native-tls`";
const UNKNOWN: [&str; 2] = [
    "no authority that has signed the certificate",
    "`sslrootcert=/path/ca.pem` (MySQL: `ssl-ca=",
];
const OTHER_NAME: [&str; 2] = [
    "for another host name than the one in the URL",
    "`sslmode=verify-ca` (MySQL: `ssl-mode=VERIFY_CA`)",
];
const EXPIRED: [&str; 2] = ["has expired or is not valid yet", "renew the certificate"];
const NO_TLS: [&str; 2] = ["the server does not offer any", "`sslmode=prefer`"];
const AUTHORITY: [&str; 2] = [
    "shows the certificate of an authority as its own",
    "`CA:FALSE`",
];
const MODE: [&str; 2] = [
    "a kind of encryption that sqlx does not know",
    "`REQUIRED`, `VERIFY_CA`",
];
const NO_FILE: &str =
    "the file `/nowhere/ca.pem` cannot be read (No such file or directory (os error 2)): look at";

/// What `specimen` prints with `url`.
fn run(specimen: &str, url: &str) -> String {
    let variable = match url.split_once("://") {
        Some(("mysql", _)) => "GREEN_LIGHT_MYSQL_URL",
        _ => "GREEN_LIGHT_POSTGRES_URL",
    };
    let output = Command::new(env::current_exe().unwrap())
        .args([
            &format!("specimens::{specimen}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("SHOP_URL", url)
        .env(variable, url)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
}

/// The application passes, and so does green-light.
#[track_caller]
fn passes(server: &Server, parameters: &str, version: &str) {
    let url = server.url(parameters);
    let name = server.name();
    for specimen in ["by_the_application", "by_green_light"] {
        let text = run(&format!("{name}::{specimen}"), &url);
        assert!(text.contains("1 passed"), "{url}: {text}");
        let said = format!("TLS: {version}");
        assert!(
            specimen == "by_green_light" || text.contains(&said),
            "{url}: {text}"
        );
    }
}

/// The application fails and is told `meaning` and `cure`, which green-light says of itself as well.
#[track_caller]
fn fails(server: &Server, parameters: &str, [meaning, cure]: [&str; 2]) {
    let url = server.url(parameters);
    let name = server.name();
    for specimen in ["by_the_application", "unwrapped_by_the_application"] {
        let text = run(&format!("{name}::{specimen}"), &url);
        let explained = text
            .split_once("what it means: ")
            .map_or("", |(_, explained)| explained);
        assert!(
            explained.contains(meaning) && explained.contains(cure),
            "{url}: {text}"
        );
    }
    says(server, parameters, cure);
}

/// Green-light cannot reach the server, and says `cure`.
#[track_caller]
fn says(server: &Server, parameters: &str, cure: &str) {
    let url = server.url(parameters);
    let text = run(&format!("{}::by_green_light", server.name()), &url);
    let helped = text.split_once("  help: ").map_or("", |(_, helped)| helped);
    assert!(helped.contains(cure), "{url}: {text}");
    assert!(text.contains(server.variable()), "{url}: {text}");
}

mod on_postgres {
    use super::*;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::Postgres
    }

    #[green_light::test]
    async fn a_certificate_that_is_good(database_url: &str) -> sqlx::Result<()> {
        let server = servers::postgres(&PgPool::connect(database_url).await?, Some("good")).await?;
        let mut admin = PgConnection::connect(&server.url("")).await?;
        sqlx::raw_sql("CREATE ROLE careful LOGIN CREATEDB; CREATE ROLE certified LOGIN CREATEDB")
            .execute(&mut admin)
            .await?;
        let authority = server.authority();
        passes(
            &server,
            &format!("sslmode=verify-full&sslrootcert={authority}"),
            "Some(\"TLSv1.3\")",
        );
        passes(&server, "sslmode=require", "Some(\"TLSv1.3\")");
        fails(&server, "sslmode=verify-full", UNKNOWN);
        fails(&server, "sslmode=strict", MODE);
        let missing = "sslmode=verify-full&sslrootcert=/nowhere/ca.pem";
        says(&server, missing, &format!("{NO_FILE} `sslrootcert`"));
        let careful = server.with_user("careful");
        fails(&careful, "sslmode=disable", ["without encryption", FEATURE]);
        passes(&careful, "sslmode=require", "Some(\"TLSv1.3\")");
        let certified = server.with_user("certified");
        fails(
            &certified,
            "sslmode=require",
            [
                "with a client certificate only",
                "`sslcert=/path/client.crt&sslkey=",
            ],
        );
        Ok(())
    }

    #[green_light::test]
    async fn certificates_that_are_not(database_url: &str) -> sqlx::Result<()> {
        let pool = PgPool::connect(database_url).await?;
        for (name, mistake) in [("other", OTHER_NAME), ("old", EXPIRED), ("ca", AUTHORITY)] {
            let server = servers::postgres(&pool, Some(name)).await?;
            let authority = server.authority();
            fails(
                &server,
                &format!("sslmode=verify-full&sslrootcert={authority}"),
                mistake,
            );
        }
        Ok(())
    }

    #[green_light::test]
    async fn no_tls_at_the_server(database_url: &str) -> sqlx::Result<()> {
        let server = servers::postgres(&PgPool::connect(database_url).await?, None).await?;
        fails(&server, "sslmode=require", NO_TLS);
        passes(&server, "sslmode=prefer", "None");
        Ok(())
    }
}

mod on_mysql {
    use super::*;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::MySql
    }

    #[green_light::test]
    async fn a_certificate_that_is_good(database_url: &str) -> sqlx::Result<()> {
        let server = servers::mysql(&MySqlPool::connect(database_url).await?, Some("good")).await?;
        let authority = server.authority();
        passes(
            &server,
            &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={authority}"),
            "\"TLSv1.3\"",
        );
        passes(&server, "ssl-mode=REQUIRED", "\"TLSv1.3\"");
        fails(&server, "ssl-mode=VERIFY_CA", UNKNOWN);
        fails(&server, "ssl-mode=STRICT", MODE);
        let missing = "ssl-mode=VERIFY_CA&ssl-ca=/nowhere/ca.pem";
        says(&server, missing, &format!("{NO_FILE} `ssl-ca`"));
        fails(
            &server,
            "ssl-mode=DISABLED",
            ["takes this user over TLS only", FEATURE],
        );
        Ok(())
    }

    #[green_light::test]
    async fn certificates_that_are_not(database_url: &str) -> sqlx::Result<()> {
        let pool = MySqlPool::connect(database_url).await?;
        for (name, mistake) in [("other", OTHER_NAME), ("old", EXPIRED)] {
            let server = servers::mysql(&pool, Some(name)).await?;
            let authority = server.authority();
            fails(
                &server,
                &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={authority}"),
                mistake,
            );
        }
        Ok(())
    }

    #[green_light::test]
    async fn no_tls_at_the_server(database_url: &str) -> sqlx::Result<()> {
        let server = servers::mysql(&MySqlPool::connect(database_url).await?, None).await?;
        fails(&server, "ssl-mode=REQUIRED", NO_TLS);
        passes(&server, "ssl-mode=PREFERRED", "\"\"");
        Ok(())
    }
}
