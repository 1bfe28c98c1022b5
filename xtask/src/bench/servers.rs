//! The servers on which tests are timed: started by green-light, running as long as the bench does.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::project::Project;

/// Where to connect to without a server: a database in memory.
const SQLITE: &str = "sqlite::memory:";

/// Running servers.
pub(crate) struct Servers {
    urls: HashMap<String, String>,
    keeper: Child,
}

impl Servers {
    /// Starts what can be started. What is missing has been told when this returns.
    ///
    /// # Errors
    ///
    /// If the program that keeps them does not run.
    pub(crate) fn start(project: &Project) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("the servers could not be started: {error}");
        let mut keeper = Command::new(project.program("database_servers")?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(told)?;
        let mut urls = HashMap::from([("sqlite".to_owned(), SQLITE.to_owned())]);
        for line in BufReader::new(keeper.stdout.take().ok_or("a pipe was lost")?).lines() {
            let line = line.map_err(told)?;
            let Some((key, url)) = line.split_once(' ') else {
                break;
            };
            urls.insert(key.to_owned(), url.to_owned());
        }
        Ok(Self { urls, keeper })
    }

    /// The URL of an empty database, if there is a server for it.
    pub(crate) fn url(&self, key: &str) -> Option<&str> {
        self.urls.get(key).map(String::as_str)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
