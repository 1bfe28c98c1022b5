//! What the account of a test may not do, because all tests of a server would see it.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &[
            // MySQL and MariaDB: `CREATE DATABASE`, `GRANT`, `mysql.user`.
            "Access denied for user 'green_light'@'localhost' ",
            "denied to user 'green_light'@'localhost'",
            // `SET GLOBAL`, `CREATE USER`, `INSTALL PLUGIN`, `KILL`: the account is not named.
            "Access denied; you need (at least one of) the ",
            "You are not owner of thread ",
            "You are not owner of query ",
        ],
        meaning: "the account of the test may not do this: accounts, other databases, global variables, plugins and \
                  connections belong to the whole server, on which other tests run. On a server that green-light \
                  starts, tests have the account `green_light@localhost`, which may do everything in their own \
                  databases",
        place: false,
        concern: None,
        help: "move it into the schema, which an administrator applies once: accounts, roles and grants go there; write \
               `SET SESSION` for `SET GLOBAL`; tables of a second database can stand in the database of the test; \
               where none of that will do, name a server of your own, and an account with that right, in \
               `GREEN_LIGHT_MYSQL_URL`",
    },
    KnownError {
        words: &["The storage engine for the table doesn't support SAVEPOINT"],
        meaning: "a transaction of the application is a savepoint in the transaction that isolates the test, and \
                  MariaDB sets none once a table of Aria was read or written there, such as those of the database \
                  `mysql`; the rows that the test had written are lost then",
        place: false,
        concern: None,
        help: "write `#[green_light::test(isolation = database)]` for a test that uses such a table, or \
               `ENGINE = InnoDB` for a table of your own",
    },
];
