//! Who calls, and what they may do.

use serde::{Deserialize, Serialize};

use super::{TokenId, status::UnknownWord};

/// What an access token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking at its own tasks and at what everyone may know.
    Read,
    /// Making tasks, and changing its own.
    Submit,
    /// Everything, for everyone.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Self] = &[Self::Read, Self::Submit, Self::Admin];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = &["read", "submit", "admin"];
        let found = Self::ALL.iter().copied().find(|scope| scope.as_str() == word);
        found.ok_or_else(|| UnknownWord { word: word.to_owned(), known })
    }
}

/// Several scopes. `admin` holds all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether something that needs `scope` is allowed.
    pub fn allow(self, scope: Scope) -> bool {
        self.holds(scope) || self.holds(Scope::Admin)
    }

    /// The scopes by themselves, in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.holds(*scope))
    }

    fn holds(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | (1 << scope as u8)))
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access token that was shown; none where the daemon is open to whoever reaches it.
    pub token: Option<TokenId>,
    /// What may be done.
    pub scopes: Scopes,
}

impl Caller {
    /// Whether something of `owner` may be seen and, with [`Scope::Submit`], changed.
    pub fn may_see(self, owner: Option<TokenId>) -> bool {
        self.scopes.allow(Scope::Admin) || (self.token.is_some() && self.token == owner)
    }

    /// Whose things may be seen; none for everyone's.
    pub fn only(self) -> Option<TokenId> {
        // Whoever shows no token and is no admin owns nothing: no token has the id 0.
        (!self.scopes.allow(Scope::Admin)).then(|| self.token.unwrap_or(TokenId(0)))
    }
}

/// The daemon itself, and whoever it is open to: everything is allowed, and what is made belongs to no token.
impl Default for Caller {
    fn default() -> Self {
        Self { token: None, scopes: Scopes::all() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_holds_all_and_the_others_only_themselves() {
        let only = |scope| Scopes::from_iter([scope]);
        assert!(Scope::ALL.iter().all(|scope| only(Scope::Admin).allow(*scope)));
        assert!(only(Scope::Submit).allow(Scope::Submit) && !only(Scope::Submit).allow(Scope::Read));
        assert!(!Scopes::default().allow(Scope::Read));
        assert_eq!(Scopes::all().iter().map(Scope::as_str).collect::<Vec<_>>(), ["read", "submit", "admin"]);
    }

    #[test]
    fn one_caller_sees_its_own_only() {
        let scopes = Scopes::from_iter([Scope::Read]);
        let one = Caller { token: Some(TokenId(1)), scopes };
        assert!(one.may_see(Some(TokenId(1))) && !one.may_see(Some(TokenId(2))) && !one.may_see(None));
        assert!(Caller::default().may_see(Some(TokenId(2))) && Caller::default().may_see(None));
        assert!(!Caller { token: None, scopes }.may_see(None));
        assert_eq!((one.only(), Caller::default().only()), (Some(TokenId(1)), None));
    }
}
