//! What this process takes, under the names that every Prometheus client uses.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

use super::snapshot::read;

/// The clock in which the kernel tells times of processes: 100 in a second wherever Linux runs.
const TICKS: f64 = 100.0;

/// What the kernel tells of this process. What it does not tell is 0.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Process {
    cpu_seconds: f64,
    /// Seconds since 1970.
    started: f64,
    threads: i64,
    resident_bytes: i64,
    open_files: i64,
}

impl Process {
    pub(super) fn read() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut process = Self::of(&text("/proc/self/stat"), &text("/proc/self/status"), &text("/proc/uptime"), now);
        process.open_files = std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as i64);
        process
    }

    fn of(stat: &str, status: &str, uptime: &str, now: f64) -> Self {
        // The program's name stands in brackets and may hold anything.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
        let up: f64 = uptime.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or_default();
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
        let resident = line("VmRSS:").and_then(|line| line.split_whitespace().next()?.parse::<i64>().ok());
        Self {
            cpu_seconds: (number(11) + number(12)) / TICKS,
            started: if up > 0.0 { now - up + number(19) / TICKS } else { 0.0 },
            threads: number(17) as i64,
            resident_bytes: resident.unwrap_or_default() * 1024,
            open_files: 0,
        }
    }

    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("process");
        registry.register("cpu_seconds", "Time on a CPU", read(self.cpu_seconds));
        let gauge = |value: i64| {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            gauge
        };
        registry.register("start_time_seconds", "When it started, since 1970", gauge(self.started as i64));
        registry.register("threads", "Threads", gauge(self.threads));
        registry.register("resident_memory_bytes", "Main memory", gauge(self.resident_bytes));
        registry.register("open_fds", "Open files", gauge(self.open_files));
        registry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4 1 2 3 4 150 50 5 6 20 0 12 0 3000 99 88";
        let status = "Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t12\n";
        let process = Process::of(stat, status, "100.5 300.1", 1_000_000.0);
        let expected =
            Process { cpu_seconds: 2.0, started: 999_929.5, threads: 12, resident_bytes: 2_097_152, open_files: 0 };
        assert_eq!(process, expected);
        assert_eq!(Process::of("", "", "", 5.0), Process::default());
    }

    #[test]
    fn this_process_is_known() {
        let process = Process::read();
        assert!(process.threads > 0 && process.resident_bytes > 0 && process.open_files > 2, "{process:?}");
    }
}
