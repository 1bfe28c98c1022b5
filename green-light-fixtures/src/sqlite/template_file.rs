//! The file format of a kept image. A checksum shows that the file is as it was written.

use std::hash::{DefaultHasher, Hasher as _};

use crate::sqlite::sandbox::Image;

/// What such a file begins with.
const MARK: &[u8; 8] = b"gl-image";
/// How long the name of a run may be.
const RUN: usize = 64;
/// Mark, checksum, name of the run; the image follows.
const HEAD: usize = MARK.len() + size_of::<u64>() + RUN;

/// An image, and the run that has built it although it was there, if one has.
#[derive(Debug)]
pub(crate) struct TemplateFile {
    run: [u8; RUN],
    pub(crate) image: Image,
}

impl TemplateFile {
    pub(crate) fn is_from_run(&self, run: &str) -> bool {
        self.run == padded(run)
    }

    /// Reads what [`encode`] has made. `None` if it is damaged.
    pub(crate) fn decode(file: &[u8]) -> Option<Self> {
        let (mark, rest) = file.split_first_chunk()?;
        let (checksum, rest) = rest.split_first_chunk()?;
        if mark != MARK || u64::from_le_bytes(*checksum) != sum(rest) {
            return None;
        }
        let (run, image) = rest.split_first_chunk()?;
        Some(Self {
            run: *run,
            image: image.into(),
        })
    }
}

/// The file of `image`, built in `run` if that builds everything anew.
pub(crate) fn encode(image: &[u8], run: Option<&str>) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEAD + image.len());
    file.extend([0; MARK.len() + size_of::<u64>()]);
    file.extend(padded(run.unwrap_or_default()));
    file.extend(image);
    let (head, rest) = file.split_at_mut(MARK.len() + size_of::<u64>());
    let (mark, checksum) = head.split_at_mut(MARK.len());
    mark.copy_from_slice(MARK);
    checksum.copy_from_slice(&sum(rest).to_le_bytes());
    file
}

fn padded(run: &str) -> [u8; RUN] {
    let mut padded = [0; RUN];
    let length = run.len().min(RUN);
    padded[..length].copy_from_slice(&run.as_bytes()[..length]);
    padded
}

fn sum(bytes: &[u8]) -> u64 {
    // Fast in a build for debugging as well, since the standard library is not built for that.
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes.len().to_le_bytes());
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_back_with_the_run_that_built_it() {
        for run in [None, Some("a-run")] {
            let file = TemplateFile::decode(&encode(b"pages", run)).unwrap();
            assert_eq!(&*file.image, b"pages");
            assert_eq!(file.is_from_run("a-run"), run.is_some());
        }
        assert!(
            TemplateFile::decode(&encode(b"", None))
                .unwrap()
                .image
                .is_empty()
        );
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_no_image() {
        let image: Vec<u8> = (0..2_000_u32).flat_map(u32::to_le_bytes).collect();
        let whole = encode(&image, Some("run"));
        for length in 0..whole.len() {
            assert!(TemplateFile::decode(&whole[..length]).is_none(), "{length}");
        }
        let mut changed = whole.clone();
        for at in 0..whole.len() {
            changed[at] ^= 1 << (at % 8);
            assert!(TemplateFile::decode(&changed).is_none(), "{at}");
            changed[at] = whole[at];
        }
        changed.push(0);
        assert!(TemplateFile::decode(&changed).is_none());
        // As a file whose pages have not reached the disk.
        assert!(TemplateFile::decode(&vec![0; whole.len()]).is_none());
    }
}
