//! Who may call what.

mod owners;
mod routes;
mod tokens;
mod usage;

use poem::{
    Body, Endpoint, Request, Response,
    http::{Method, StatusCode},
};
use serde_json::Value;

use super::{Answer, Api};
use crate::{
    access::Wanted,
    api::app,
    config::{AuthMode, Config},
    domain::{Quota, Scope, Token, TokenId},
};

/// The scopes of somebody who works with tasks.
const WORKER: &[Scope] = &[Scope::Read, Scope::Submit];

/// An API for which everyone needs a token.
async fn guarded() -> Api {
    guarded_with(|_| ()).await
}

async fn guarded_with(change: impl FnOnce(&mut Config)) -> Api {
    Api::with(|config| {
        config.auth.mode = AuthMode::On;
        change(config);
    })
    .await
}

impl Api {
    /// A token with these scopes.
    pub(super) async fn token_for(&self, scopes: &[Scope]) -> String {
        self.token_with(scopes, Quota::default()).await.1
    }

    async fn token_with(&self, scopes: &[Scope], quota: Quota) -> (Token, String) {
        let scopes = scopes.iter().copied().collect();
        let wanted = Wanted { name: "test".to_owned(), scopes, quota, expires_at: None };
        let (token, key) = self.state.access.create(wanted).await.unwrap();
        (token, key.text().to_owned())
    }

    async fn as_(&self, key: &str, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri_str(path).content_type("application/json");
        self.send(request.header("authorization", format!("Bearer {key}")).body(body)).await
    }

    pub(super) async fn get_as(&self, key: &str, path: &str) -> Answer {
        self.as_(key, Method::GET, path, ()).await
    }

    async fn post_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.as_(key, Method::POST, path, body.to_string()).await
    }

    /// A task of this token's owner.
    pub(super) async fn task_as(&self, key: &str) -> i64 {
        let answer = self.post_as(key, "/api/tasks", serde_json::json!({"link": "https://example.com/a.mp3"})).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_i64().unwrap()
    }

    /// Has a token expired a second ago.
    async fn expire(&self, id: TokenId) {
        self.write(async |tx| tx.set_token_end(id, tx.now() - 1000).await.unwrap()).await;
    }
}
