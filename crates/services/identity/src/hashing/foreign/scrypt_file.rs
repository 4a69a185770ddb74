//! The key of a file header as Colin Percival's scrypt writes it. Medusa stores nothing but such a
//! header, by npm `scrypt-kdf`: 96 bytes, of which the last 32 are a MAC over the others.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// A header, read.
pub(super) struct Header {
    pub(super) log_n: u32,
    pub(super) r: u32,
    pub(super) p: u32,
    pub(super) salt: Vec<u8>,
    pub(super) mac: Vec<u8>,
}

/// The first 64 bytes: what the MAC is over.
fn signed(log_n: u32, r: u32, p: u32, salt: &[u8]) -> Option<Vec<u8>> {
    let mut header = b"scrypt\0".to_vec();
    header.push(u8::try_from(log_n).ok()?);
    header.extend(r.to_be_bytes());
    header.extend(p.to_be_bytes());
    header.extend(salt);
    let check = Sha256::digest(&header);
    header.extend(&check[..16]);
    Some(header)
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (header, mac) = bytes.split_at_checked(64)?;
        let number = |from: usize| {
            let bytes = header.get(from..from + 4)?;
            bytes.try_into().ok().map(u32::from_be_bytes)
        };
        let (log_n, r, p) = (u32::from(*header.get(7)?), number(8)?, number(12)?);
        let salt = header.get(16..48)?;
        let whole = mac.len() == 32 && signed(log_n, r, p, salt)? == header;
        whole.then(|| Self { log_n, r, p, salt: salt.to_vec(), mac: mac.to_vec() })
    }
}

/// The MAC that a header has whose key was derived from the right password; `key` is the latter half
/// of what scrypt derives.
pub(super) fn mac(key: &[u8], (log_n, r, p): (u32, u32, u32), salt: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(&signed(log_n, r, p, salt)?);
    Some(mac.finalize().into_bytes().to_vec())
}
