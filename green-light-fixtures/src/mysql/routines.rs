//! What the triggers and routines of a template leave in the sessions that run them.

use crate::mysql::admin::{AdminConnection, names};
use crate::mysql::dialect::has_session_word;

/// Whether a session in which a test ran can go to the next one, as far as programs are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoutineEffects {
    /// There are none, or they leave nothing in a session.
    Passing,
    /// One of them may leave a variable, a lock or a temporary table.
    Leaving,
}

impl RoutineEffects {
    /// Those of the database `name`.
    pub(crate) async fn of(
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        // What may not be read is taken for the worst.
        let texts = format!(
            "SELECT action_statement FROM information_schema.triggers \
             WHERE trigger_schema = '{name}' UNION ALL \
             SELECT coalesce(routine_definition, '@') FROM information_schema.routines \
             WHERE routine_schema = '{name}'"
        );
        let texts = names(connection, texts).await?;
        Ok(match texts.iter().any(|text| has_session_word(text)) {
            true => Self::Leaving,
            false => Self::Passing,
        })
    }
}
