//! A server that is not there, does not let a user in, or ends a connection.

use crate::report::explain::hint_provider::Concern;
use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &[
            "password authentication failed for user",
            "Peer authentication failed for user",
            "Ident authentication failed for user",
            "no pg_hba.conf entry for host",
            "pg_hba.conf rejects connection for host",
        ],
        meaning: "the server refused this user: the password, the host that connects, or the database is not one that \
                  it accepts",
        place: false,
        concern: None,
        help: "look at user, password, host and database of the URL that is connected to; in a test, `session.url()` \
               has those of the test's own database",
    },
    KnownError {
        words: &["Access denied for user"],
        meaning: "the server refused this user: the password, the host that connects, or the database is not one that \
                  it accepts; or it takes this user over TLS only, and the connection is not encrypted",
        place: false,
        concern: None,
        help: "look at user, password, host and database of the URL that is connected to; in a test, `session.url()` \
               has those of the test's own database; for TLS write `ssl-mode=REQUIRED` in the URL, for which sqlx \
               needs its feature `tls-rustls` or `tls-native-tls`",
    },
    KnownError {
        words: &[
            "role \" .. \" does not exist",
            "role \\\" .. \\\" does not exist",
        ],
        meaning: "the server has no role of this name; one that green-light has started has `postgres` alone",
        place: false,
        concern: None,
        help: "connect by `session.url()`; for `GRANT` and `SET ROLE`, make the role in the schema: `DO $$ BEGIN CREATE \
               ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$`, as roles belong to the server",
    },
    KnownError {
        words: &[
            "error returned from database: database \" .. \" does not exist",
            "message: \"database \\\" .. \\\" does not exist",
            "Unknown database '",
        ],
        meaning: "the server has no database of this name: one that green-light has made goes when its test ends",
        place: false,
        concern: None,
        help: "connect by `session.url()` of the test that runs, instead of a name or a URL that was kept",
    },
    KnownError {
        words: &[
            "error communicating with database: Connection refused",
            "error communicating with database: No such file or directory",
            "SqlxError(Io(Os { code: 111,",
            "SqlxError(Io(Os { code: 2,",
        ],
        meaning: "no database server listens there: it is not running, or host, port or socket is another one; or a \
                  file that the URL names (`sslrootcert`, `ssl-ca`) does not exist",
        place: false,
        concern: Some(Concern::LostConnection),
        help: "connect by `session.url()`, which names the server that tests use; or start the server of the URL",
    },
    KnownError {
        words: &["the database system is starting up"],
        meaning: "the server has been started and does not take connections yet",
        place: false,
        concern: None,
        help: "wait until it is ready before the tests begin: `pg_isready`, or a health check of its container; a \
               server that green-light starts is always ready",
    },
    KnownError {
        words: &[
            "Got a packet bigger than 'max_allowed_packet' bytes",
            "Result of .. was larger than max_allowed_packet",
        ],
        meaning: "a row or a statement is larger than the server takes at once",
        place: false,
        concern: None,
        help: "store it in pieces, or raise `max_allowed_packet` of the server, in production as well: \
               `SET GLOBAL max_allowed_packet = 1073741824` is the most, and new connections have it",
    },
    KnownError {
        words: &[
            "error communicating with database: ",
            "SqlxError(Io(",
            "terminating connection due to administrator command",
            "the database system is shutting down",
            "the database system is in recovery mode",
            "Server shutdown in progress",
            "expected to read .. bytes, got 0 bytes at EOF",
        ],
        meaning: "the connection to the database was lost while it was in use: the server closed it, or has ended",
        place: false,
        concern: Some(Concern::LostConnection),
        help: "look at the log of the server; on MySQL, a statement larger than `max_allowed_packet` also closes the \
               connection",
    },
    KnownError {
        words: &[
            "No space left on device",
            "could not extend file",
            "database or disk is full",
            "Disk full (",
        ],
        meaning: "a disk is full: the one of the database, or the one for temporary files",
        place: false,
        concern: None,
        help: "make room; green-light keeps its databases in `green-light` below the target directory, which \
               `cargo clean` empties",
    },
];
