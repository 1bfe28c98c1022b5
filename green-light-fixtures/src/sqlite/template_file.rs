//! The file of a kept image: a checksum, the run that was made to build it again, if one was, and the image.

use std::hash::{DefaultHasher, Hasher as _};

/// The content of the file of `image`, built in `run`.
pub(crate) fn encode(image: &[u8], run: Option<&str>) -> Vec<u8> {
    let rest = [run.unwrap_or_default().as_bytes(), b"\n", image].concat();
    [&checksum(&rest).to_le_bytes()[..], &rest].concat()
}

/// The run and the image in the content of a file. `None` if it is damaged.
pub(crate) fn decode(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sum, rest) = file.split_first_chunk()?;
    if u64::from_le_bytes(*sum) != checksum(rest) {
        return None;
    }
    let end_of_run = rest.iter().position(|byte| *byte == b'\n')?;
    Some((&rest[..end_of_run], &rest[end_of_run + 1..]))
}

/// The checksum of this release of the standard library. Another one may compute another.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_back_with_the_run_that_built_it() {
        for (image, run) in [(&b"pages"[..], None), (b"a\nb", Some("a-run")), (b"", None)] {
            let file = encode(image, run);
            let run = run.unwrap_or_default().as_bytes();
            assert_eq!(decode(&file), Some((run, image)));
        }
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_no_image() {
        let image: Vec<u8> = (0..2_000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = encode(&image, Some("run"));
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_none(), "{length}");
        }
        let mut changed = whole.clone();
        for at in 0..whole.len() {
            changed[at] ^= 1 << (at % 8);
            assert!(decode(&changed).is_none(), "{at}");
            changed[at] = whole[at];
        }
        changed.push(0);
        assert!(decode(&changed).is_none());
        // As a file whose pages have not reached the disk.
        assert!(decode(&vec![0; whole.len()]).is_none());
    }
}
