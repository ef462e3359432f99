//! A process that writes a table's random history, one operation at a time.

use crate::replay::python;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running writer; killed when it is dropped.
pub struct Writer {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts one of the scripts beside the tests, and returns when the table is there. The same seed gives the same history.
    pub fn start(script: &str, folder: &Path, seed: u64, options: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
        let mut command = Command::new(python());
        command.arg(script).arg(folder).arg(seed.to_string()).arg(options.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut writer = Self { child, orders, answers };
        writer.answer();
        writer
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("the writer ended: {e}"))
    }

    /// Has it carry out one operation: `{"operation", "version"}`.
    pub fn step(&mut self) -> Value {
        self.orders.write_all(b"\n").unwrap();
        self.answer()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
