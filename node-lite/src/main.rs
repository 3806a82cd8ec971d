//! Parses the command line, runs it, and ends with the number that says why.

use antiphon_node::shell::{cli::Parsed, exit, explain};
use std::{io::Write as _, process::ExitCode};

#[tokio::main]
async fn main() -> ExitCode {
    match Parsed::from_command_line().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "Error: {error:#}");
            if let Some(code) = explain::code(&error) {
                let _ = writeln!(std::io::stderr(), "Code: {code} (antiphon explain {code})");
            }
            ExitCode::from(exit::code(&error))
        }
    }
}
