//! Why something of a predicted run ended early.

/// Why something ended early.
#[derive(Clone)]
pub(crate) struct Fail {
    pub(crate) messages: Vec<String>,
    pub(crate) is_skip: bool,
}

impl Fail {
    pub(crate) fn error(message: String) -> Self {
        Self {
            messages: vec![message],
            is_skip: false,
        }
    }

    /// Several at once; pytest tells the latest first.
    pub(crate) fn group(mut fails: Vec<Self>) -> Result<(), Self> {
        match fails.len() {
            0 => Ok(()),
            1 => Err(fails.remove(0)),
            _ => Err(Self {
                messages: fails
                    .into_iter()
                    .rev()
                    .flat_map(|fail| fail.messages)
                    .collect(),
                is_skip: false,
            }),
        }
    }
}
