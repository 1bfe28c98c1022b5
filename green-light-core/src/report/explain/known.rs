//! One message, or several with the same cause.

use crate::report::explain::hint_provider::Concern;

/// Messages that mean the same here.
#[derive(Debug)]
pub(crate) struct KnownError {
    /// Their own words, one of which has to be in the text: what `Display` prints, and what `Debug` does,
    /// for errors that end in an `unwrap`. ` .. ` stands for any text on the same line.
    pub(crate) words: &'static [&'static str],
    /// What happened.
    pub(crate) meaning: &'static str,
    /// Whether the runtime and the context around a panic say more about it.
    pub(crate) place: bool,
    /// What a fixture is asked that may know more about it.
    pub(crate) concern: Option<Concern>,
    /// What to write instead.
    pub(crate) help: &'static str,
}

impl KnownError {
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.words.iter().any(|words| has(text, words))
    }
}

/// Whether `words` are in one line of `text`.
fn has(text: &str, words: &str) -> bool {
    if !words.contains(GAP) {
        return text.contains(words);
    }
    text.lines().any(|line| {
        let mut rest = line;
        words.split(GAP).all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

/// Stands for any text.
const GAP: &str = " .. ";

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_gap_is_any_text_of_one_line() {
        let words = "role \" .. \" does not exist";
        assert!(has("a\nrole \"app\" does not exist at line 3", words));
        assert!(!has("role \"app\"\n\" does not exist", words));
        assert!(!has("\" does not exist: role \"app\"", words));
        assert!(has("role \" .. \" does not exist", words));
    }
}
