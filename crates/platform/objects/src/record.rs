use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Checksum;

/// The unit of verification: no byte is handed out before its whole block was seen.
pub(crate) const BLOCK_BYTES: u64 = 1 << 20;

/// What we know about an object beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) size: u64,
    pub(crate) content_type: String,
    pub(crate) sha256: Checksum,
    /// One for each block; none for an object of a single block, for which `sha256` says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocks: Vec<Checksum>,
}

impl Record {
    /// Of an object that is at hand.
    pub(crate) fn of(bytes: &[u8], content_type: &str) -> Self {
        let mut summer = Summer::default();
        summer.update(bytes);
        summer.finish(content_type)
    }

    /// The checksum of block `index`, if there is such a block.
    pub(crate) fn block(&self, index: u64) -> Option<&Checksum> {
        if self.size <= BLOCK_BYTES && index == 0 {
            return Some(&self.sha256);
        }
        self.blocks.get(usize::try_from(index).ok()?)
    }
}

/// Computes a record while the bytes pass by.
#[derive(Default)]
pub(crate) struct Summer {
    size: u64,
    whole: Sha256,
    block: Sha256,
    blocks: Vec<Checksum>,
}

impl Summer {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.whole.update(bytes);
        while !bytes.is_empty() {
            let room = usize::try_from(BLOCK_BYTES - self.size % BLOCK_BYTES).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.update(now);
            self.size += now.len() as u64;
            if self.size.is_multiple_of(BLOCK_BYTES) {
                self.end_block();
            }
            bytes = later;
        }
    }

    /// Bytes seen so far.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn finish(mut self, content_type: &str) -> Record {
        if !self.size.is_multiple_of(BLOCK_BYTES) {
            self.end_block();
        }
        Record {
            size: self.size,
            content_type: content_type.to_owned(),
            sha256: Checksum::finish(self.whole),
            blocks: if self.size > BLOCK_BYTES { self.blocks } else { Vec::new() },
        }
    }

    fn end_block(&mut self) {
        self.blocks.push(Checksum::finish(std::mem::take(&mut self.block)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_does_not_depend_on_how_the_bytes_arrive() {
        let bytes: Vec<u8> = (0..2 * BLOCK_BYTES + 5).map(|at| (at % 251) as u8).collect();
        let whole = Record::of(&bytes, "text/plain");
        for step in [1_000, BLOCK_BYTES as usize, BLOCK_BYTES as usize + 1] {
            let mut summer = Summer::default();
            bytes.chunks(step).for_each(|chunk| summer.update(chunk));
            assert_eq!(summer.finish("text/plain"), whole);
        }
        assert_eq!(whole.sha256, Checksum::of(&bytes));
        assert_eq!(whole.blocks.len(), 3);
        assert_eq!(whole.block(2), Some(&Checksum::of(&bytes[2 * BLOCK_BYTES as usize..])));
        assert_eq!(whole.block(3), None);
    }

    #[test]
    fn an_object_of_one_block_needs_no_list() {
        for size in [0, 1, BLOCK_BYTES as usize] {
            let record = Record::of(&vec![7; size], "text/plain");
            assert!(record.blocks.is_empty());
            assert_eq!(record.block(0), Some(&Checksum::of(&vec![7; size])));
            assert_eq!(record.block(1), None);
        }
    }
}
