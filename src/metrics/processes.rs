//! What the processes cost that this server has started: the local language model, espeak-ng, MCP servers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use prometheus::{CounterVec, IntGaugeVec};

use super::families::Families;

pub(super) struct Processes {
    running: IntGaugeVec,
    memory: IntGaugeVec,
    cpu: CounterVec,
    /// CPU ticks of each child by its id and its start, as counted so far.
    counted: Mutex<HashMap<(i32, u64), u64>>,
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
        make.process();
        Self {
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
