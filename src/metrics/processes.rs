//! What this process costs, and those that it has started: the local language model, espeak-ng, MCP servers.
//!
//! The names of its own figures are those of Prometheus' client libraries; theirs for Rust tells CPU time in whole seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use prometheus::{Counter, CounterVec, IntGauge, IntGaugeVec};

use super::families::Families;

pub(super) struct Processes {
    own: Own,
    running: IntGaugeVec,
    memory: IntGaugeVec,
    cpu: CounterVec,
    /// CPU ticks of each child by its id and its start, as counted so far.
    counted: Mutex<HashMap<(i32, u64), u64>>,
}

struct Own {
    cpu: Counter,
    memory: IntGauge,
    virtual_memory: IntGauge,
    threads: IntGauge,
    open_files: IntGauge,
    most_files: IntGauge,
    start: IntGauge,
}

struct Child {
    name: String,
    pid: i32,
    start: u64,
    ticks: u64,
    bytes: u64,
}

impl Processes {
    pub(super) fn new(make: &mut Families) -> Self {
        Self {
            own: Own::new(make),
            running: make.gauges(
                "visavis_child_processes",
                "Processes that the server started, by program",
                &["process"],
            ),
            memory: make.gauges(
                "visavis_child_resident_memory_bytes",
                "Memory that the processes of a program hold",
                &["process"],
            ),
            cpu: make.seconds(
                "visavis_child_cpu_seconds_total",
                "CPU time of the processes of a program",
                &["process"],
            ),
            counted: Mutex::default(),
        }
    }

    pub(super) fn sample(&self) {
        // Where /proc cannot be read the figures stay as they are.
        let _ = self.own.sample();
        let (children, ticks) = (children(), procfs::ticks_per_second() as f64);
        let mut sums: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *counted);
        for child in &children {
            let (count, bytes) = sums.entry(&child.name).or_default();
            (*count, *bytes) = (*count + 1, *bytes + child.bytes);
            let id = (child.pid, child.start);
            let new = child.ticks.saturating_sub(before.get(&id).copied().unwrap_or_default());
            self.cpu.with_label_values(&[&*child.name]).inc_by(new as f64 / ticks);
            counted.insert(id, child.ticks);
        }
        // A program that ended is not there any more; what it has used stays counted.
        self.running.reset();
        self.memory.reset();
        for (name, (count, bytes)) in sums {
            self.running.with_label_values(&[name]).set(count);
            self.memory.with_label_values(&[name]).set(bytes as i64);
        }
    }
}

impl Own {
    fn new(make: &mut Families) -> Self {
        Self {
            cpu: make.time("process_cpu_seconds_total", "Total user and system CPU time spent in seconds"),
            memory: make.gauge("process_resident_memory_bytes", "Resident memory size in bytes"),
            virtual_memory: make.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes"),
            threads: make.gauge("process_threads", "Number of OS threads in the process"),
            open_files: make.gauge("process_open_fds", "Number of open file descriptors"),
            most_files: make.gauge("process_max_fds", "Maximum number of open file descriptors"),
            start: make.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds"),
        }
    }

    fn sample(&self) -> procfs::ProcResult<()> {
        let process = procfs::process::Process::myself()?;
        let (stat, ticks) = (process.stat()?, procfs::ticks_per_second());
        let used = (stat.utime + stat.stime) as f64 / ticks as f64;
        self.cpu.inc_by((used - self.cpu.get()).max(0.0));
        self.memory.set((stat.rss * procfs::page_size()) as i64);
        self.virtual_memory.set(stat.vsize as i64);
        self.threads.set(stat.num_threads);
        self.start.set((procfs::boot_time_secs()? + stat.starttime / ticks) as i64);
        self.open_files.set(process.fd_count()? as i64);
        if let procfs::process::LimitValue::Value(most) = process.limits()?.max_open_files.soft_limit {
            self.most_files.set(most as i64);
        }
        Ok(())
    }
}

/// Those that run now; one that ends meanwhile is left out.
fn children() -> Vec<Child> {
    let Ok(tasks) = procfs::process::Process::myself().and_then(|own| own.tasks()) else { return Vec::new() };
    let pids = tasks.flatten().filter_map(|task| task.children().ok()).flatten();
    pids.filter_map(|pid| child(pid as i32)).collect()
}

fn child(pid: i32) -> Option<Child> {
    let stat = procfs::process::Process::new(pid).ok()?.stat().ok()?;
    Some(Child {
        pid,
        start: stat.starttime,
        ticks: stat.utime + stat.stime,
        bytes: stat.rss * procfs::page_size(),
        name: stat.comm,
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_this_process_costs_is_told_in_parts_of_a_second() {
        let Processes { own, .. } = Processes::new(&mut Families::default());
        own.sample().unwrap();
        let before = own.cpu.get();
        while own.cpu.get() == before {
            own.sample().unwrap();
        }
        assert!(own.cpu.get() - before < 1.0 && own.memory.get() > 1_000_000 && own.threads.get() > 0);
        assert!(own.open_files.get() > 2 && own.most_files.get() >= own.open_files.get());
        let age = crate::clock::unix_seconds() as i64 - own.start.get();
        assert!((0..86_400).contains(&age), "{age} s");
    }

    #[test]
    fn a_child_is_seen_while_it_runs_and_its_time_stays_counted() {
        let processes = Processes::new(&mut Families::default());
        // Reads for ever, which takes time.
        let mut busy = Command::new("cat").arg("/dev/zero").stdout(Stdio::null()).spawn().unwrap();
        let label = ["cat"];
        while processes.cpu.with_label_values(&label).get() == 0.0 {
            processes.sample();
        }
        assert_eq!(processes.running.with_label_values(&label).get(), 1);
        assert!(processes.memory.with_label_values(&label).get() > 100_000);
        busy.kill().unwrap();
        busy.wait().unwrap();
        let used = processes.cpu.with_label_values(&label).get();
        processes.sample();
        assert_eq!(processes.running.with_label_values(&label).get(), 0);
        assert_eq!(processes.cpu.with_label_values(&label).get(), used);
    }
}
