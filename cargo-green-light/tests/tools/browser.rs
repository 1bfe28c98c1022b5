//! Chromium without a window, driven by the WebDriver protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens `page`; `dark` is what the user prefers.
    pub(crate) fn open(page: &Path, dark: bool) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver runs (Debian: `apt-get install chromium chromium-driver`)");
        let output = driver.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let port = line
                .split("successfully on port ")
                .nth(1)?
                .trim_end_matches('.');
            port.parse().ok()
        });
        // It may write more, and must not block on that.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            port: port.expect("chromedriver says its port"),
            session: String::new(),
            _profile: profile,
        };
        let data = format!("--user-data-dir={}", browser._profile.path().display());
        let mut arguments = vec![
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1440,1400",
            "--hide-scrollbars",
            data.as_str(),
        ];
        if dark {
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let made = browser.call(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } }),
        );
        browser.session = made["sessionId"].as_str().expect("a session").to_owned();
        let url = format!("file://{}", page.display());
        browser.ask("url", &json!({ "url": url }));
        browser
    }

    /// A command of the session.
    pub(crate) fn ask(&self, command: &str, body: &Value) -> Value {
        self.call(
            "POST",
            &format!("/session/{}/{command}", self.session),
            body,
        )
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text of what `selector` finds.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!(
            "return document.querySelector({selector:?}).textContent"
        ));
        text.as_str().unwrap().to_owned()
    }

    fn element(&self, selector: &str) -> String {
        let found = self.ask(
            "element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let id = found.as_object().and_then(|found| found.values().next());
        id.and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {selector}: {found}"))
            .to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.ask(&format!("element/{element}/click"), &json!({}));
    }

    /// Types into what `selector` finds. Keys without a letter have code points of their own.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.ask(
            &format!("element/{element}/value"),
            &json!({ "text": text }),
        );
    }

    /// Actions of a pointer or a wheel.
    pub(crate) fn act(&self, source: &Value) {
        self.ask("actions", &json!({ "actions": [source] }));
    }

    /// Waits until `condition` holds: what is drawn comes with the next frame.
    pub(crate) fn wait_until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0]; const look = (left) => ({condition}) || !left ? done(Boolean({condition})) \
             : setTimeout(look, 20, left - 1); look(500);"
        );
        let holds = self.ask("execute/async", &json!({ "script": script, "args": [] }));
        assert_eq!(holds, json!(true), "`{condition}` does not come true");
    }

    /// What the page and the browser have complained about.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        let log = self.ask("se/log", &json!({ "type": "browser" }));
        let complaints = log.as_array().cloned().unwrap_or_default();
        // That is what the tests do to count points.
        let is_ours = |complaint: &Value| complaint["message"].to_string().contains("getImageData");
        complaints
            .into_iter()
            .filter(|complaint| !is_ours(complaint))
            .collect()
    }

    /// Keeps a picture of the page, for people to look at. It is a PNG in base64.
    pub(crate) fn picture(&self) -> String {
        let picture = self.call(
            "GET",
            &format!("/session/{}/screenshot", self.session),
            &Value::Null,
        );
        picture.as_str().expect("a picture").to_owned()
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value.clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.call(
                "DELETE",
                &format!("/session/{}", self.session),
                &Value::Null,
            );
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
