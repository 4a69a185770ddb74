use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// The letters of phpass, each worth six bits; little-endian, unlike base64.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a letter is worth.
pub(super) fn value(letter: u8) -> Option<u32> {
    LETTERS.iter().position(|known| *known == letter).and_then(|place| place.try_into().ok())
}

/// The sixteen bytes that twenty-two letters stand for.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for (place, letter) in group.iter().enumerate() {
            bits |= value(*letter)? << (6 * place);
        }
        bytes.extend(bits.to_le_bytes().into_iter().take(group.len() * 6 / 8));
    }
    (text.len() == 22 && bytes.len() == 16).then_some(bytes)
}

/// MD5 over and over: what WordPress before 6.8 and phpBB 3 store (`$P$`, `$H$`).
pub(super) fn digest(password: &[u8], salt: &[u8], log_rounds: u32) -> Zeroizing<Vec<u8>> {
    let mut hash = Md5::new().chain_update(salt).chain_update(password).finalize();
    for _ in 0..1_u32 << log_rounds {
        hash = Md5::new().chain_update(hash).chain_update(password).finalize();
    }
    Zeroizing::new(hash.to_vec())
}
