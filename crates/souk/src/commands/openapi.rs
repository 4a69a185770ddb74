use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;

/// Print the API document.
#[derive(Args)]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let document = web::openapi::to_json(&crate::services::document("/")?)?;
        std::io::stdout().write_all(document.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
