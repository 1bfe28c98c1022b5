//! What a clone does not inherit from its template, and gets by statements: settings of the database
//! and of roles in it, privileges, the comment.
//!
//! Each statement is kept with [`NAME`] in place of the database.

use sqlx::Row as _;

use crate::postgres::admin::{AdminConnection, literal, quoted};

/// Stands for the name of the clone.
const NAME: &str = "$database$";

/// Settings whose values are lists of names, which the server keeps as SQL writes them.
pub(crate) const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Reads the statements that make a clone of `template` like it. `mark` goes into the comment.
pub(crate) async fn read(
    connection: &mut AdminConnection,
    template: &str,
    mark: &str,
) -> Result<Vec<String>, sqlx::Error> {
    let mut statements = Vec::new();
    let database = sqlx::query(
        "SELECT oid, shobj_description(oid, 'pg_database'), datconnlimit, datacl IS NOT NULL, \
         pg_get_userbyid(datdba), current_user::text FROM pg_database WHERE datname = $1",
    );
    let row = connection.fetch_one(database.bind(template)).await?;
    let oid: sqlx::postgres::types::Oid = row.try_get(0)?;
    let comment: Option<String> = row.try_get(1)?;
    let comment = comment.unwrap_or_default().replace(mark, "");
    let comment = format!("{} {mark}", comment.trim());
    statements.push(format!(
        "COMMENT ON DATABASE {NAME} IS {}",
        literal(comment.trim())
    ));
    let limit: i32 = row.try_get(2)?;
    if limit != -1 {
        statements.push(format!("ALTER DATABASE {NAME} CONNECTION LIMIT {limit}"));
    }
    settings(connection, oid, &mut statements).await?;
    if row.try_get(3)? {
        privileges(connection, oid, &mut statements).await?;
    }
    let (owner, role): (String, String) = (row.try_get(4)?, row.try_get(5)?);
    if owner != role {
        // Last: another owner's database is not ours to alter.
        statements.push(format!("ALTER DATABASE {NAME} OWNER TO {}", quoted(&owner)));
    }
    Ok(statements)
}

async fn settings(
    connection: &mut AdminConnection,
    oid: sqlx::postgres::types::Oid,
    statements: &mut Vec<String>,
) -> Result<(), sqlx::Error> {
    let settings = sqlx::query_as(
        "SELECT r.rolname::text, unnest(s.setconfig) FROM pg_db_role_setting s \
         LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = $1",
    );
    let settings: Vec<(Option<String>, String)> = connection.fetch_all(settings.bind(oid)).await?;
    for (role, setting) in settings {
        let Some((name, value)) = setting.split_once('=') else {
            continue;
        };
        let whose = match role {
            Some(role) => format!("ALTER ROLE {} IN DATABASE {NAME}", quoted(&role)),
            None => format!("ALTER DATABASE {NAME}"),
        };
        let value = if LISTS.contains(&name) {
            value.to_owned()
        } else {
            literal(value)
        };
        let name: Vec<_> = name.split('.').map(quoted).collect();
        statements.push(format!("{whose} SET {} TO {value}", name.join(".")));
    }
    Ok(())
}

async fn privileges(
    connection: &mut AdminConnection,
    oid: sqlx::postgres::types::Oid,
    statements: &mut Vec<String>,
) -> Result<(), sqlx::Error> {
    statements.push(format!("REVOKE ALL ON DATABASE {NAME} FROM PUBLIC"));
    let granted = sqlx::query_as(
        "SELECT a.privilege_type, r.rolname::text, a.is_grantable \
         FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee \
         WHERE d.oid = $1",
    );
    let granted: Vec<(String, Option<String>, bool)> =
        connection.fetch_all(granted.bind(oid)).await?;
    for (privilege, role, is_grantable) in granted {
        let role = role.map_or_else(|| "PUBLIC".to_owned(), |role| quoted(&role));
        let option = if is_grantable {
            " WITH GRANT OPTION"
        } else {
            ""
        };
        statements.push(format!(
            "GRANT {privilege} ON DATABASE {NAME} TO {role}{option}"
        ));
    }
    Ok(())
}

/// The statements for the clone `name`, as one text.
pub(crate) fn of(statements: &[String], name: &str) -> String {
    let name = quoted(name);
    let statements: Vec<_> = statements
        .iter()
        .map(|statement| statement.replacen(NAME, &name, 1))
        .collect();
    statements.join(";\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_put_in_once_and_quoted() {
        let statements = vec![
            format!("COMMENT ON DATABASE {NAME} IS 'a {NAME}'"),
            format!("ALTER DATABASE {NAME} SET a TO 'b'"),
        ];
        assert_eq!(
            of(&statements, "x\"y"),
            format!(
                "COMMENT ON DATABASE \"x\"\"y\" IS 'a {NAME}';\nALTER DATABASE \"x\"\"y\" SET a TO 'b'"
            ),
        );
    }
}
