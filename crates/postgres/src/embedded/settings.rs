//! The server's configuration, tuned for the machine.
//!
//! Source of what each setting does: the PostgreSQL manual, chapter 20 "Server Configuration".

use std::fmt::Write;
use std::path::Path;

use super::machine::Machine;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What the settings depend on.
#[derive(Debug, Clone)]
pub(super) struct Settings<'a> {
    pub(super) machine: Machine,
    /// Major version of the server.
    pub(super) major: u32,
    pub(super) port: u16,
    pub(super) socket_folder: &'a Path,
    /// A method of WAL compression that the build has.
    pub(super) wal_compression: Option<&'static str>,
    /// Whether the build and the system have io_uring.
    pub(super) io_uring: bool,
    /// Nothing is to survive the machine.
    pub(super) throwaway: bool,
    pub(super) extra: &'a [(String, String)],
}

impl Settings<'_> {
    /// The text of the configuration file.
    pub(super) fn render(&self) -> String {
        let mut conf = Conf("# Written by Lakefront at each start; changes are lost.\n".to_owned());
        self.connections(&mut conf);
        self.memory(&mut conf);
        self.write_ahead_log(&mut conf);
        self.workers(&mut conf);
        conf.section("the rest");
        // One plan for one statement costs more to compile than the copies' queries take to run.
        conf.set("jit", "off");
        conf.set("random_page_cost", "1.1");
        conf.set("default_text_search_config", "pg_catalog.english");
        conf.set("timezone", "UTC");
        conf.set("log_timezone", "UTC");
        conf.set("log_line_prefix", "%m [%p] %q%u@%d ");
        conf.set("log_checkpoints", "off");
        // A failed statement may hold a password or a row; its client has the error anyway.
        conf.set("log_min_error_statement", "fatal");
        // A merge leaves as many dead rows as it changed, at once: clean up soon and briskly.
        conf.set("autovacuum_naptime", "15s");
        conf.set("autovacuum_vacuum_cost_limit", "2000");
        conf.set("max_locks_per_transaction", "256");
        if !self.extra.is_empty() {
            conf.section("as asked for");
        }
        for (name, value) in self.extra {
            conf.set(name, value);
        }
        conf.0
    }

    fn connections(&self, conf: &mut Conf) {
        conf.section("connections");
        conf.set("listen_addresses", "127.0.0.1");
        conf.set("port", self.port);
        conf.set("unix_socket_directories", self.socket_folder.display());
        conf.set("unix_socket_permissions", "0700");
        conf.set("password_encryption", "scram-sha-256");
        conf.set("max_connections", 200);
        conf.set("cluster_name", "lakefront");
    }

    fn memory(&self, conf: &mut Conf) {
        let memory = self.machine.memory;
        // An eighth: the lake's reader and the page cache want their share, and copying in bulk
        // goes through a small ring of buffers anyway.
        let shared_buffers = (memory / 8).clamp(64 * MIB, 4 * GIB);
        // Holds the sort of a key of some ten million rows, or the graph of a vector index.
        let maintenance = (memory / 16).clamp(64 * MIB, GIB);
        conf.section("memory");
        conf.megabytes(
            "shared_buffers",
            if self.throwaway { shared_buffers.min(128 * MIB) } else { shared_buffers },
        );
        conf.megabytes("maintenance_work_mem", maintenance);
        conf.megabytes("work_mem", (memory / 256).clamp(4 * MIB, 64 * MIB));
        conf.megabytes("effective_cache_size", (memory / 2).max(128 * MIB));
        // Containers often have 64 MB of POSIX shared memory, too little for a parallel index
        // build; System V shared memory has no such limit.
        if self.machine.shared_memory.is_some_and(|free| free < 2 * maintenance) {
            conf.set("dynamic_shared_memory_type", "sysv");
        }
    }

    fn write_ahead_log(&self, conf: &mut Conf) {
        conf.section("write-ahead log");
        // Without replicas, what is loaded into a new table need not be logged as well.
        conf.set("wal_level", "minimal");
        conf.set("max_wal_senders", 0);
        conf.set("fsync", if self.throwaway { "off" } else { "on" });
        conf.set("full_page_writes", if self.throwaway { "off" } else { "on" });
        conf.set("synchronous_commit", "on");
        conf.set("wal_compression", self.wal_compression.unwrap_or("off"));
        conf.megabytes("wal_buffers", if self.machine.memory >= 4 * GIB { 64 * MIB } else { 16 * MIB });
        // Filling new files with zeros first made loads into a fresh server a tenth slower.
        conf.set("wal_init_zero", "off");
        // Connections that load need not wait for their log to reach the disk when it is always on its way there.
        conf.set("wal_writer_delay", "10ms");
        // A checkpoint that its own log forces makes a load pay twice: the index build afterwards sets hint bits, and with
        // checksums each page that it first touches since the checkpoint is logged whole. A fifth of what the disk has
        // free is not in the way of the data.
        let log = self.machine.disk.map_or(4 * GIB, |free| (free / 5).clamp(GIB, 8 * GIB));
        conf.megabytes("max_wal_size", if self.throwaway { GIB } else { log });
        conf.megabytes("min_wal_size", if self.throwaway { 80 * MIB } else { 256 * MIB });
        conf.set("checkpoint_timeout", "15min");
        conf.set("checkpoint_completion_target", "0.9");
    }

    fn workers(&self, conf: &mut Conf) {
        let cores = self.machine.cores;
        conf.section("workers");
        conf.set("max_worker_processes", (2 * cores).max(8));
        conf.set("max_parallel_workers", cores.max(2));
        conf.set("max_parallel_workers_per_gather", (cores / 2).clamp(1, 4));
        // Two pay for themselves on two cores as well, since the leader also waits for the disk.
        conf.set("max_parallel_maintenance_workers", cores.clamp(2, 8));
        if self.major >= 18 {
            conf.set("io_method", if self.io_uring { "io_uring" } else { "worker" });
            conf.set("io_workers", (cores / 2).clamp(3, 16));
        } else if !cfg!(target_os = "macos") {
            // The default of 18; those before have 1, meant for disks that turn.
            conf.set("effective_io_concurrency", 16);
        }
    }
}

