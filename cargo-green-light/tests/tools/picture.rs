//! Pictures of what a browser shows.

use std::fs;

use crate::browser::Browser;
use crate::command::root;

/// Keeps a picture in the target directory, for people to look at.
pub(crate) fn keep_picture(browser: &Browser, name: &str) {
    let directory = root().join("target/green-light/pictures");
    fs::create_dir_all(&directory).unwrap();
    fs::write(
        directory.join(format!("{name}.png")),
        decoded(&browser.picture()),
    )
    .unwrap();
}

/// The bytes of base64.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
