//! One message, or several with the same cause.

/// Messages that mean the same here.
#[derive(Debug)]
pub(super) struct Known {
    /// Their own words, one of which has to be in the text: what `Display` prints, and what `Debug` does,
    /// for errors that end in an `unwrap`.
    pub(super) words: &'static [&'static str],
    /// What happened.
    pub(super) meaning: &'static str,
    /// Whether the runtime and the context around a panic say more about it.
    pub(super) place: bool,
    /// Whether a fixture may know more about it.
    pub(super) asks: bool,
    /// What to write instead.
    pub(super) help: &'static str,
}

impl Known {
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.words.iter().any(|words| text.contains(words))
    }
}
