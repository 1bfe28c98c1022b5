//! Undoes what tests have changed in a PostgreSQL server of ours.
//!
//! What is new is dropped by the statement for it, so that what depends on it goes as well. What was changed or is gone
//! gets its row in the catalog again, with the same number: no other statement brings a role back to which rights and
//! objects refer, or a password that is known as a hash alone.

use std::collections::BTreeMap;

use crate::postgres::admin::{AdminConnection, literal, quoted};
use crate::postgres::database_properties::LISTS;
use crate::postgres::server::PostgresServer;
use crate::server::changes::{Change, Key};
use crate::server::driver::ServerAccess as _;

/// Nobody waits for what a test has left locked.
const PATIENCE: &str = "SET lock_timeout = '2s'";

/// In this order, once what new roles own is dropped: a role comes before what refers to it.
const ORDER: [&str; 10] = [
    "pg_file_settings",
    "pg_database",
    "pg_replication_slots",
    "pg_replication_origin",
    "pg_tablespace",
    "pg_authid",
    "pg_auth_members",
    "pg_db_role_setting",
    "pg_shdescription",
    "pg_shseclabel",
];

/// What a role has, besides its number.
const ROLE: [&str; 11] = [
    "rolname",
    "rolsuper",
    "rolinherit",
    "rolcreaterole",
    "rolcreatedb",
    "rolcanlogin",
    "rolreplication",
    "rolbypassrls",
    "rolconnlimit",
    "rolpassword",
    "rolvaliduntil",
];

/// Undoes the changes. Returns those that are not undone, with the reasons.
///
/// By the connection that is there: one of the changes may be that no other one can be opened.
pub(crate) async fn undo(
    server: &PostgresServer,
    admin: &mut AdminConnection,
    changes: &[Change],
) -> Result<BTreeMap<Key, String>, sqlx::Error> {
    admin.run(PATIENCE.to_owned()).await?;
    let mut failed = BTreeMap::new();
    for change in changes {
        if change.key.0 == "pg_authid"
            && change.before.is_none()
            && let Err(error) = drop_what_role_owns(server, admin, &change.key.1).await
        {
            failed.insert(change.key.clone(), error.to_string());
        }
    }
    for place in ORDER {
        let mut here: Vec<_> = changes
            .iter()
            .filter(|change| change.key.0 == place)
            .collect();
        // A role that may not log in any more is one of those that changed, and others need it.
        here.sort_by_key(|change| change.before.is_none());
        for change in here {
            if let Err(error) = undo_one(server, admin, change).await {
                failed.insert(change.key.clone(), error.to_string());
            }
        }
    }
    admin.run("SET lock_timeout = 0".to_owned()).await?;
    Ok(failed)
}

async fn undo_one(
    server: &PostgresServer,
    admin: &mut AdminConnection,
    change: &Change,
) -> Result<(), sqlx::Error> {
    let (place, key) = (change.key.0.as_str(), change.key.1.as_str());
    let statements = match (place, &change.before) {
        ("pg_file_settings", before) => vec![
            alter_system(key, before.as_deref()),
            "SELECT pg_reload_conf()".to_owned(),
        ],
        ("pg_database", None) => {
            let name = name_of(
                admin,
                "SELECT datname::text FROM pg_database WHERE oid = $1::oid",
                key,
            );
            let Some(name) = name.await? else {
                return Ok(());
            };
            let (name, force) = (
                quoted(&name),
                match server.info.version {
                    130_000.. => " WITH (FORCE)",
                    _ => "",
                },
            );
            vec![
                format!("ALTER DATABASE {name} WITH IS_TEMPLATE false"),
                format!("DROP DATABASE {name}{force}"),
            ]
        }
        ("pg_database", Some(before)) => vec![update(
            place,
            &[
                "datname",
                "datdba",
                "datacl",
                "datconnlimit",
                "datallowconn",
                "datistemplate",
            ],
            key,
            before,
        )],
        ("pg_replication_slots", None) => {
            vec![format!("SELECT pg_drop_replication_slot({})", literal(key))]
        }
        ("pg_replication_slots", Some(_)) => return Err(cannot("it cannot be made again")),
        ("pg_replication_origin", None) => vec![format!(
            "SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin WHERE roident = {key}"
        )],
        ("pg_tablespace", None) => {
            let name = name_of(
                admin,
                "SELECT spcname::text FROM pg_tablespace WHERE oid = $1::oid",
                key,
            );
            let Some(name) = name.await? else {
                return Ok(());
            };
            vec![format!("DROP TABLESPACE {}", quoted(&name))]
        }
        ("pg_tablespace", Some(before)) => vec![update(
            place,
            &["spcname", "spcowner", "spcacl", "spcoptions"],
            key,
            before,
        )],
        ("pg_authid", None) => {
            let name = name_of(
                admin,
                "SELECT rolname::text FROM pg_roles WHERE oid = $1::oid",
                key,
            );
            let Some(name) = name.await? else {
                return Ok(());
            };
            vec![format!("DROP ROLE {}", quoted(&name))]
        }
        // Deleted, the role of this connection could not be made again.
        ("pg_authid", Some(before)) if change.now.is_some() => {
            vec![update(place, &ROLE, key, before)]
        }
        ("pg_auth_members", None) => vec![revoke(key, server.info.version)],
        (_, before) => vec![replace(place, key, before.as_deref())],
    };
    for statement in statements {
        admin.run(statement).await?;
    }
    Ok(())
}

