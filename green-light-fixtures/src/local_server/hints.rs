//! What would make a server faster that we did not start: said once, never done.

use crate::server::admin_connection::AdminConnection;
use crate::server::query_ext::QueryExt as _;
use crate::url::DatabaseUrl;

/// Settings worth having on a server for tests, each with the statement that sets it.
struct Wish {
    setting: &'static str,
    value: &'static str,
    statement: &'static str,
    /// Another setting without which this one does nothing.
    with: Option<&'static str>,
}

/// What to say of a server with these settings, if anything.
fn hint(variable: &str, wishes: &[Wish], found: &[(String, String)], end: &str) -> Option<String> {
    let has = |name: &str, is: &dyn Fn(&str) -> bool| {
        let mut found = found.iter();
        found.any(|(setting, value)| setting == name && is(value))
    };
    let missing: Vec<_> = wishes
        .iter()
        .filter(|wish| {
            has(wish.setting, &|value| {
                !value.eq_ignore_ascii_case(wish.value)
            })
        })
        .filter(|wish| {
            let with = wish.with;
            with.is_none_or(|other| has(other, &|value| value.eq_ignore_ascii_case("on")))
        })
        .map(|wish| wish.statement)
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "hint: the server of `{variable}` guards its data against a crash of the machine; if it \
             holds nothing but tests, they are faster after `{}{end}`",
            missing.join("; ")
        )
    })
}

/// Of a PostgreSQL server; nothing if it cannot be asked, which the caller will find out as well.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres(variable: &str, url: &DatabaseUrl) -> Option<String> {
    const WISHES: [Wish; 3] = [
        Wish {
            setting: "fsync",
            value: "off",
            statement: "ALTER SYSTEM SET fsync = off",
            with: None,
        },
        Wish {
            setting: "full_page_writes",
            value: "off",
            statement: "ALTER SYSTEM SET full_page_writes = off",
            with: None,
        },
        Wish {
            setting: "synchronous_commit",
            value: "off",
            statement: "ALTER SYSTEM SET synchronous_commit = off",
            with: None,
        },
    ];
    let options = url.expose().parse().ok()?;
    let mut connection = AdminConnection::<sqlx::PgConnection>::connect(&options)
        .await
        .ok()?;
    let found = sqlx::query_as("SELECT name, setting FROM pg_catalog.pg_settings")
        .fetch_all_with(&mut connection)
        .await
        .ok()?;
    connection.close().await;
    hint(variable, &WISHES, &found, "; SELECT pg_reload_conf()")
}

/// Of a MySQL or MariaDB server; nothing if it cannot be asked.
#[cfg(feature = "mysql")]
pub(crate) async fn mysql(variable: &str, url: &DatabaseUrl) -> Option<String> {
    const WISHES: [Wish; 2] = [
        Wish {
            setting: "innodb_flush_log_at_trx_commit",
            value: "0",
            statement: "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
            with: None,
        },
        Wish {
            setting: "sync_binlog",
            value: "0",
            statement: "SET GLOBAL sync_binlog = 0",
            with: Some("log_bin"),
        },
    ];
    let options = url.expose().parse().ok()?;
    let mut connection = AdminConnection::<sqlx::MySqlConnection>::connect(&options)
        .await
        .ok()?;
    let found = sqlx::query_as("SHOW GLOBAL VARIABLES")
        .fetch_all_with(&mut connection)
        .await
        .ok()?;
    connection.close().await;
    hint(variable, &WISHES, &found, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_differs_and_nothing_else() {
        let wishes = ["a", "b", "c"].map(|setting| Wish {
            setting,
            value: "off",
            statement: match setting {
                "a" => "SET a",
                "b" => "SET b",
                _ => "SET c",
            },
            with: (setting == "b").then_some("log"),
        });
        let found = |a: &str, b: &str| vec![("a".into(), a.into()), ("b".into(), b.into())];
        assert_eq!(hint("V", &wishes, &found("off", "OFF"), ""), None);
        let text = hint("V", &wishes, &found("on", "off"), "; RELOAD").unwrap();
        assert!(text.starts_with("hint: the server of `V` "), "{text}");
        assert!(text.ends_with("faster after `SET a; RELOAD`"), "{text}");
        let mut of_no_use = found("off", "on");
        of_no_use.push(("log".into(), "OFF".into()));
        assert_eq!(hint("V", &wishes, &of_no_use, ""), None);
        of_no_use[2].1 = "ON".into();
        assert!(
            hint("V", &wishes, &of_no_use, "")
                .unwrap()
                .contains("SET b")
        );
    }
}
