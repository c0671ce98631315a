//! Short-lived tokens (JWT, HS256) that stand for an access token: for clients that swap a key for one, and for browsers.
//!
//! One says only whose it is and until when. What its owner may do is looked up with every request, so that it is worth
//! nothing any more once its access token is revoked.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind, get_current_timestamp,
};
use serde::{Deserialize, Serialize};

use super::hs256;
use crate::{
    domain::TokenId,
    error::{Code, Error, Result},
};

const ISSUER: &str = "trawl";

/// What a JWT is for; one is not taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Requests of a program that has swapped its key for it.
    Api,
    /// Requests of a browser, which has it as a cookie.
    Session,
}

/// Signs and checks JWTs.
pub struct Jwt {
    sign: EncodingKey,
    check: DecodingKey,
}

/// Why a JWT does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// It is one of ours and too old.
    Expired,
    /// It is none of ours, or one for something else.
    Foreign,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    user_id: String,
}

impl Audience {
    fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Session => "session",
        }
    }
}

impl Jwt {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        hs256::install();
        Self { sign: EncodingKey::from_secret(key), check: DecodingKey::from_secret(key) }
    }

    /// A JWT for the owner of an access token, or for nobody in particular, that counts for `life` from now on (in whole
    /// seconds).
    ///
    /// # Errors
    /// `internal` when it cannot be written down, which does not happen.
    pub fn issue(&self, owner: Option<TokenId>, audience: Audience, life: Duration) -> Result<String> {
        let iat = get_current_timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.as_str().to_owned(),
            iat,
            exp: iat.saturating_add(life.as_secs()),
            user_id: owner.map_or_else(String::new, |id| id.to_string()),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .map_err(|error| Error::new(Code::Internal, "A token cannot be signed").with_source(error))
    }

    /// Whose a JWT is; none for one that was made for nobody in particular.
    ///
    /// # Errors
    /// [`Bad`]: another algorithm, another key, another audience, or too old.
    pub fn owner(&self, text: &str, audience: Audience) -> std::result::Result<Option<TokenId>, Bad> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[audience.as_str()]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        let read = decode::<Claims>(text, &self.check, &rules).map_err(|error| match error.kind() {
            // Its signature was checked before.
            ErrorKind::ExpiredSignature => Bad::Expired,
            _ => Bad::Foreign,
        })?;
        match read.claims.user_id.as_str() {
            "" => Ok(None),
            id => id.parse().map(|id| Some(TokenId(id))).map_err(|_| Bad::Foreign),
        }
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jwt")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const LIFE: Duration = Duration::from_secs(900);
    const ID: Option<TokenId> = Some(TokenId(7));

    fn part(value: &Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn parts(token: &str) -> Vec<Value> {
        let parts = token.split('.').take(2);
        parts.map(|part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect()
    }

    /// A token with claims of one's own, signed by someone who has the key.
    fn signed(key: &[u8], header: &Value, claims: &Value) -> String {
        hs256::install();
        let text = format!("{}.{}", part(header), part(claims));
        let key = EncodingKey::from_secret(key);
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{text}.{signature}")
    }

    #[test]
    fn a_token_tells_whose_it_is() {
        let jwt = Jwt::new(&[1; 32]);
        let token = jwt.issue(ID, Audience::Api, LIFE).unwrap();
        assert_eq!(jwt.owner(&token, Audience::Api), Ok(ID));
        assert_eq!(jwt.owner(&jwt.issue(None, Audience::Api, LIFE).unwrap(), Audience::Api), Ok(None));
        let [header, claims] = &parts(&token)[..] else { panic!("{token}") };
        assert_eq!(header["alg"], "HS256");
        assert_eq!((&claims["iss"], &claims["user_id"]), (&json!("trawl"), &json!("7")));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 900);
    }

    #[test]
    fn no_other_token_counts() {
        let jwt = Jwt::new(&[1; 32]);
        let token = jwt.issue(ID, Audience::Api, LIFE).unwrap();
        let [header, claims] = &parts(&token)[..] else { panic!("{token}") };
        let bare = format!("{}.{}", part(header), part(claims));
        let with = |name: &str, value: Value| {
            let mut changed = claims.clone();
            changed[name] = value;
            changed
        };
        let without = |name: &str| {
            let mut changed = claims.clone();
            changed.as_object_mut().unwrap().remove(name);
            changed
        };
        let resigned = |claims: &Value| signed(&[1; 32], header, claims);
        assert_eq!(jwt.owner(&resigned(claims), Audience::Api), Ok(ID));
        let none = part(&json!({"alg": "none", "typ": "JWT"}));
        for (name, foreign) in [
            ("no algorithm", format!("{none}.{}.", part(claims))),
            ("no algorithm, with a signature", token.replacen(&part(header), &none, 1)),
            ("another algorithm's name", signed(&[1; 32], &json!({"alg": "HS384", "typ": "JWT"}), claims)),
            ("a public key's algorithm", signed(&[1; 32], &json!({"alg": "RS256", "typ": "JWT"}), claims)),
            ("another key", signed(&[2; 32], header, claims)),
            ("an empty key", signed(&[], header, claims)),
            ("no signature", format!("{bare}.")),
            ("two parts", bare.clone()),
            ("half a signature", token[..token.len() - 20].to_owned()),
            ("other claims", format!("{}.{}", part(header), part(&with("user_id", json!("8")))) + &token[bare.len()..]),
            ("another issuer", resigned(&with("iss", json!("other")))),
            ("another audience", resigned(&with("aud", json!("session")))),
            ("no audience", resigned(&without("aud"))),
            ("no issuer", resigned(&without("iss"))),
            ("no end", resigned(&without("exp"))),
            ("an end in words", resigned(&with("exp", json!("never")))),
            ("nobody", resigned(&without("user_id"))),
            ("somebody", resigned(&with("user_id", json!("x")))),
            ("nothing", String::new()),
            ("dots", "..".to_owned()),
        ] {
            assert_eq!(jwt.owner(&foreign, Audience::Api), Err(Bad::Foreign), "{name}");
        }
        assert_eq!(jwt.owner(&token, Audience::Session), Err(Bad::Foreign));
        let past = with("exp", json!(get_current_timestamp() - 1));
        assert_eq!(jwt.owner(&resigned(&past), Audience::Api), Err(Bad::Expired));
        // Whoever has not the key does not learn that it would be too old.
        assert_eq!(jwt.owner(&signed(&[2; 32], header, &past), Audience::Api), Err(Bad::Foreign));
    }
}
