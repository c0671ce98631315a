//! From what a request shows to who sends it.

use std::net::IpAddr;

use chrono::Utc;

use super::{
    Access,
    jwt::{Audience, Bad},
    key::{Key, PREFIX},
};
use crate::{
    domain::{Caller, Token, TokenId},
    error::{Code, Error, Result},
};

/// What a request shows of who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// Nothing.
    Nothing,
    /// A token, or a JWT that it was swapped for.
    Key(&'a str),
    /// A browser's session.
    Session(&'a str),
}

impl Access {
    /// Who sends a request from `address`.
    ///
    /// Where the daemon is open, what is no token of ours is ignored (clients of other systems send one whatever it is
    /// worth), and so is a session that is over. One that looks like ours and does not count is refused even there: it
    /// would be taken for everyone's otherwise, and its owner would not find the own tasks.
    ///
    /// # Errors
    /// `unauthorized`, or `too_many_requests` after too many of those from the same address.
    pub async fn caller(&self, shown: Shown<'_>, address: Option<IpAddr>) -> Result<Caller> {
        let owner = match shown {
            Shown::Nothing => return self.anyone("This needs an access token, and none was sent"),
            // A page with an old session asks again and again; that is no attack.
            Shown::Session(text) => match self.0.jwt.owner(text, Audience::Session) {
                Ok(Some(id)) => self.counting(id).await?,
                Ok(None) | Err(_) => None,
            },
            Shown::Key(text) => match self.of_key(text).await {
                Ok(None) if !self.0.open => return Err(self.failed(invalid(), address)),
                found => found.map_err(|error| self.failed(error, address))?,
            },
        };
        match owner {
            Some(token) => Ok(Caller { token: Some(token.id), scopes: token.scopes }),
            None => self.anyone(INVALID),
        }
    }

    /// A JWT for a token: for clients that swap a key for one (`POST /auth/token`). Where the daemon is open, any other
    /// key gets one too, which is then as good as none. For a JWT there is none: it would never end.
    ///
    /// # Errors
    /// As [`Self::caller`].
    pub async fn exchange(&self, key: &str, address: Option<IpAddr>) -> Result<String> {
        let owner = match key.starts_with(PREFIX) || !self.0.open {
            true => Some(self.token(key).await.map_err(|error| self.failed(error, address))?.id),
            false => None,
        };
        self.0.jwt.issue(owner, Audience::Api, self.0.jwt_life)
    }

    /// A session for a token: what a browser keeps in its place, and whose it is.
    ///
    /// # Errors
    /// `unauthorized` for anything but a token that counts, also where the daemon is open.
    pub async fn session(&self, key: &str, address: Option<IpAddr>) -> Result<(String, Token)> {
        let token = self.token(key).await.map_err(|error| self.failed(error, address))?;
        Ok((self.0.jwt.issue(Some(token.id), Audience::Session, self.0.session_life)?, token))
    }

    /// The token that a key stands for; none where it is nothing of ours.
    async fn of_key(&self, text: &str) -> Result<Option<Token>> {
        if text.starts_with(PREFIX) {
            return self.token(text).await.map(Some);
        }
        match self.0.jwt.owner(text, Audience::Api) {
            Ok(Some(id)) => self.counting(id).await?.map(Some).ok_or_else(invalid),
            Err(Bad::Expired) => Err(Error::new(Code::Unauthorized, "The token of /auth/token has expired")
                .with_hint("Swap the key for another one with POST /auth/token, or raise `auth.jwt_life`.")),
            Ok(None) | Err(Bad::Foreign) => Ok(None),
        }
    }

    /// The token that is this one.
    async fn token(&self, text: &str) -> Result<Token> {
        let key = Key::parse(text).ok_or_else(invalid)?;
        self.known(&key).await?.ok_or_else(invalid)
    }

    async fn known(&self, key: &Key) -> Result<Option<Token>> {
        let found = self.0.store.token_by_key(&key.id).await?;
        // Compared with nothing where there is none, so that both take as long.
        let (token, sha256) = found.map_or((None, vec![0; 32]), |(token, sha256)| (Some(token), sha256));
        let is_it = key.is(&sha256);
        Ok(token.filter(|token| is_it && token.counts(Utc::now())))
    }

    async fn counting(&self, id: TokenId) -> Result<Option<Token>> {
        Ok(self.0.store.token(id).await?.filter(|token| token.counts(Utc::now())))
    }

    fn anyone(&self, why: &str) -> Result<Caller> {
        if self.0.open { Ok(Caller::default()) } else { Err(Error::new(Code::Unauthorized, why)) }
    }

    /// Counts a token that was refused; too many from one address are told to wait.
    fn failed(&self, error: Error, address: Option<IpAddr>) -> Error {
        if error.code != Code::Unauthorized {
            return error;
        }
        self.0.limits.failed(address).err().unwrap_or(error)
    }
}

/// The same words for every token that does not count: nobody learns whether it is unknown, wrong, old or taken back.
const INVALID: &str = "The access token is not valid";

fn invalid() -> Error {
    Error::new(Code::Unauthorized, INVALID)
}
