//! The command line: what can be said, and who does it.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong use. Results go to stdout, everything else to stderr.

mod backup;
mod doctor;
mod local;
mod log;
mod migrate;
mod models;
mod secrets;
mod serve;
mod token;
mod transcribe;
mod workflow;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Config, LogConfig},
    domain::Role,
    error::{Code, Error, Result},
    fault, transcribe as engine,
};

/// Paste a link, get the words.
#[derive(Parser)]
#[command(name = "trawl", version, about, arg_required_else_help = true)]
struct Cli {
    /// A TOML file over the defaults, instead of config/local.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon
    Serve {
        /// Address and port to listen on, such as 127.0.0.1:8000
        #[arg(long, value_name = "ADDR")]
        bind: Option<SocketAddr>,
        /// What it does: all, api (answers requests) or worker (does the work)
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
    },
    /// Transcribe links and files without a daemon; the text goes to stdout
    Transcribe(Box<TranscribeArgs>),
    /// Look after model files
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Check, try and run workflows without a daemon
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// Look after what workflows may use and nobody may see
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Make, list and take back access tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Check what trawl needs, and which ways to platforms work today
    Doctor {
        /// Print the checks as JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring the database's schema up to date and exit; or move everything to another database
    ///
    /// With --from and --to, everything in one database is copied to another one, which must be empty, and compared. Both are
    /// addresses as in `database.url`: sqlite:/path/trawl.db, postgres://USER:PASSWORD@HOST/DATABASE,
    /// mysql://USER:PASSWORD@HOST/DATABASE. The first one is only read, and no daemon may work on it meanwhile.
    Migrate {
        /// The database that is left
        #[arg(long, value_name = "URL", requires = "to")]
        from: Option<String>,
        /// The database that takes its place
        #[arg(long, value_name = "URL", requires = "from")]
        to: Option<String>,
    },
    /// Copy the database, the keys and the list of kept media into a folder; the daemon may run
    Backup {
        /// A folder that is empty or not there yet
        path: PathBuf,
        /// Copy the media files, too
        #[arg(long)]
        media: bool,
    },
    /// Take a backup back into an empty data folder
    Restore {
        /// The folder that `trawl backup` has written
        path: PathBuf,
    },
    /// Tell what retention would remove now; nothing is removed
    Retention,
    /// Print the OpenAPI document
    Openapi,
    /// The recognition process that the daemon starts; not for people
    #[command(hide = true)]
    Engine {
        /// Print the GPUs that this build can compute on, as JSON
        #[arg(long, exclusive = true)]
        list_devices: bool,
        #[command(flatten)]
        args: Option<engine::child::Args>,
    },
}

/// What `trawl transcribe` takes.
#[derive(Args)]
struct TranscribeArgs {
    /// Links, share texts, or files
    #[arg(required = true, value_name = "LINK|FILE")]
    inputs: Vec<String>,
    /// The model's name or alias, or the path of a ggml file
    #[arg(long)]
    model: Option<String>,
    /// A language code or English name; detected when not given
    #[arg(long)]
    language: Option<String>,
    /// Translate into English
    #[arg(long)]
    translate: bool,
    /// The languages that detection may choose from, such as en,zh
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    languages: Vec<String>,
    /// Text which the model takes for what was said before
    #[arg(long, value_name = "TEXT")]
    initial_prompt: Option<String>,
    /// Words that are likely to be said
    #[arg(long, value_name = "TEXT")]
    hotwords: Option<String>,
    /// Randomness, 0 to 1
    #[arg(long)]
    temperature: Option<f32>,
    /// Hypotheses followed, 1 to 10
    #[arg(long)]
    beam_size: Option<u8>,
    /// Times for each word: in json, and where subtitles may be cut
    #[arg(long)]
    word_timestamps: bool,
    /// Keep the parts without speech
    #[arg(long)]
    no_vad: bool,
    /// How long audio is worked on: auto, sequential or parallel
    #[arg(long)]
    split: Option<String>,
    /// The script of a Chinese text: none, hans, hant, tw or hk
    #[arg(long)]
    zh: Option<String>,
    /// Any option of the API by its name; the value is JSON, or else text
    #[arg(long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// txt, srt, vtt, json, tsv, lrc or md
    #[arg(long, default_value = "txt")]
    format: String,
    #[command(flatten)]
    layout: LayoutArgs,
    /// A file to write to; with several inputs, a folder
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
}

/// How srt, vtt, tsv and lrc are laid out.
#[derive(Args)]
#[command(next_help_heading = "Subtitles")]
struct LayoutArgs {
    /// The widest line in columns, 8 to 200; a Chinese, Japanese or Korean character takes two
    #[arg(long, value_name = "N")]
    max_chars: Option<u32>,
    /// The most lines of a cue, 1 to 6
    #[arg(long, value_name = "N")]
    max_lines: Option<u32>,
    /// The longest cue in seconds, 0.5 to 60
    #[arg(long, value_name = "S")]
    max_seconds: Option<f64>,
    /// The most characters to read in a second, 1 to 100; a faster cue stays longer
    #[arg(long, value_name = "N")]
    max_cps: Option<f64>,
    /// Mark each word with its time in vtt and lrc
    #[arg(long)]
    words: bool,
}

#[derive(Subcommand)]
enum WorkflowCommand {
    /// Tell everything that is wrong with definitions
    ///
    /// On stdout there is a line for each problem: FILE:POINTER: CODE MESSAGE, where POINTER is the JSON Pointer of the
    /// place (none when it is the whole file) and CODE begins with E_ for errors and with W_ for warnings; below one of an
    /// expression, the expression with a mark. Definitions know each other and those that ship. JSON Schemas, such as
    /// workflows/schema.json, are passed over with a word on stderr.
    ///
    /// With --config FILE, programs, prompts and language models are looked for in that configuration, too.
    ///
    /// Exit code: 0 no errors (there may be warnings), 1 errors in some file, 2 a file that cannot be read.
    #[command(verbatim_doc_comment)]
    Validate {
        /// Their files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Try a definition: expressions are real, the results of steps are mocks
    Test {
        /// Its file
        file: PathBuf,
        /// The parameters, as a JSON object
        #[arg(long, value_name = "JSON")]
        params: Option<String>,
        /// A file with a JSON object: by step its output, or {"error": {"code": …}}
        #[arg(long, value_name = "FILE")]
        mocks: Option<PathBuf>,
    },
    /// Run a definition; its result goes to stdout as JSON
    Run {
        /// Its file
        file: PathBuf,
        /// A parameter; for a link, the path of a file will do
        #[arg(long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
    },
}

#[derive(Subcommand)]
enum ModelsCommand {
    /// List the official models and those that are here
    List,
    /// Download official models
    Pull {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Check model files: header, tensors and, for official ones, the hash
    Verify {
        /// Their names; all that are here when none is given
        names: Vec<String>,
    },
    /// Remove model files
    Remove {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Subcommand)]
enum SecretsCommand {
    /// List names and hosts
    List,
    /// Set a secret; its value is read from stdin
    Set {
        /// Its name, as in ${secrets.NAME}
        name: String,
        /// Who may see it: api.example.com, *.example.com, or exec:NAME for a program
        #[arg(long = "host", required = true, value_name = "HOST")]
        hosts: Vec<String>,
    },
    /// Remove a secret
    Remove {
        /// Its name
        name: String,
    },
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; everything else is wrong use.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    fault::arm();
    if let Command::Engine { args, .. } = cli.command {
        return args.map_or_else(engine::child::list_devices, engine::child::run);
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            let is_wrong_use = matches!(error.code, Code::UnknownField | Code::InvalidValue | Code::UnknownModel);
            ExitCode::from(if is_wrong_use { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    // One provider for every TLS connection of the process. A second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Serve { bind, role } => {
            let bind = bind.map(|bind| ("server.bind", bind.to_string()));
            let role = role.map(|role| ("server.role", role.to_string()));
            let flags: Vec<_> = bind.into_iter().chain(role).collect();
            let config = Config::load(cli.config.as_deref(), &flags)?;
            log::start(&config.log)?;
            engine::cpu_check()?;
            block_on(serve::serve(config))
        }
        Command::Transcribe(args) => {
            let shape = transcribe::Shape::of(&args)?;
            engine::cpu_check()?;
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(transcribe::transcribe(config, *args, shape))
        }
        Command::Models(command) => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(models::run(&config, command))
        }
        Command::Workflow(command) => {
            if let Some(done) = workflow::offline(&command, cli.config.as_deref()) {
                return done;
            }
            let WorkflowCommand::Run { file, params } = command else { return Ok(()) };
            engine::cpu_check()?;
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(workflow::run(config, &file, &params))
        }
        Command::Migrate { from, to } => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            match (from, to) {
                (Some(from), Some(to)) => block_on(migrate::move_all(&config, &from, &to)),
                _ => block_on(migrate::bring_up_to_date(&config)),
            }
        }
        Command::Backup { path, media } => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(backup::backup(&config, &path, media))
        }
        Command::Restore { path } => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(backup::restore(&config, &path))
        }
        Command::Retention => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(backup::retention(&config))
        }
        Command::Secrets(command) => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(secrets::run(&config, command))
        }
        Command::Token(command) => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(token::run(&config, command))
        }
        Command::Doctor { json } => {
            let config = Config::load(cli.config.as_deref(), &[])?;
            log::start(&quiet(&config.log))?;
            block_on(doctor::run(config, json))
        }
        Command::Openapi => {
            print(&crate::api::openapi());
            Ok(())
        }
        Command::Engine { .. } => Err(Error::new(Code::Internal, "The engine is started before this")),
    }
}

/// What a thread may have for its stack, in bytes: futures over three databases' drivers are large in a build without
/// optimisation. It is taken as it is used.
const STACK: usize = 8 * 1024 * 1024;

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()?;
    let result = runtime.block_on(work);
    // A thread stuck in a foreign library must not keep the process from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// Commands print results and errors; the log is for what goes wrong unless the operator asked for more.
fn quiet(log: &LogConfig) -> LogConfig {
    let level = if log.level == "info" { "error".to_owned() } else { log.level.clone() };
    LogConfig { level, file: PathBuf::new(), ..log.clone() }
}

/// Tells an error to a person: sentence, hint, code.
fn complain(error: &Error) {
    tracing::debug!(error = %error.chain(), "failed");
    let mut text = format!("trawl: {} [{}]\n  {}", error.chain(), error.code.as_str(), error.hint);
    text.push('\n');
    write(&mut std::io::stderr(), &text);
}

/// Prints to stdout. A reader who has gone away is no error.
fn print(text: &str) {
    write(&mut std::io::stdout(), &format!("{text}\n"));
}

fn write(to: &mut dyn std::io::Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
