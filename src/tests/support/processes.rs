//! The processes of this machine, as `/proc` shows them.

use std::path::Path;

/// The ids of the processes whose command line names `path` or something in it, this one excepted.
pub fn processes(path: &Path) -> Vec<i32> {
    let needle = path.to_str().unwrap();
    let ids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let names_it = |id: &i32| {
        // A process that is gone meanwhile, or a zombie, has no command line.
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(needle)
    };
    ids.filter(|id| *id != std::process::id().cast_signed()).filter(names_it).collect()
}

/// Sends a signal to a process.
pub fn signal(id: i32, signal: i32) {
    // SAFETY: a system call with two numbers. The process is a child of this one or of its daemon and was found just now.
    unsafe { libc::kill(id, signal) };
}
