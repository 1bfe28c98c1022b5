//! The picture of the fixtures, opened in a browser.

use serde_json::json;

use crate::browser::Browser;
use crate::command::{on_tests, text};
use crate::picture::keep_picture;

#[test]
fn a_picture_of_the_fixtures_has_all_names_in_their_boxes_in_both_themes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("graph.svg");
    let name = file.to_str().unwrap();
    let arguments = ["graph", "--tests", "--format", "svg", "--output", name];
    let output = on_tests(&arguments, "specimens", &["planned::one::"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    for dark in [false, true] {
        let browser = Browser::open(&file, dark);
        // A browser shows a file that is not well-formed as an error, or as a part.
        assert_eq!(
            browser.run("return document.documentElement.localName"),
            json!("svg")
        );
        assert_eq!(
            browser.run("return document.querySelector('parsererror')"),
            json!(null)
        );
        let names = "return [...document.querySelectorAll('text:not(.about)')].map((text) => text.textContent)";
        let names = browser.run(names);
        for name in ["coroutine_context", "desk", "hub", "planned::one::first"] {
            let times = names.as_array().unwrap().iter();
            let times = times.filter(|found| *found == name).count();
            assert_eq!(times, 1, "{name}: {names}");
        }
        let outside = browser.run(
            "return [...document.querySelectorAll('g')].filter((g) => {
               const [box, ...texts] = [...g.querySelectorAll('rect, text')].map((part) => part.getBBox());
               return texts.some((text) => text.x < box.x || text.x + text.width > box.x + box.width);
             }).map((g) => g.textContent)",
        );
        assert_eq!(outside, json!([]));
        let background = "return getComputedStyle(document.documentElement).backgroundColor";
        let expected = if dark {
            "rgb(13, 17, 23)"
        } else {
            "rgb(255, 255, 255)"
        };
        assert_eq!(browser.run(background), json!(expected));
        keep_picture(&browser, if dark { "graph-dark" } else { "graph-light" });
    }
}
