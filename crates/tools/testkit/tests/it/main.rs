//! Each engine is started and spoken to by the client that Souk uses.

mod nats;
mod postgres;
mod redis;
mod s3;
mod server;
mod smtp;
