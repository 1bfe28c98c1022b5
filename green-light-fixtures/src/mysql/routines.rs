//! What the triggers and routines of a template leave in the sessions that run them.

use crate::mysql::admin::{AdminConnection, names};
use crate::mysql::dialect::has_session_word;

/// Whether routines leave something in a session that a rollback does not take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoutineEffects {
    /// There are none, or they leave nothing.
    None,
    /// One of them may leave a variable, a lock or a temporary table.
    DirtySession,
}

impl RoutineEffects {
    /// Those of the database `name`.
    pub(crate) async fn of(
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        // One that may not be read is taken to leave something.
        let texts = format!(
            "SELECT action_statement FROM information_schema.triggers \
             WHERE trigger_schema = '{name}' UNION ALL \
             SELECT coalesce(routine_definition, '@') FROM information_schema.routines \
             WHERE routine_schema = '{name}'"
        );
        let texts = names(connection, texts).await?;
        Ok(match texts.iter().any(|text| has_session_word(text)) {
            true => Self::DirtySession,
            false => Self::None,
        })
    }
}
