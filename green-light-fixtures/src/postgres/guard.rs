//! The SQL objects that guard the outer transaction of a test on PostgreSQL.

/// What every database of a sandbox holds besides its schema.
///
/// Other connections to the database may only read: what they wrote would be there for the next test.
///
/// `refuse_commit` fires when a transaction with a row in `guard` commits. It also fires on
/// `SET CONSTRAINTS ALL IMMEDIATE`: then it arms itself again, unless more text follows, which could be a commit.
///
/// It lets pass the message that ends a test, which it knows by the token of the transaction.
///
/// `check_guard` fails if the transaction is not the one that was begun for the test: its row in `guard` is not there.
///
/// `guard_again` arms it after a message that makes all constraints immediate and deferred again: see
/// [`commit`](super::commit).
///
/// `check_session` runs at the end of a test. It undoes what no rollback does: it releases advisory locks, deallocates
/// what the test prepared by `PREPARE` (statements of sqlx stay), forgets `currval` and `lastval`, and gives `random()`
/// another seed. It fails if the session cannot be made as it was: if the test changed columns, types, functions and
/// their like, rolled back or not, since statements that sqlx has prepared would describe other rows than they return;
/// and if it named one of `settings`, which a session never forgets again.
///
/// `sequence` has the position of each sequence in the template, and an eighth of its room: a sequence that has moved
/// further is reset at the end of a test, so that it never comes to its end. `reset_sequences` runs before another process gets the
/// database, and after a test of which it is not known what it did: a rollback does not reset sequences.
///
/// `settings` runs when a use of the connection is over. It closes cursors without `HOLD`, ends temporary tables as a
/// commit would, and returns the values of the settings that are watched, which every session has or the schema names. After a
/// use whose statements are not known `after_unseen` adds whether columns were changed, and how often each prepared
/// statement was run.
///
/// What happens to a temporary table at a commit is in no catalog. `note_temporary`, an event trigger, reads it from
/// the statement that makes the table. Where only a superuser could make that trigger, `end_temporary` reads what was
/// prepared.
///
/// The row of `traces` says what is known of the schema: see [`traces`](super::traces).
///
/// `content` has a digest of each table in the template, and `changed_tables` compares.
pub(crate) const SANDBOX_OBJECTS: &str = concat!(
    include_str!("guard.sql"),
    include_str!("traces.sql"),
    include_str!("on_commit.sql"),
    include_str!("seal.sql"),
);
