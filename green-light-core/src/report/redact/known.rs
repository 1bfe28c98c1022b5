//! Passwords that are known: hidden wherever they stand.

use std::{borrow::Cow, cmp::Reverse};

use crate::mutex::Mutex;
use crate::report::redact::spans::HIDDEN;

static KNOWN: Mutex<KnownSecrets> = Mutex::new(KnownSecrets(Vec::new()));

/// The shortest one that is looked for.
const SHORTEST: usize = 5;
/// The longest one that may be a word.
const LONGEST_WORD: usize = 15;

/// From here on, [`redacted`](crate::redacted) hides `secret` wherever it stands, also quoted. For crates of fixtures.
///
/// A password that may be a word, such as `postgres`, is hidden only where its surroundings show that it is a password:
/// it stands in too many other places. So is one of fewer than five letters.
pub fn hide_secret(secret: &str) {
    KNOWN.lock().add(secret);
}

/// `text` without those that are known.
pub(crate) fn without_known(text: Cow<'_, str>) -> Cow<'_, str> {
    KNOWN.lock().hide(text)
}

/// Secrets, each in the forms in which it may be printed, long ones first.
#[derive(Default)]
pub(crate) struct KnownSecrets(Vec<[String; 4]>);

impl KnownSecrets {
    pub(crate) fn add(&mut self, secret: &str) {
        if !is_distinct(secret) || self.0.iter().any(|forms| forms[0] == secret) {
            return;
        }
        self.0.push([
            secret.to_owned(),
            in_literal(secret),
            secret.replace('\'', "''"),
            secret.replace('\\', "\\\\").replace('\'', "\\'"),
        ]);
        // One that is part of another is hidden after it.
        self.0.sort_by_key(|forms| Reverse(forms[0].len()));
    }

    pub(crate) fn hide<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let forms = self.0.iter().flatten();
        forms.fold(text, |text, secret| match text.contains(secret.as_str()) {
            true => Cow::Owned(text.replace(secret.as_str(), HIDDEN)),
            false => text,
        })
    }
}

/// Whether it stands nowhere by chance.
pub(crate) fn is_distinct(secret: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || "-_".contains(c);
    secret.len() > LONGEST_WORD || secret.len() >= SHORTEST && !secret.chars().all(is_letter)
}

/// As `Debug` and JSON print it.
fn in_literal(secret: &str) -> String {
    let literal = format!("{secret:?}");
    literal[1..literal.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_hidden_wherever_they_stand_and_words_are_not() {
        let mut known = KnownSecrets::default();
        for secret in ["kn0wn-secret", "kn0wn's \\ \"secret\"", "postgres", "a1"] {
            known.add(secret);
        }
        let text = "a kn0wn-secret of postgres, a1, {\"kn0wn's \\\\ \\\"secret\\\"\"} and 'kn0wn''s \\ \"secret\"'";
        let shown = known.hide(Cow::Borrowed(text));
        assert_eq!(shown, "a *** of postgres, a1, {\"***\"} and '***'");
        let shown = known.hide(Cow::Borrowed("nothing"));
        assert!(matches!(shown, Cow::Borrowed(_)));
    }
}
