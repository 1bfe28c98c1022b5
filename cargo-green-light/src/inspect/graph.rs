//! `cargo green-light graph`.

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::arguments::{GraphFormat, GraphOptions, ProjectOptions};
use crate::error::Error;
use crate::inspect::drawing::Drawing;
use crate::inspect::{picture, planned};
use crate::print::STRONG;
use crate::project::Project;

/// Asks the test programs, and draws which fixture gets which.
///
/// # Errors
///
/// When no test program has answered, or the file cannot be written.
pub(crate) fn run(options: &GraphOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    let (tests, code) = planned::ask(&project, &options.arguments)?;
    let drawing = Drawing::of(&tests, options.tests);
    if drawing.nodes.is_empty() {
        return Err(Error::new("no test that was selected has a fixture")
            .help("select others behind `--`, or write `--tests` to see the tests alone"));
    }
    let text = match options.format {
        GraphFormat::Text => drawing.text(),
        GraphFormat::Mermaid => drawing.mermaid(),
        GraphFormat::Svg => picture::svg(&drawing),
    };
    match &options.output {
        Some(path) => {
            fs::write(path, text).map_err(|error| {
                Error::new(format!("`{}` cannot be written: {error}", path.display()))
                    .help("name a file in a directory that exists, and where this user may write")
            })?;
            anstream::println!("the graph is in {STRONG}{}{STRONG:#}", path.display());
        }
        // Who closes the pipe has seen enough.
        None => drop(io::stdout().write_all(text.as_bytes())),
    }
    Ok(code)
}
