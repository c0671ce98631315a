//! The engine process: `trawl engine`, the same binary, started by the pool.
//!
//! whisper.cpp can abort a whole process (a wrong file, a driver's fault), so it never runs in the daemon. Callers may
//! rely on: only protocol lines are written to stdout, everything else goes to stderr; the process ends when its stdin
//! does or its parent dies; whisper.cpp never sees a file that [`check_file`] has not passed.

mod work;

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    os::fd::FromRawFd,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use self::work::{Goal, Task};
use super::{
    models::check_file,
    protocol::{Event, Request},
    whisper::{self, Model, Slot},
};
use crate::{
    domain::{Options, options::Ladder},
    error::{Code, Error, Result},
};

/// The arguments of `trawl engine`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The model file.
    #[arg(long)]
    pub model: PathBuf,
    /// The model's name in transcripts.
    #[arg(long)]
    pub model_name: String,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Transcriptions at the same time.
    #[arg(long, default_value_t = 1)]
    pub slots: usize,
    /// CPU threads over all slots.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Use a shorter encoder context for windows below 30 seconds.
    #[arg(long)]
    pub short_context: bool,
}

/// Prints the GPUs that this build can compute on, as JSON.
pub fn list_devices() -> ExitCode {
    // Drivers print to stdout, too.
    let output = take_stdout();
    whisper::log_to_stderr();
    let print = || -> Result<()> {
        super::cpu_check()?;
        let line = serde_json::to_string(&whisper::devices()).map_err(std::io::Error::from)?;
        Ok(writeln!(output?, "{line}")?)
    };
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::FAILURE
        }
    }
}

/// Runs the process until its stdin ends.
pub fn run(args: Args) -> ExitCode {
    die_with_parent();
    leave_no_core();
    let output = match take_stdout() {
        Ok(output) => Arc::new(Output(Mutex::new(Box::new(output)))),
        Err(error) => {
            eprintln!("stdout cannot be used: {error}");
            return ExitCode::FAILURE;
        }
    };
    whisper::log_to_stderr();
    match serve(&args, BufReader::new(std::io::stdin()), output.clone()) {
        Ok(_) => {
            // Slots may still be at work, which nobody waits for; ordinary exit would take whisper.cpp's globals away
            // under them.
            // SAFETY: ending the process at once is all that is wanted.
            unsafe { libc::_exit(0) }
        }
        Err(error) => {
            eprintln!("{}", error.chain());
            output.send(&Event::Unusable { code: error.code.as_str().to_owned(), detail: error.detail });
            ExitCode::FAILURE
        }
    }
}

