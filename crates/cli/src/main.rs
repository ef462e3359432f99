//! The command `lakefront`.

mod args;
mod commands;
mod config;
mod context;
mod error;
mod output;
mod signals;
mod storefront;
mod unit;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return mistyped(&error),
    };
    output::log::start(args.global.log.as_deref());
    let printer = output::Printer::new(&args.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return printer.fail(&error::CliError::internal(format!("no threads to run on: {e}"))),
    };
    match runtime.block_on(commands::run(args, &printer)) {
        Ok(code) => code,
        Err(error) => printer.fail(&error),
    }
}

/// Ends where what was typed is no command: with its help if that was asked for, else with what is wrong, as the document
/// where JSON is wanted.
fn mistyped(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|word| word == "--json") {
        return output::Printer::for_json().fail(&error::CliError::mistyped(error));
    }
    error.exit()
}
