//! What passing tests probably do not mean, said once at the end of the process.

use crate::mutex::Mutex;
use crate::report::print::progress;

struct Remark {
    fact: &'static str,
    cure: &'static str,
    tests: Vec<String>,
}

static REMARKS: Mutex<Vec<Remark>> = Mutex::new(Vec::new());

/// Says at the end of the process, in one line, that `fact` is so in `test` and the others for which this is
/// called with the same words, and what to do about it. For crates of fixtures.
///
/// `test` is the name that libtest has for it: tests of two modules may have the same short name.
///
/// Nothing is said under nextest, where each test is a process.
pub fn remark(test: &str, fact: &'static str, cure: &'static str) {
    let mut remarks = REMARKS.lock();
    let known = remarks
        .iter_mut()
        .find(|remark| (remark.fact, remark.cure) == (fact, cure));
    let tests = vec![test.to_owned()];
    match known {
        Some(remark) => remark.tests.extend(tests),
        None => remarks.push(Remark { fact, cure, tests }),
    }
}

/// Prints a line for each.
pub(crate) fn print() {
    let mut remarks = REMARKS.lock();
    for Remark { fact, cure, tests } in &mut *remarks {
        tests.sort();
        tests.dedup();
        progress(&format!("{fact}, in {}; {cure}", in_words(tests)));
    }
}

fn in_words(tests: &[String]) -> String {
    match tests {
        [] => String::new(),
        [one] => format!("test `{one}`"),
        [one, other] => format!("tests `{one}` and `{other}`"),
        [first, others @ ..] => format!("test `{first}` and {} others", others.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_test_or_two_and_counts_the_others() {
        let all = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(in_words(&all[..1]), "test `a`");
        assert_eq!(in_words(&all[..2]), "tests `a` and `b`");
        assert_eq!(in_words(&all), "test `a` and 2 others");
    }
}
