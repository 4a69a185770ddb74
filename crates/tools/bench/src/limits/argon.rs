//! Argon2id with the parameters of the server, on every core and with nothing around it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::process::own_cpu;
use crate::table::Limit;

/// The price of one hash.
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// OWASP's recommendation, which is also the server's default; it is told nevertheless.
pub(crate) const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

const SALT: &[u8; 16] = b"sixteen bytes of";

/// Hashes of `cores` threads.
pub(crate) fn limit(cores: usize, length: Duration) -> Result<Limit> {
    let (begun, cpu) = (Instant::now(), own_cpu()?);
    let threads: Vec<_> = (0..cores).map(|_| thread::spawn(move || hashes(begun + length))).collect();
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| anyhow!("a thread of the Argon2 limit failed"))??;
    }
    let (elapsed, cpu, count) = (begun.elapsed(), own_cpu()?.saturating_sub(cpu), f64::from(count));
    Ok(Limit { rate: count / elapsed.as_secs_f64(), cpu: Some(cpu.as_secs_f64() * 1e6 / count) })
}

/// How many hashes one thread makes; it keeps its memory, as the server's threads do.
fn hashes(until: Instant) -> Result<u32> {
    let (argon2, mut memory) = (argon2()?, Vec::new());
    let mut count = 0;
    while Instant::now() < until {
        hash(&argon2, &mut memory, "a password that is tried")?;
        count += 1;
    }
    Ok(count)
}

/// A password as its PHC string.
pub(crate) fn phc(password: &str) -> Result<String> {
    let Cost { memory_kib, passes, lanes } = COST;
    let hash = hash(&argon2()?, &mut Vec::new(), password)?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(SALT), STANDARD_NO_PAD.encode(hash));
    Ok(format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
}

fn argon2() -> Result<Argon2<'static>> {
    let Cost { memory_kib, passes, lanes } = COST;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|error| anyhow!("{error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(argon2: &Argon2<'_>, memory: &mut Vec<Block>, password: &str) -> Result<[u8; 32]> {
    memory.resize(argon2.params().block_count(), Block::new());
    let mut out = [0; 32];
    argon2
        .hash_password_into_with_memory(password.as_bytes(), SALT, &mut out, memory.as_mut_slice())
        .map_err(|error| anyhow!("{error}"))?;
    Ok(out)
}
