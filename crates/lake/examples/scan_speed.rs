//! Reads a table with 1 and 2 (or the given numbers of) threads and prints rows a second and the memory's peak.
//!
//!     cargo run -p lakefront-lake --example scan_speed -- TABLE [THREADS…]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use lakefront_lake::{Lake, LakeOptions, Location, ScanOptions};
use std::sync::Mutex;
use std::time::Instant;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let source = arguments.next().expect("a table");
    let mut threads: Vec<usize> = arguments.map(|n| n.parse().expect("a number of threads")).collect();
    if threads.is_empty() {
        threads = vec![1, 2];
    }
    let lake = Lake::new(LakeOptions::default()).unwrap();
    let opened = Instant::now();
    let table = lake.open(&Location::parse(&source).unwrap()).await.unwrap();
    let snapshot = table.snapshot(None).await.unwrap();
    println!("version {} opened in {:.1?}", snapshot.version(), opened.elapsed());
    for threads in threads {
        let started = Instant::now();
        let plan = snapshot.scan(ScanOptions::default()).await.unwrap();
        let planned = started.elapsed();
        let (units, bytes) = (plan.units.len(), plan.bytes);
        let rows = tokio::task::spawn_blocking(move || {
            let queue = Mutex::new(plan.units.into_iter());
            let work = || {
                let mut rows = 0;
                while let Some(unit) = { queue.lock().unwrap().next() } {
                    rows += unit.read().map(|batch| batch.unwrap().num_rows()).sum::<usize>();
                }
                rows
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
            })
        });
        let rows = rows.await.unwrap();
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{threads} thread(s): {rows} rows, {units} units, {} MB in {seconds:.3} s (plan {planned:.1?}): {:.2} million rows/s, peak {}",
            bytes / 1_000_000,
            rows as f64 / seconds / 1e6,
            peak(),
        );
    }
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned()
}