/// Loads the model and answers requests until the input ends or asks for it. The slots which were at work then are told
/// to stop; their threads are returned.
pub(crate) fn serve(args: &Args, input: impl BufRead, output: Arc<Output>) -> Result<Vec<JoinHandle<()>>> {
    let slots = args.slots.max(1);
    let threads = (args.threads / slots).max(1);
    super::cpu_check()?;
    check_file(&args.model)?;
    let model = Model::load(&args.model, &args.device, args.short_context)?;
    if args.device != "cpu" {
        // A fault of a GPU or of its driver often shows only when something is computed. Here it still counts as one of
        // loading, after which another device can take over.
        try_out(model.slot(threads, args.threads)?)?;
    }
    let (sender, receiver) = mpsc::channel();
    let shared = Arc::new(Shared { output, work: Mutex::new(receiver), stops: Mutex::default() });
    let mut handles = Vec::new();
    for number in 0..slots {
        let (shared, slot) = (shared.clone(), model.slot(threads, args.threads)?);
        let thread = std::thread::Builder::new().name(format!("slot-{number}"));
        handles.push(thread.spawn(move || shared.work_on(slot))?);
    }
    shared.output.send(&Event::Ready {
        model: args.model_name.clone(),
        engine: format!("{} {}", whisper::ENGINE, whisper_rs::WHISPER_CPP_VERSION),
        device: args.device.clone(),
        slots,
    });
    let begin = |id, pcm, range, goal| {
        let stop = Arc::new(AtomicBool::new(false));
        lock(&shared.stops).insert(id, stop.clone());
        // The slots hold the receiver as long as `shared` lives, so this cannot fail.
        let _ = sender.send(Task { id, pcm, range, stop, goal });
    };
    for line in input.lines() {
        let request = serde_json::from_str(&line?).map_err(|error| {
            Error::new(Code::Internal, "The engine process got a broken request").with_source(error)
        })?;
        match request {
            Request::Detect { id, pcm, range } => begin(id, pcm, range, Goal::Detect),
            Request::Recognise { id, pcm, range, language, previous, options } => {
                begin(id, pcm, range, Goal::Recognise { language, previous, options: Box::new(options) });
            }
            Request::Abort { id } => {
                if let Some(stop) = lock(&shared.stops).get(&id) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            Request::Shutdown => break,
        }
    }
    for stop in lock(&shared.stops).values() {
        stop.store(true, Ordering::Relaxed);
    }
    Ok(handles)
}

/// Takes a short silence the whole way through the model; gives what would be told of it.
fn try_out(mut slot: Slot) -> Result<Event> {
    let options = Options { temperature: Ladder(vec![0.0]), beam_size: 1, ..Options::default() };
    let goal = Goal::Recognise { language: Some("en".to_owned()), previous: String::new(), options: Box::new(options) };
    let task = Task { id: 0, pcm: "/dev/null".into(), range: 0..0, stop: Arc::default(), goal };
    work::run(&mut slot, &task, &|_| {})
}

/// Where events are written, one whole line at a time.
pub(crate) struct Output(pub(crate) Mutex<Box<dyn Write + Send>>);

impl Output {
    fn send(&self, event: &Event) {
        let mut line = match serde_json::to_vec(event) {
            Ok(line) => line,
            Err(error) => return eprintln!("an event could not be written: {error}"),
        };
        line.push(b'\n');
        let mut output = lock(&self.0);
        // When nobody reads any more, stdin ends too, and with it this process.
        let _ = output.write_all(&line).and_then(|()| output.flush());
    }
}

struct Shared {
    output: Arc<Output>,
    work: Mutex<mpsc::Receiver<Task>>,
    stops: Mutex<HashMap<u64, Arc<AtomicBool>>>,
}

impl Shared {
    fn work_on(&self, mut slot: Slot) {
        loop {
            let Ok(task) = lock(&self.work).recv() else { return };
            let id = task.id;
            let send = |event: Event| self.output.send(&event);
            let run = || work::run(&mut slot, &task, &send);
            let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
                // The panic message is on stderr. A slot in an unknown state is of no use to anyone.
                std::process::abort()
            });
            lock(&self.stops).remove(&id);
            send(match result {
                Ok(end) => end,
                Err(error) => {
                    if error.code != Code::Cancelled {
                        eprintln!("{}", error.chain());
                    }
                    Event::Failed { id, code: error.code.as_str().to_owned(), detail: error.detail }
                }
            });
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A panic anywhere ends the process, so a poisoned value is never used for long.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A crash leaves no image of the process on the disk: it would hold people's speech, and as much as the model takes.
fn leave_no_core() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a plain system call that reads the struct. When it fails, the system's own rule holds.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}

/// Keeps the real stdout for events and points descriptor 1 at stderr, so that no `printf` in a library breaks the
/// protocol.
fn take_stdout() -> std::io::Result<File> {
    // SAFETY: plain system calls on descriptors which are open; the new descriptor is owned by the file alone.
    unsafe {
        let kept = libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3);
        if kept < 0 || libc::dup2(2, 1) < 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(File::from_raw_fd(kept))
    }
}

/// Asks the kernel to end this process with its parent, also while a model loads and nobody reads stdin.
///
/// The kernel means the *thread* that started us, and an async runtime may retire threads. So the signal only makes us
/// look whether the parent is still the same.
fn die_with_parent() {
    static PARENT: AtomicI32 = AtomicI32::new(0);
    extern "C" fn look(_: libc::c_int) {
        // SAFETY: both calls are allowed in a signal handler.
        unsafe {
            if libc::getppid() != PARENT.load(Ordering::Relaxed) {
                libc::_exit(1);
            }
        }
    }
    // SAFETY: plain system calls; the handler only uses what a handler may.
    unsafe {
        PARENT.store(libc::getppid(), Ordering::Relaxed);
        let handler: extern "C" fn(libc::c_int) = look;
        libc::signal(libc::SIGUSR2, handler as *const () as libc::sighandler_t);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGUSR2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_tried_out_with_nothing_to_hear() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin");
        let model = Model::load(&file, "cpu", false).unwrap();
        let tried = try_out(model.slot(1, 1).unwrap()).unwrap();
        assert!(matches!(&tried, Event::Done { id: 0, warnings, .. } if warnings.is_empty()), "{tried:?}");
    }
}
