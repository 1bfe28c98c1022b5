//! Connections: a pool has none left, or is closed; a server has none left.

use crate::report::explain::hint_provider::Concern;
use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &[
            "pool timed out while waiting for an open connection",
            "Failed to acquire connection from pool: Connection pool timed out",
            "ConnectionAcquire(Timeout)",
            "PoolTimedOut",
        ],
        meaning: "every connection of the pool was taken for as long as a query waits for one",
        place: false,
        concern: Some(Concern::Connections),
        help: "while a transaction or stream is open, pass that on instead of the pool; a pool of your own needs as \
               many connections as are held at once",
    },
    KnownError {
        words: &[
            "attempted to acquire a connection on a closed pool",
            "Failed to acquire connection from pool: Connection closed",
            "ConnectionAcquire(ConnectionClosed)",
            "PoolClosed",
        ],
        meaning: "the pool was closed before: its fixture was torn down, or something called `close`",
        place: false,
        concern: Some(Concern::ClosedPool),
        help: "ask for the pool by name in each test that uses it, instead of keeping a clone in a `static` or in a \
               task that outlives the test",
    },
    KnownError {
        words: &[
            "sorry, too many clients already",
            "remaining connection slots are reserved",
            "too many connections for role",
            "too many connections for database",
            "1040 (08004): Too many connections",
            "number: 1040, message: \"Too many connections\"",
            "max_user_connections",
        ],
        meaning: "the server has no connection left: tests that run at the same time opened more than it gives",
        place: false,
        concern: Some(Concern::NoConnection),
        help: "let pools that tests open from `session.url()` be small, with `max_connections(2)`: they are not counted \
               in the connections of all tests; run fewer tests at once with `--test-threads`, or raise \
               `max_connections` of the server",
    },
];
