//! The page of a timeline, opened in a browser, clicked and looked at.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::command::{on_tests, text};
use crate::picture::keep_picture;

/// Makes the page of a run of a test program of this workspace.
fn page_of(directory: &Path, program: &str, selected: &[&str]) -> PathBuf {
    let page = directory.join("page.html");
    let arguments = ["timeline", "--output", page.to_str().unwrap()];
    let output = on_tests(&arguments, program, selected).output().unwrap();
    assert!(page.exists(), "{}", text(&output));
    page
}

/// How many points of the timeline have the colour that the style calls `name`.
fn points(browser: &Browser, name: &str) -> u64 {
    let script = format!(
        "const colour = getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim();
         const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
         const canvas = document.getElementById('lanes');
         const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
         let count = 0;
         for (let at = 0; at < data.length; at += 4) {{
           if (data[at] === r && data[at + 1] === g && data[at + 2] === b) count += 1;
         }}
         return count;"
    );
    browser.run(&script).as_u64().unwrap()
}

fn range(browser: &Browser) -> f64 {
    let script = "const { from, to } = document.getElementById('lanes').dataset; return to - from";
    browser.run(script).as_f64().unwrap()
}

/// Where the middle of a test is on the screen.
fn middle_of(browser: &Browser, name: &str) -> (i64, i64) {
    let script = format!(
        "const run = JSON.parse(document.getElementById('data').textContent);
         const test = run.tests.find((test) => test.name === {name:?});
         const canvas = document.getElementById('lanes');
         const box = canvas.getBoundingClientRect();
         const {{ from, to }} = canvas.dataset;
         const x = box.left + 34 + ((test.began + test.ended) / 2 - from) / (to - from) * (box.width - 34);
         const lane = (box.height - 24 - 6) / run.lanes;
         return [Math.round(x), Math.round(box.top + 24 + (test.lane + 0.5) * lane)];"
    );
    let at = browser.run(&script);
    (at[0].as_i64().unwrap(), at[1].as_i64().unwrap())
}

fn click_at(browser: &Browser, (x, y): (i64, i64)) {
    browser.act(&json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": [
        { "type": "pointerMove", "duration": 0, "x": x, "y": y },
        { "type": "pointerDown", "button": 0 }, { "type": "pointerUp", "button": 0 },
    ] }));
}

#[test]
fn a_thousand_tests_are_drawn_searched_zoomed_and_chosen_in_both_themes() {
    let directory = tempfile::tempdir().unwrap();
    let page = page_of(directory.path(), "thousand", &["--test-threads", "8"]);
    for dark in [false, true] {
        let browser = Browser::open(&page, dark);
        browser.wait_until("document.getElementById('lanes').dataset.drawn === '1000'");
        let theme = if dark { "dark" } else { "light" };
        assert_eq!(
            browser.run("return document.documentElement.dataset.theme"),
            json!(theme)
        );
        assert_eq!(
            browser.run("return document.getElementById('list').getAttribute('aria-rowcount')"),
            json!("1000")
        );
        for colour in ["body", "setup", "lane"] {
            assert!(
                points(&browser, colour) > 500,
                "{theme}: little of `{colour}` is drawn"
            );
        }
        // No row of the list but those in sight.
        assert!(
            browser
                .run("return document.querySelectorAll('#rows tr').length")
                .as_u64()
                .unwrap()
                < 60
        );
        keep_picture(&browser, &format!("thousand-{theme}"));
        if dark {
            assert_eq!(browser.complaints(), Vec::<Value>::new());
            continue;
        }

        // Search, and go to what was found.
        browser.write("#search", "g3::m4");
        assert_eq!(browser.text("#found"), "10 of 1,000");
        browser.write("#search", "\u{e007}");
        assert!(browser.text("#details-title").starts_with("g3::m4::"));
        browser.wait_until("document.getElementById('lanes').dataset.drawn < 1000");
        keep_picture(&browser, "thousand-search");
        browser.write("#search", "\u{e00c}");
        assert_eq!(browser.text("#found"), "");

        // Zoom by keys, by buttons and by the wheel.
        browser.write("#lanes", "0");
        browser.wait_until("document.getElementById('lanes').dataset.drawn === '1000'");
        let whole = range(&browser);
        browser.click("#in");
        browser.wait_until(&format!(
            "((d) => d.to - d.from < {whole} * 0.51)(document.getElementById('lanes').dataset)"
        ));
        browser.click("#out");
        browser.wait_until("document.getElementById('lanes').dataset.drawn === '1000'");
        browser.write("#lanes", "+");
        browser.wait_until(&format!(
            "((d) => d.to - d.from < {whole} * 0.51)(document.getElementById('lanes').dataset)"
        ));
        browser.click("#all");
        browser.wait_until("document.getElementById('lanes').dataset.drawn === '1000'");
        let at = middle_of(&browser, "g5::m5::t5");
        browser.act(&json!({ "type": "wheel", "id": "wheel", "actions": [
            { "type": "scroll", "x": at.0, "y": at.1, "deltaX": 0, "deltaY": -300 },
            { "type": "scroll", "x": at.0, "y": at.1, "deltaX": 0, "deltaY": -300 },
            { "type": "scroll", "x": at.0, "y": at.1, "deltaX": 0, "deltaY": -300 },
        ] }));
        browser.wait_until(&format!(
            "((d) => d.to - d.from < {whole} * 0.2)(document.getElementById('lanes').dataset)"
        ));
        // What was under the pointer still is.
        click_at(&browser, middle_of(&browser, "g5::m5::t5"));
        assert_eq!(browser.text("#details-title"), "g5::m5::t5");
        browser.click("#zoom-to");
        browser.wait_until("document.getElementById('lanes').dataset.drawn < 40");
        assert!(browser.text("#details").contains("set-up of transaction"));
        keep_picture(&browser, "thousand-zoomed");

        // Another order of the list.
        browser.click("th[data-key=name] button");
        assert_eq!(browser.text("#rows tr.row td"), "g0::m0::t0");
        browser.click("th[data-key=began] button");
        assert_eq!(browser.text("#list-title"), "By began");

        browser.click("#theme");
        assert_eq!(
            browser.run("return document.documentElement.dataset.theme"),
            json!("dark")
        );
        assert_eq!(browser.complaints(), Vec::<Value>::new());
    }
}

#[test]
fn failures_are_chosen_first_and_say_why() {
    let directory = tempfile::tempdir().unwrap();
    let page = page_of(directory.path(), "specimens", &["events::"]);
    let browser = Browser::open(&page, false);
    browser.wait_until("document.getElementById('lanes').dataset.drawn === '8'");
    assert_eq!(browser.text("#details-title"), "events::b_fails");
    assert!(
        browser
            .text("#details pre")
            .contains("client of localhost:80 is unhappy")
    );
    assert!(points(&browser, "bad") > 0);
    browser.click("#bad");
    assert_eq!(browser.text("#found"), "3 of 8");
    browser.write("#search", "no such test");
    assert_eq!(browser.text("#rows"), "No test has such a name.");
    keep_picture(&browser, "failures");
    assert_eq!(browser.complaints(), Vec::<Value>::new());
}
