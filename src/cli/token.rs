//! `trawl token`: in the database itself, beside the daemon where one runs, so that the first token can be made.

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::{print, write};
use crate::{
    access::{self, Wanted},
    config::Config,
    domain::{Quota, Scope, Span, Token, TokenId},
    error::{Code, Error, Result},
    store::Store,
};

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token; it is printed this once and cannot be shown again
    Create {
        /// What its owner calls it
        #[arg(long)]
        name: String,
        /// What it may be used for: read, submit, admin
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// How long it counts, such as 30d; for ever when nothing is said
        #[arg(long, value_name = "TIME")]
        expires: Option<Span>,
        /// The most seconds of audio that may be recognised in one day (UTC)
        #[arg(long, value_name = "SECONDS")]
        audio_seconds_per_day: Option<i64>,
        /// The most bytes that may be sent in one day (UTC)
        #[arg(long, value_name = "BYTES")]
        bytes_per_day: Option<i64>,
        /// The most tasks that may be made in one minute
        #[arg(long, value_name = "TASKS")]
        tasks_per_minute: Option<i64>,
    },
    /// List tokens, the newest first
    List,
    /// Take a token back: it counts no longer from the next request on
    Revoke {
        /// Its id, as `trawl token list` shows it
        id: i64,
    },
}

/// Does what was asked.
pub(super) async fn run(config: &Config, command: TokenCommand) -> Result<()> {
    std::fs::create_dir_all(&config.paths.data)?;
    let store = Store::open_beside(&config.database_url()).await?;
    match command {
        TokenCommand::Create { name, scopes, expires, audio_seconds_per_day, bytes_per_day, tasks_per_minute } => {
            let quota = Quota { audio_seconds: audio_seconds_per_day, bytes: bytes_per_day, tasks: tasks_per_minute };
            let expires_at = expires.map(end).transpose()?;
            let wanted = Wanted { name, scopes: scopes.into_iter().collect(), quota, expires_at };
            let (token, key) = access::create(&store, wanted).await?;
            // The token alone goes to stdout, for whoever keeps it in a variable.
            let about = format!(
                "Token {} \"{}\" ({}): keep it, it is not shown again.\n",
                token.id,
                token.name,
                scopes_of(&token)
            );
            write(&mut std::io::stderr(), &about);
            print(key.text());
        }
        TokenCommand::List => list(&store.tokens().await?),
        TokenCommand::Revoke { id } => {
            access::revoke(&store, TokenId(id)).await?;
            print(&format!("{id}: revoked"));
        }
    }
    Ok(())
}

fn end(life: Span) -> Result<DateTime<Utc>> {
    let end = chrono::Duration::from_std(life.0).ok().and_then(|life| Utc::now().checked_add_signed(life));
    end.ok_or_else(|| Error::new(Code::InvalidValue, "The token would count for too long").with_field("expires"))
}

fn list(tokens: &[Token]) {
    print(&format!("{:<6} {:<10} {:<20} {:<24} {:<10} NAME", "ID", "KEY", "SCOPES", "LAST USED", "STATE"));
    let now = Utc::now();
    for token in tokens {
        let state = match (token.revoked_at, token.counts(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "valid",
            (None, false) => "expired",
        };
        let used = token.last_used_at.map_or("never".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
        let (id, key, scopes, name) = (token.id.0, &token.key_id, scopes_of(token), &token.name);
        print(&format!("{id:<6} {key:<10} {scopes:<20} {used:<24} {state:<10} {name}"));
    }
}

fn scopes_of(token: &Token) -> String {
    token.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(",")
}
