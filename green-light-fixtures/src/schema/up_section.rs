//! Migration files that hold both ways in one text, as dbmate, goose and sql-migrate write them: only what
//! goes up is run.

/// How a tool marks what follows.
struct Marks {
    tool: &'static str,
    up: &'static str,
    down: &'static str,
}

const TOOLS: [Marks; 4] = [
    marks("dbmate", "migrate:up", "migrate:down"),
    marks("goose", "+goose Up", "+goose Down"),
    marks("sql-migrate", "+migrate Up", "+migrate Down"),
    marks("node-pg-migrate", "Up Migration", "Down Migration"),
];

const fn marks(tool: &'static str, up: &'static str, down: &'static str) -> Marks {
    Marks { tool, up, down }
}

/// What goes up of `text`, in the same lines. The text itself if it is not in parts.
///
/// # Errors
///
/// When there is a part that goes down and none that goes up, or a line of which the tool would make
/// something else.
pub(crate) fn up_section(text: &str) -> Result<Option<String>, String> {
    let Some((tool, first)) = text.lines().find_map(|line| {
        let tool = TOOLS
            .iter()
            .find(|tool| has(line, tool.up) || has(line, tool.down));
        tool.map(|tool| (tool, line))
    }) else {
        return Ok(None);
    };
    if !text.lines().any(|line| has(line, tool.up)) {
        return Err(format!(
            "has `{}` of {}, but no `-- {}`",
            first.trim(),
            tool.tool,
            tool.up
        ));
    }
    if let Some(line) = text.lines().find(|line| has(line, "+goose ENVSUB ON")) {
        return Err(format!(
            "has `{}`: only goose itself puts variables into a text",
            line.trim()
        ));
    }
    let (mut goes_up, mut section) = (false, String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        if has(line, tool.up) {
            goes_up = true;
        } else if has(line, tool.down) {
            goes_up = false;
        }
        if goes_up {
            section.push_str(line);
        } else if line.ends_with('\n') {
            section.push('\n');
        }
    }
    Ok(Some(section))
}

/// Whether `line` is a comment that begins with `mark`.
fn has(line: &str, mark: &str) -> bool {
    let comment = line.trim_start().strip_prefix("--").map(str::trim_start);
    let rest = comment.and_then(|comment| {
        let (head, rest) = comment.split_at_checked(mark.len())?;
        head.eq_ignore_ascii_case(mark).then_some(rest)
    });
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_up_is_left_and_lines_keep_their_numbers() {
        for (text, up) in [
            (
                "-- migrate:up\nCREATE TABLE a (x INT);\n\n-- migrate:down\nDROP TABLE a;\n",
                "-- migrate:up\nCREATE TABLE a (x INT);\n\n\n\n",
            ),
            (
                "-- migrate:down\nDROP TABLE a;\n-- migrate:up transaction:false\nSELECT 1",
                "\n\n-- migrate:up transaction:false\nSELECT 1",
            ),
            (
                "--+goose up\r\nSELECT 1;\r\n--  +goose Down\r\nSELECT 2;",
                "--+goose up\r\nSELECT 1;\r\n\n",
            ),
            (
                "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;\n-- +migrate Up\nSELECT 3;",
                "-- +migrate Up\nSELECT 1;\n\n\n-- +migrate Up\nSELECT 3;",
            ),
        ] {
            assert_eq!(up_section(text).unwrap().as_deref(), Some(up));
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in [
            "SELECT 1",
            "-- migrate:upper\nSELECT 1",
            "SELECT '-- migrate:up'",
        ] {
            assert_eq!(up_section(text), Ok(None));
        }
    }

    #[test]
    fn a_text_that_only_goes_down_is_refused() {
        let refused = up_section("DROP TABLE a; \n-- migrate:down").unwrap_err();
        assert_eq!(
            refused,
            "has `-- migrate:down` of dbmate, but no `-- migrate:up`"
        );
        let text = "-- +goose ENVSUB ON\n-- +goose Up\nSELECT ${X}";
        assert!(up_section(text).unwrap_err().contains("puts variables"));
    }
}
