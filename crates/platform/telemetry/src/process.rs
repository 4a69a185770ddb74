//! What the operating system knows about this process, under the names that Prometheus's client
//! libraries use. Read from `/proc`; on a system without it the metrics are absent.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use kernel::Timestamp;

/// `/proc` counts processor time in hundredths of a second on every Linux architecture (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;

/// When the process began to be watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    pub(crate) at: Timestamp,
    pub(crate) instant: Instant,
}

/// Appends the metrics in Prometheus's text format.
pub(crate) fn render(birth: Birth, out: &mut String) {
    put(out, "process_start_time_seconds", "gauge", Some(birth.at.as_seconds()));
    put(out, "process_uptime_seconds", "gauge", Some(birth.instant.elapsed().as_secs()));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    put(out, "process_resident_memory_bytes", "gauge", kibibytes(&status, "VmRSS:"));
    put(out, "process_virtual_memory_bytes", "gauge", kibibytes(&status, "VmSize:"));
    put(out, "process_threads", "gauge", number(&status, "Threads:"));
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    put(out, "process_max_fds", "gauge", number(&limits, "Max open files"));
    put(out, "process_open_fds", "gauge", fs::read_dir("/proc/self/fd").ok().map(Iterator::count));
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let cpu =
        cpu_ticks(&stat).map(|ticks| format!("{}.{:02}", ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND));
    put(out, "process_cpu_seconds_total", "counter", cpu);
}

fn put(out: &mut String, name: &str, kind: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
    }
}

/// The first number after `label` at the beginning of a line.
fn number(text: &str, label: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(label))?.split_whitespace().next()?.parse().ok()
}

fn kibibytes(text: &str, label: &str) -> Option<u64> {
    number(text, label)?.checked_mul(1024)
}

/// User and system time of `/proc/self/stat` (proc(5), fields 14 and 15).
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The program's name may hold blanks; what follows its closing parenthesis is field 3.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 900 0 0 0 250 31 0 0 20 0 4 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(281));
        assert_eq!(kibibytes("Name:\tx\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12_288));
        assert_eq!(number("Max open files   1024  4096  files", "Max open files"), Some(1_024));
        assert_eq!(cpu_ticks(""), None);
    }
}
