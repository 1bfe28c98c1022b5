//! Pools of connections: all taken, or closed.

use super::known::Known;

pub(super) const KNOWN: &[Known] = &[
    Known {
        words: &[
            "pool timed out while waiting for an open connection",
            "Failed to acquire connection from pool: Connection pool timed out",
            "ConnectionAcquire(Timeout)",
            "PoolTimedOut",
        ],
        meaning: "every connection of the pool was taken for as long as a query waits for one",
        place: false,
        help: "while a transaction or stream is open, pass that on instead of the pool; a pool of your own needs as \
               many connections as are held at once",
    },
    Known {
        words: &[
            "attempted to acquire a connection on a closed pool",
            "Failed to acquire connection from pool: Connection closed",
            "ConnectionAcquire(ConnectionClosed)",
            "PoolClosed",
        ],
        meaning: "the pool was closed before: its fixture was torn down, or something called `close`",
        place: false,
        help: "ask for the pool by name in each test that uses it, instead of keeping a clone in a `static` or in a \
               task that outlives the test",
    },
];
