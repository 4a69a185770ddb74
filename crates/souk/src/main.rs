#![doc = include_str!("../README.md")]

mod commands;
mod config;
mod demo;
mod error_pages;
mod import;
mod lifecycle;
mod ops;
mod pages;
mod services;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

/// Requests make many short-lived values on all threads, and SQLite many tables of a moment: the system's
/// allocator spends twice the time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Every user of TLS in the process takes the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = commands::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("souk: no threads can be had: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("souk: {error:#}");
            ExitCode::FAILURE
        }
    }
}