struct Conf(String);

impl Conf {
    fn section(&mut self, title: &str) {
        let _ = writeln!(self.0, "\n# {title}");
    }

    fn set(&mut self, name: &str, value: impl ToString) {
        let quoted = value.to_string().replace('\\', "\\\\").replace('\'', "''").replace('\n', " ");
        let _ = writeln!(self.0, "{name} = '{quoted}'");
    }

    fn megabytes(&mut self, name: &str, bytes: u64) {
        self.set(name, format!("{}MB", bytes / MIB));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn rendered(memory: u64, shared_memory: Option<u64>) -> String {
        Settings {
            machine: Machine { memory, cores: 2, shared_memory, disk: Some(4 * memory) },
            major: 18,
            port: 15432,
            socket_folder: Path::new("/it's/run"),
            wal_compression: Some("lz4"),
            io_uring: false,
            throwaway: false,
            extra: &[],
        }
        .render()
    }

    #[test]
    fn memory_settings_are_bounded_at_both_ends() {
        let small = rendered(256 * MIB, None);
        assert!(small.contains("shared_buffers = '64MB'"), "{small}");
        assert!(small.contains("work_mem = '4MB'"), "{small}");
        let large = rendered(1024 * GIB, None);
        assert!(large.contains("shared_buffers = '4096MB'"), "{large}");
        assert!(small.contains("max_wal_size = '1024MB'") && large.contains("max_wal_size = '8192MB'"));
        assert!(large.contains("maintenance_work_mem = '1024MB'"), "{large}");
    }

    #[test]
    fn values_are_quoted() {
        assert!(rendered(GIB, None).contains("unix_socket_directories = '/it''s/run'"));
    }

    #[test]
    fn scarce_posix_shared_memory_is_avoided() {
        assert!(rendered(8 * GIB, Some(64 * MIB)).contains("dynamic_shared_memory_type = 'sysv'"));
        assert!(!rendered(8 * GIB, Some(8 * GIB)).contains("dynamic_shared_memory_type"));
    }
}
