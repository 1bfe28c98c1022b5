//! Settings that would make a server faster that green-light did not start. They are reported once, never set.

use sqlx::{Connection, Database, FromRow};

use crate::local_server::program::{ServerProgram, Settings};
use crate::server::admin_connection::AdminConnection;
use crate::server::server_connection::ServerConnection;
use crate::url::DatabaseUrl;

/// The rows of `query`: the settings of the server at `url`, with their values. `None` if it cannot be asked.
pub(crate) async fn settings<C: ServerConnection>(
    url: &DatabaseUrl,
    query: &'static str,
) -> Option<Settings>
where
    (String, String): for<'r> FromRow<'r, <C::Database as Database>::Row>,
{
    let options: <C as Connection>::Options = url.expose().parse().ok()?;
    let mut connection = AdminConnection::<C>::connect(&options).await.ok()?;
    let rows = connection.fetch_all(query).await.ok()?;
    connection.close().await;
    rows.iter().map(|row| FromRow::from_row(row).ok()).collect()
}

/// What would make a server with the settings `found` faster, if anything.
pub(crate) fn hint(program: &ServerProgram, found: &[(String, String)]) -> Option<String> {
    let value = |name: &str| {
        let mut found = found.iter();
        found.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    };
    let is = |name, expected| value(name).map(|value| value.eq_ignore_ascii_case(expected));
    let statements: Vec<_> = program
        .recommended
        .iter()
        .filter(|setting| is(setting.name, setting.value) == Some(false))
        .filter(|setting| {
            setting
                .requires
                .is_none_or(|other| is(other, "on") == Some(true))
        })
        .map(|setting| setting.statement)
        .collect();
    (!statements.is_empty()).then(|| {
        format!(
            "hint: the server of `{}` guards its data against a crash of the machine; if it holds nothing but \
             tests, they are faster after `{}{}`",
            program.variable,
            statements.join("; "),
            program.reload
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_server::program::RecommendedSetting;
    use crate::postgres::local_server::POSTGRES;

    const fn setting(
        name: &'static str,
        statement: &'static str,
        requires: Option<&'static str>,
    ) -> RecommendedSetting {
        RecommendedSetting {
            name,
            value: "off",
            statement,
            requires,
        }
    }

    #[test]
    fn names_settings_that_differ_and_no_others() {
        let program = ServerProgram {
            variable: "V",
            recommended: const {
                &[
                    setting("a", "SET a", None),
                    setting("b", "SET b", Some("log")),
                    setting("c", "SET c", None),
                ]
            },
            reload: "; RELOAD",
            ..POSTGRES
        };
        let hint = |found: &[(&str, &str)]| {
            let found = found
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            hint(&program, &found.collect::<Vec<_>>())
        };
        assert_eq!(hint(&[("a", "off"), ("b", "OFF")]), None);
        let text = hint(&[("a", "on"), ("b", "off")]).unwrap();
        assert!(text.starts_with("hint: the server of `V` "), "{text}");
        assert!(text.ends_with("faster after `SET a; RELOAD`"), "{text}");
        assert_eq!(hint(&[("a", "off"), ("b", "on"), ("log", "OFF")]), None);
        let text = hint(&[("a", "off"), ("b", "on"), ("log", "ON")]);
        assert!(text.unwrap().contains("SET b"));
    }
}
