mod channels;
mod memory;
mod redis;
mod redis_channel;

pub(crate) use self::memory::Memory;
pub(crate) use self::redis::Redis;
