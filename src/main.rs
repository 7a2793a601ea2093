//! The program that Terraform starts.

use std::{error::Error, process::ExitCode};

use studio::{plugin, provider::Studio};

fn main() -> ExitCode {
    plugin::logging::start();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(plugin::serve(Studio::new()));
    // Dropping it instead would wait for blocking work, such as a name lookup, to end.
    runtime.shutdown_background();
    Ok(served?)
}

/// An error and its causes, one to a line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}\n  because: {cause}");
        next = cause.source();
    }
    text
}
