//! Bytes on their way out, each block compared with its checksum before any of it is handed on.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, TryStreamExt, try_unfold};
use object_store::path::Path;

use crate::record::{BLOCK_BYTES, Record};
use crate::{Checksum, ObjectsError};

/// The whole blocks that cover `wanted` in an object of `size` bytes.
pub(crate) fn covering(wanted: &Range<u64>, size: u64) -> Range<u64> {
    let start = wanted.start / BLOCK_BYTES * BLOCK_BYTES;
    start..wanted.end.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES).min(size)
}

struct Verifier {
    raw: BoxStream<'static, object_store::Result<Bytes>>,
    buffer: BytesMut,
    /// Where the next block begins.
    at: u64,
    wanted: Range<u64>,
    record: Record,
    path: Path,
}

/// The bytes `wanted` of the object at `path`, of which `raw` brings the covering blocks.
pub(crate) fn verified(
    raw: BoxStream<'static, object_store::Result<Bytes>>,
    record: Record,
    wanted: Range<u64>,
    path: Path,
) -> BoxStream<'static, Result<Bytes, ObjectsError>> {
    let at = covering(&wanted, record.size).start;
    let verifier = Verifier { raw, buffer: BytesMut::new(), at, wanted, record, path };
    Box::pin(try_unfold(verifier, async |mut verifier| {
        Ok(verifier.next_block().await?.map(|block| (block, verifier)))
    }))
}

impl Verifier {
    async fn next_block(&mut self) -> Result<Option<Bytes>, ObjectsError> {
        if self.at >= self.wanted.end {
            return Ok(None);
        }
        let start = self.at;
        let end = (start + BLOCK_BYTES).min(self.record.size);
        let length = index(end - start);
        while self.buffer.len() < length {
            let chunk = self.raw.try_next().await;
            match chunk.map_err(|source| ObjectsError::Unavailable { source })? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Err(ObjectsError::damaged(&self.path)),
            }
        }
        let block = self.buffer.split_to(length).freeze();
        if self.record.block(start / BLOCK_BYTES) != Some(&Checksum::of(&block)) {
            return Err(ObjectsError::damaged(&self.path));
        }
        self.at = end;
        let from = self.wanted.start.max(start) - start;
        let to = self.wanted.end.min(end) - start;
        Ok(Some(block.slice(index(from)..index(to))))
    }
}

/// An offset within one block, which always fits.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covering_blocks_are_whole_and_end_with_the_object() {
        let size = 2 * BLOCK_BYTES + 10;
        assert_eq!(covering(&(0..1), size), 0..BLOCK_BYTES);
        assert_eq!(covering(&(BLOCK_BYTES - 1..BLOCK_BYTES + 1), size), 0..2 * BLOCK_BYTES);
        assert_eq!(covering(&(BLOCK_BYTES..2 * BLOCK_BYTES), size), BLOCK_BYTES..2 * BLOCK_BYTES);
        assert_eq!(covering(&(size - 1..size), size), 2 * BLOCK_BYTES..size);
        assert_eq!(covering(&(0..0), 0), 0..0);
    }
}