fn cannot(why: &str) -> sqlx::Error {
    sqlx::Error::Protocol(why.to_owned())
}

async fn name_of(
    admin: &mut AdminConnection,
    query: &'static str,
    key: &str,
) -> Result<Option<String>, sqlx::Error> {
    let key: i64 = key.parse().map_err(|_| cannot("it has no number"))?;
    admin
        .fetch_optional(sqlx::query_scalar(query).bind(key))
        .await
}

/// The statement that gives the server a setting back, which cannot be one of several in a text.
fn alter_system(name: &str, before: Option<&str>) -> String {
    let quoted_name: Vec<_> = name.split('.').map(quoted).collect();
    let quoted_name = quoted_name.join(".");
    let Some(before) = before else {
        return format!("ALTER SYSTEM RESET {quoted_name}");
    };
    let value = before.trim_start_matches('=');
    let value = match LISTS.contains(&name) && !value.is_empty() {
        true => value.to_owned(),
        false => literal(value),
    };
    format!("ALTER SYSTEM SET {quoted_name} = {value}")
}

/// In every database of tests, and in this one, drops what a new role owns and the rights that it has.
async fn drop_what_role_owns(
    server: &PostgresServer,
    admin: &mut AdminConnection,
    key: &str,
) -> Result<(), sqlx::Error> {
    let query = "SELECT rolname::text FROM pg_roles WHERE oid = $1::oid";
    let Some(name) = name_of(admin, query, key).await? else {
        return Ok(());
    };
    let drop = format!("DROP OWNED BY {} CASCADE", quoted(&name));
    let databases = sqlx::query_scalar(
        "SELECT DISTINCT datname::text FROM pg_shdepend JOIN pg_database d ON d.oid = dbid \
         WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1::oid AND datallowconn \
           AND datname ~ '^gl_d_'",
    );
    let number: i64 = key.parse().unwrap_or_default();
    let databases: Vec<String> = admin.fetch_all(databases.bind(number)).await?;
    for database in databases {
        let mut inside = AdminConnection::connect_when_free(&server.options_of(&database)).await?;
        inside.run(PATIENCE.to_owned()).await?;
        let dropped = inside.run(drop.clone()).await;
        inside.close().await;
        dropped?;
    }
    admin.run(drop).await
}

fn revoke(key: &str, version: i32) -> String {
    let numbers: Vec<_> = key.split(' ').collect();
    let [role, member, grantor] = numbers[..] else {
        return String::new();
    };
    let by = match version {
        160_000.. => format!(" || format(' GRANTED BY %s', {grantor}::oid::regrole)"),
        _ => String::new(),
    };
    format!(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_auth_members WHERE roleid = {role} AND member = {member}) THEN
           EXECUTE format('REVOKE %s FROM %s', {role}::oid::regrole, {member}::oid::regrole){by}; END IF; END $$"
    )
}

/// Gives some columns of a row their values again.
fn update(table: &str, columns: &[&str], key: &str, before: &str) -> String {
    let set: Vec<_> = columns
        .iter()
        .map(|column| format!("{column} = was.{column}"))
        .collect();
    format!(
        "UPDATE pg_catalog.{table} t SET {} \
         FROM jsonb_populate_record(NULL::pg_catalog.{table}, {}) was WHERE t.oid = {key}",
        set.join(", "),
        literal(before),
    )
}

/// Puts a row of the catalog in the place of the one that is there now.
fn replace(table: &str, key: &str, before: Option<&str>) -> String {
    let columns = match table {
        "pg_auth_members" => "roleid, member, grantor",
        "pg_db_role_setting" => "setdatabase, setrole",
        "pg_shdescription" => "classoid, objoid",
        "pg_shseclabel" => "classoid, objoid, provider",
        "pg_replication_origin" => "roident",
        _ => "oid",
    };
    let mut text = format!(
        "DELETE FROM pg_catalog.{table} WHERE concat_ws(' ', {columns}) = {}",
        literal(key)
    );
    if let Some(before) = before {
        text.push_str(&format!(
            "; INSERT INTO pg_catalog.{table} \
             SELECT (jsonb_populate_record(NULL::pg_catalog.{table}, {})).*",
            literal(before)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_server_are_written_as_the_server_reads_them() {
        for (name, before, expected) in [
            ("work_mem", None, "ALTER SYSTEM RESET \"work_mem\""),
            (
                "app.x",
                Some("=it's"),
                "ALTER SYSTEM SET \"app\".\"x\" = 'it''s'",
            ),
            (
                "search_path",
                Some("=a, \"B\""),
                "ALTER SYSTEM SET \"search_path\" = a, \"B\"",
            ),
        ] {
            assert_eq!(alter_system(name, before), expected);
        }
    }

    #[test]
    fn a_row_is_found_by_what_makes_it_one() {
        let text = replace("pg_db_role_setting", "0 10", Some("{\"setrole\": \"10\"}"));
        assert!(text.starts_with("DELETE FROM pg_catalog.pg_db_role_setting WHERE concat_ws(' ', setdatabase, setrole) = '0 10'; INSERT"), "{text}");
        assert!(!replace("pg_shdescription", "1 2", None).contains("INSERT"));
    }
}
