//! The commands, one file each.

mod delete;
mod demo;
mod load;
mod refresh;
mod serve;
mod status;
mod verify;

use crate::args::{Args, Command};
use crate::context::Context;
use crate::error::{CliError, INTERRUPTED};
use crate::output::Printer;
use crate::signals::asked_to_stop;
use std::future::Future;
use std::process::ExitCode;

/// Runs what was typed.
pub async fn run(args: Args, printer: &Printer) -> Result<ExitCode, CliError> {
    let printer = *printer;
    match args.command {
        Command::Demo(demo) => demo::run(demo, printer).await,
        command => {
            let context = Context::new(&args.global, printer).await?;
            let result = match command {
                Command::Serve => serve::run(&context).await,
                Command::Load(load) => interruptible(load::run(&context, load)).await,
                Command::Refresh(refresh) => interruptible(refresh::run(&context, refresh)).await,
                Command::Status(status) => interruptible(status::run(&context, status)).await,
                Command::Verify(named) => interruptible(verify::run(&context, named)).await,
                Command::Delete(delete) => interruptible(delete::run(&context, delete)).await,
                Command::Demo(_) => Err(CliError::internal("demo was dispatched twice")),
            };
            // The work's own error says more than one of the clean-up after it.
            let closed = context.close().await;
            let code = result?;
            closed.map(|()| code)
        }
    }
}

/// Ends the work when the user asks for it: what was not committed is rolled back by the server.
async fn interruptible(work: impl Future<Output = Result<ExitCode, CliError>>) -> Result<ExitCode, CliError> {
    tokio::select! {
        result = work => result,
        () = asked_to_stop() => Ok(ExitCode::from(INTERRUPTED)),
    }
}
