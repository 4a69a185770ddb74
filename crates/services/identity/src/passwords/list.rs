use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// Passwords that are refused, from a file of the operator's.
pub(super) enum List {
    /// Sorted SHA-1 digests. They stay in the file, so it may have any size.
    Digests(Digests),
    /// Passwords, folded to lower case: the first bytes of their SHA-256, sorted. Eight bytes each.
    Words(Vec<u64>),
}

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line of it is longer than a password, or is none.
    #[error("line {0} is neither a password nor a SHA-1 digest")]
    Line(usize),
    /// It has more passwords than are kept in memory.
    #[error(
        "there are more than {MAX_WORDS} passwords in it; make it a file of sorted SHA-1 digests, which may have any size"
    )]
    TooMany,
    /// It has SHA-1 digests that are not sorted.
    #[error("its SHA-1 digests are not sorted; `LC_ALL=C sort` does that")]
    Unsorted,
}

/// How many plain passwords are kept in memory, at eight bytes each.
const MAX_WORDS: usize = 5_000_000;

/// A longer line is none.
const MAX_LINE: u64 = 1_024;

/// Hexadecimal digits of a SHA-1 digest.
const DIGITS: usize = 40;

/// A line with a digest and a count is shorter.
const MAX_DIGEST_LINE: u64 = 64;

/// In so many places it is looked at whether the digests are sorted.
const PROBES: u64 = 256;

impl List {
    /// Opens a list. What it is shows in its first line.
    pub(super) fn open(path: &Path) -> Result<Self, ListError> {
        let mut file = BufReader::new(File::open(path)?);
        let mut first = Vec::new();
        file.by_ref().take(MAX_LINE).read_until(b'\n', &mut first)?;
        file.seek(SeekFrom::Start(0))?;
        if digits(&first).is_some() {
            Digests::open(file.into_inner()).map(Self::Digests)
        } else {
            words(file)
        }
    }

    /// Whether the password is on it. What cannot be read is not on it: the file was looked at before.
    pub(super) fn holds(&self, password: &str, sha1: &[u8; 20]) -> bool {
        match self {
            Self::Words(words) => words.binary_search(&fingerprint(password)).is_ok(),
            Self::Digests(digests) => digests.holds(sha1).unwrap_or_else(|error| {
                tracing::warn!(%error, "the list of breached passwords could not be read");
                false
            }),
        }
    }
}

fn words(mut file: BufReader<File>) -> Result<List, ListError> {
    let (mut words, mut line, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        if file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| ListError::Line(number))?;
        if line.len() as u64 == MAX_LINE {
            return Err(ListError::Line(number));
        }
        let word = text.trim_end_matches(['\r', '\n']);
        if !word.is_empty() {
            words.push(fingerprint(word));
        }
        if words.len() > MAX_WORDS {
            return Err(ListError::TooMany);
        }
    }
    words.sort_unstable();
    words.dedup();
    words.shrink_to_fit();
    Ok(List::Words(words))
}

