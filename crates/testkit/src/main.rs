//! `lakefront-testkit COMMAND…` runs a command with one PostgreSQL server for all tests in it.
//!
//! The server's address is in `LAKEFRONT_TEST_DATABASE_URL`; the exit code is the command's.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use lakefront_testkit::{SERVER_VARIABLE, chain, start_server};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()).await {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Vec<std::ffi::OsString>) -> Result<ExitCode, String> {
    let Some((program, arguments)) = arguments.split_first() else {
        return Err("usage: lakefront-testkit COMMAND [ARGUMENT]…".to_owned());
    };
    // Taken before the server starts, so that a signal in between does not leave it behind.
    let mut signals = Signals::catch().map_err(|error| format!("cannot catch signals: {error}"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    let server = if std::env::var_os(SERVER_VARIABLE).is_some_and(|url| !url.is_empty()) {
        None
    } else {
        let server = start_server().await.map_err(|error| chain(&error))?;
        command.env(SERVER_VARIABLE, server.connect_options().url_with_password());
        Some(server)
    };
    let result = match command.spawn() {
        Ok(child) => signals.wait_for(child).await,
        Err(error) => Err(error),
    };
    if let Some(server) = server {
        server.stop().await.map_err(|error| chain(&error))?;
    }
    match result {
        Ok(status) => Ok(exit_code(status)),
        Err(error) => Err(format!("cannot run {}: {error}", program.to_string_lossy())),
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the command to end. A signal is passed on and the command given its time; an
    /// interrupt from the terminal it has got already, and a second one does no harm.
    async fn wait_for(&mut self, mut child: Child) -> std::io::Result<ExitStatus> {
        loop {
            tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupt.recv() => pass_on(&child, rustix::process::Signal::INT),
                _ = self.terminate.recv() => pass_on(&child, rustix::process::Signal::TERM),
            }
        }
    }
}

fn pass_on(child: &Child, signal: rustix::process::Signal) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// As a shell tells it: 128 and the number of the signal that ended the command.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
