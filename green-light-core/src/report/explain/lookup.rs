//! Finds what is known about a failure.

use std::fmt::Write;

use crate::report::explain::known::KnownError;
use crate::report::explain::thread_context::ThreadContext;
use crate::report::explain::{
    executor, hint_provider, pool, refused, rights, runtime, server, shared, tables, tls,
    transaction,
};
use crate::report::failure::Failure;

/// Everything that is known. The first that fits is printed.
const ALL: [&[KnownError]; 10] = [
    runtime::KNOWN,
    executor::KNOWN,
    pool::KNOWN,
    transaction::KNOWN,
    refused::KNOWN,
    tls::KNOWN,
    rights::KNOWN,
    server::KNOWN,
    shared::KNOWN,
    tables::KNOWN,
];

/// Whether there is something to say about this text.
pub(crate) fn is_known(text: &str) -> bool {
    find(text).is_some()
}

/// What to do about an error with this text, if it is one that is known; for errors that crates of fixtures
/// make.
///
/// ```
/// let error = "sorry, too many clients already";
/// assert!(green_light_core::help_for(error).is_some_and(|help| help.contains("--test-threads")));
/// ```
#[must_use]
pub fn help_for(text: &str) -> Option<&'static str> {
    find(text).map(|known| known.help)
}

fn find(text: &str) -> Option<&'static KnownError> {
    ALL.iter()
        .copied()
        .flatten()
        .find(|known| known.is_in(text))
}

/// The lines to print below a failure, each after a line break; empty if nothing is known about it, or if
/// the failure itself says what to do, as the errors of green-light do.
pub(crate) fn explain(failure: &Failure) -> String {
    if failure.message.contains("\n  help: ") {
        return String::new();
    }
    let mut texts = std::iter::once(&failure.message).chain(&failure.causes);
    let Some(known) = texts.find_map(|text| find(text)) else {
        return String::new();
    };
    tell(known, failure.panic_place.as_deref())
}

/// The same about a panic on a thread that belongs to no test, so that no test reports it.
pub(crate) fn explain_panic(message: &str, place: &ThreadContext) -> Option<String> {
    find(message).map(|known| tell(known, Some(place)))
}

fn tell(known: &KnownError, place: Option<&ThreadContext>) -> String {
    if let Some(advice) = known.concern.and_then(hint_provider::ask) {
        return format!("\n  what it means: {advice}");
    }
    let mut text = format!("\n  what it means: {}", known.meaning);
    if let Some(place) = place.filter(|_| known.place) {
        let _ = write!(text, "\n  where: {place}");
    }
    let _ = write!(text, "\n  help: {}", known.help);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_explained_by_what_it_belongs_to() {
        for known in ALL.iter().copied().flatten() {
            for words in known.words {
                let found = find(&format!("something failed: {words}")).map(|found| found.meaning);
                assert_eq!(found, Some(known.meaning), "{words}");
            }
        }
    }

    #[test]
    fn a_cause_is_explained_like_a_message() {
        let mut failure = Failure::new("the order was not placed");
        assert_eq!(explain(&failure), "");
        failure
            .causes
            .push("pool timed out while waiting for an open connection".to_owned());
        assert!(explain(&failure).contains("\n  what it means: every connection"));
    }

    #[test]
    fn an_error_that_says_what_to_do_is_not_explained_again() {
        let mut failure = Failure::new("the server lets nobody in\n  help: raise its limit");
        failure
            .causes
            .push("sorry, too many clients already".to_owned());
        assert_eq!(explain(&failure), "");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_apart() {
        const OPENSSL: &str = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify \
                               failed:../ssl/statem/statem_clnt.c:1889:";
        let native = |why: &str| {
            format!(
                "error occurred while attempting to establish a TLS connection: {OPENSSL} ({why})"
            )
        };
        let debugged = |why: &str| {
            format!(
                "Tls(Ssl(Error {{ code: ErrorCode(1), cause: Some(Ssl(ErrorStack([Error {{ reason: \
                 \"certificate verify failed\", line: 1889 }}]))) }}, X509VerifyResult {{ code: 20, error: {why:?} }}))"
            )
        };
        for (why, meaning) in [
            (
                "self-signed certificate in certificate chain",
                "no authority",
            ),
            ("unable to get local issuer certificate", "no authority"),
            ("hostname mismatch", "another host name"),
            ("Hostname mismatch", "another host name"),
            ("IP address mismatch", "another host name"),
            ("certificate has expired", "has expired"),
            ("EE certificate key too weak", "did not agree"),
        ] {
            for text in [native(why), debugged(why)] {
                let known = find(&text).map_or("", |known| known.meaning);
                assert!(known.contains(meaning), "{text}: {known}");
            }
        }
    }

    #[test]
    fn an_applications_own_words_are_left_alone() {
        for text in [
            "the connection was closed by the peer",
            "the request timed out while waiting for a connection",
            "reactor 4 is not running",
            "cannot start the runtime",
            "the transaction is aborted",
            "a pool is needed",
            "expected a Tokio runtime",
            "this cannot run inside a transaction",
            "the role does not exist",
            "the user \"ann\" does not exist",
            "access denied",
            "connection refused",
            "no space left in the basket",
            "certificate expired",
        ] {
            assert!(!is_known(text), "{text}");
        }
    }

    #[test]
    fn texts_are_in_the_house_style() {
        for known in ALL.iter().copied().flatten() {
            for text in [known.meaning, known.help] {
                assert!(!text.ends_with('.'), "{text}");
                assert!(!text.starts_with(char::is_uppercase), "{text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{text}");
            }
        }
    }
}