fn fingerprint(word: &str) -> u64 {
    let digest = Sha256::digest(word.to_lowercase());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// The digits at the beginning of a line, in capitals, when there is nothing else but a count.
fn digits(line: &[u8]) -> Option<[u8; DIGITS]> {
    let (digits, rest) = line.split_first_chunk::<DIGITS>()?;
    let ends = rest.first().is_none_or(|next| matches!(next, b':' | b'\r' | b'\n'));
    (ends && digits.iter().all(u8::is_ascii_hexdigit)).then(|| digits.to_ascii_uppercase().try_into().ok())?
}

/// A file of digests, one a line, with or without `:` and a count, sorted.
pub(super) struct Digests {
    file: Mutex<File>,
    length: u64,
}

impl Digests {
    fn open(file: File) -> Result<Self, ListError> {
        let length = file.metadata()?.len();
        let digests = Self { file: Mutex::new(file), length };
        let mut before = [0; DIGITS];
        for probe in 0..PROBES {
            let at = u64::try_from(u128::from(length) * u128::from(probe) / u128::from(PROBES)).unwrap_or(0);
            let Some((_, _, digits)) = digests.line(at)? else { break };
            if digits < before {
                return Err(ListError::Unsorted);
            }
            before = digits;
        }
        Ok(digests)
    }

    /// Halves the file until the line is found or cannot be there: some thirty reads of a file of forty gigabytes.
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, ListError> {
        let wanted: String = sha1.iter().map(|byte| format!("{byte:02X}")).collect();
        // The line, if there is one, begins within low..high, and low is where a line begins.
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let Some((start, end, digits)) = self.line(low + (high - low) / 2)? else { return Ok(false) };
            match wanted.as_bytes().cmp(&digits[..]) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => high = start,
                std::cmp::Ordering::Greater => low = end,
            }
        }
        Ok(false)
    }

    /// The line that the byte at `at` belongs to: where it begins, where the next one does, and its digits.
    fn line(&self, at: u64) -> Result<Option<(u64, u64, [u8; DIGITS])>, ListError> {
        let from = at.saturating_sub(MAX_DIGEST_LINE);
        let mut window = Vec::new();
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(from))?;
            (&*file).take(2 * MAX_DIGEST_LINE).read_to_end(&mut window)?;
        }
        let place = usize::try_from(at - from).unwrap_or(usize::MAX).min(window.len());
        let start = window[..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = &window[start..];
        let length = line.iter().position(|byte| *byte == b'\n').map_or(line.len(), |end| end + 1);
        let (start, end) = (from + start as u64, from + (start + length) as u64);
        if line.is_empty() {
            return Ok(None);
        }
        let digits = digits(&line[..length]).ok_or(ListError::Unsorted)?;
        Ok(Some((start, end, digits)))
    }
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;

    use super::*;

    fn open(text: &str) -> Result<List, ListError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        List::open(file.path())
    }

    fn sha1(password: &str) -> [u8; 20] {
        Sha1::digest(password).into()
    }

    fn sorted(passwords: &[String], ending: &str) -> String {
        let hex =
            |password: &String| sha1(password).iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let mut lines: Vec<String> = passwords.iter().map(hex).collect();
        lines.sort();
        lines
            .iter()
            .enumerate()
            .map(|(number, line)| line.clone() + &ending.replace('N', &number.to_string()))
            .collect()
    }

    #[test]
    fn every_digest_of_a_file_is_found_and_no_other() {
        let passwords: Vec<String> = (0..1_000).map(|number| format!("password {number}")).collect();
        for ending in ["\n", ":N\r\n", ":N000\n"] {
            for count in [1, 2, 3, 1_000] {
                let text = sorted(&passwords[..count], ending);
                for text in [text.clone(), text.to_lowercase(), text.trim_end().to_owned()] {
                    let list = open(&text).unwrap();
                    assert!(matches!(list, List::Digests(_)));
                    for password in &passwords[..count] {
                        assert!(list.holds(password, &sha1(password)), "{password} of {count}, {ending:?}");
                    }
                    for number in 1_000..1_200 {
                        let password = format!("password {number}");
                        assert!(!list.holds(&password, &sha1(&password)), "{password}");
                    }
                }
            }
        }
    }

    #[test]
    fn plain_passwords_are_found_however_they_are_written() {
        let list = open("Rosewood Serum\r\n\n  spaces count \nlast one").unwrap();
        let holds = |password: &str| list.holds(password, &sha1(password));
        assert!(holds("rosewood serum") && holds("ROSEWOOD SERUM") && holds("Last One"));
        assert!(holds("  spaces count ") && !holds("spaces count") && !holds("") && !holds("rosewood"));
        let List::Words(words) = &list else { panic!() };
        assert_eq!(words.len(), 3);
    }

    #[test]
    fn files_that_cannot_be_meant_are_refused() {
        let passwords: Vec<String> = (0..50).map(|number| format!("password {number}")).collect();
        let text = sorted(&passwords, "\n");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.reverse();
        assert!(matches!(open(&lines.join("\n")), Err(ListError::Unsorted)));
        let broken = format!("{}\nnot a digest\n", text.trim_end());
        assert!(matches!(open(&broken), Err(ListError::Unsorted)));
        assert!(matches!(open(&format!("a\n{}\n", "x".repeat(2_000))), Err(ListError::Line(2))));
        assert!(matches!(List::open(Path::new("/nowhere/at/all")), Err(ListError::Unreadable(_))));
    }
}
