//! Statements that a database refuses inside of a transaction, or in one that may only read.

use crate::report::explain::hint_provider::Concern;
use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &[
            // PostgreSQL: `CREATE INDEX CONCURRENTLY`, `VACUUM`, `CREATE DATABASE`, `ALTER SYSTEM` ..
            " cannot run inside a transaction block",
            " cannot be executed within a pipeline",
            // `COMMIT` in a procedure or a `DO` block.
            "invalid transaction termination",
            "cannot export a snapshot from a subtransaction",
            // SQLite.
            "cannot VACUUM from within a transaction",
            "cannot ATTACH database within transaction",
            "cannot DETACH database within transaction",
            "code: 1) database .. is locked",
            "code: 1, message: \"database .. is locked\"",
            "Safety level may not be changed inside a transaction",
            "temporary storage cannot be changed from within a transaction",
            "cannot change into wal mode from within a transaction",
            "cannot change out of wal mode from within a transaction",
            "cannot start a transaction within a transaction",
            // MySQL and MariaDB.
            "XAER_OUTSIDE",
            "you have active locked tables or an active transaction",
            "when there is an ongoing transaction",
            "Cannot modify @@session.sql_log_bin inside a transaction",
        ],
        meaning: "the database refuses this statement inside a transaction, and a test runs in one unless its \
                  isolation is `database`",
        place: false,
        concern: None,
        help: "write `#[green_light::test(isolation = database)]`: the test then has a database of its own and no \
               transaction around it; inside a transaction of the application the statement fails in production, too",
    },
    KnownError {
        words: &[
            // PostgreSQL.
            "SET TRANSACTION ISOLATION LEVEL must be called before any query",
            "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction",
            "SET TRANSACTION [NOT] DEFERRABLE must be called before any query",
            "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction",
            "transaction read-write mode must be set before any query",
            "cannot set transaction read-write mode inside a read-only transaction",
            "SET TRANSACTION SNAPSHOT must be called before any query",
            // MySQL and MariaDB.
            "Transaction characteristics can't be changed while a transaction is in progress",
            // SQLx.
            "attempted to call begin_with at non-zero transaction depth",
            "InvalidSavePointStatement",
        ],
        meaning: "isolation level, access mode and `BEGIN` can be chosen for an outermost transaction only, and a \
                  test runs in a transaction unless its isolation is `database`",
        place: false,
        concern: None,
        help: "write `#[green_light::test(isolation = database)]`: the test then has a database of its own, where \
               `begin_with_config(..)` and `begin_with(..)` do what they do in production",
    },
    KnownError {
        words: &[
            "unsafe use of new value \" .. \" of enum type",
            "unsafe use of new value \\\" .. \\\" of enum type",
        ],
        meaning: "a value that `ALTER TYPE .. ADD VALUE` has added can be used once that is committed, and a test \
                  runs in a transaction that is never committed unless its isolation is `database`",
        place: false,
        concern: None,
        help: "write `#[green_light::test(isolation = database)]`; in a migration, add the value in one migration \
               and use it in the next",
    },
    KnownError {
        words: &[
            // MySQL and MariaDB.
            "Cannot execute statement in a READ ONLY transaction",
        ],
        meaning: "the transaction may only read: a statement before this one has committed and so ended the \
                  transaction that isolates the test, which the test reports at its end; or it was begun that way",
        place: false,
        concern: Some(Concern::ReadOnly),
        help: "look for a statement that commits, such as `CREATE TABLE` or `TRUNCATE`, or a `CALL` of a procedure \
               that does; for such a test write `#[green_light::test(isolation = database)]`",
    },
    KnownError {
        words: &[
            // PostgreSQL.
            "cannot execute .. in a read-only transaction",
        ],
        meaning: "the transaction may only read: it was begun that way; or it is not the one that isolates the test, \
                  because a `ROLLBACK` as text has ended that one, or because this is a second connection",
        place: false,
        concern: Some(Concern::ReadOnly),
        help: "write through the session, or through a transaction that its `begin()` returns; for a test that needs several \
               connections write `#[green_light::test(isolation = database)]`",
    },
    KnownError {
        words: &[
            "code: 531) constraint failed",
            "code: 531, message: \"constraint failed\"",
        ],
        meaning: "a `COMMIT` sent as text was refused: it would have committed the transaction that isolates the test",
        place: false,
        concern: None,
        help: "write `transaction.commit()` on a transaction made by `begin()`; or `isolation = database` for a test \
               that has to send `COMMIT` itself",
    },
    KnownError {
        words: &[
            "code: 6) database table is locked",
            "code: 6, message: \"database table is locked\"",
        ],
        meaning: "the statement needs a table for itself while a query still reads from it; a checkpoint of the \
                  write-ahead log needs that no transaction is open",
        place: false,
        concern: None,
        help: "read the stream to its end, or drop it, before the table is changed; for a checkpoint write \
               `#[green_light::test(isolation = database)]`",
    },
];
