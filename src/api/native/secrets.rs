//! Secrets of workflows: set, listed and removed. Their values go in and never come out.

use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};

use super::{Context, Group};
use crate::{
    api::{body::JsonBody, sample::sample, words::Time},
    secrets,
};

/// Secrets.
pub(in crate::api) struct Secrets(pub(super) Context);

/// What workflows may use. / 工作流可用的密钥。
#[derive(Debug, Object)]
struct SecretList {
    /// The secrets, by name.
    items: Vec<SecretView>,
}

/// A secret without its value. / 一个密钥（不含其值）。
#[derive(Debug, Object)]
#[oai(rename = "Secret")]
struct SecretView {
    /// Its name: a definition writes `${secrets.NAME}`.
    name: String,
    /// Who may see it.
    hosts: Vec<String>,
    /// When it was first set.
    created_at: Time,
    /// When it was last set.
    updated_at: Time,
    /// When a step last used it.
    #[oai(nullable)]
    last_used_at: Option<Time>,
    /// Why its value cannot be read: the daemon has another key than the one that it was encrypted with.
    #[oai(nullable)]
    problem: Option<String>,
}

/// A secret to set. / 要保存的密钥。
#[derive(Object)]
#[oai(example, skip_serializing_if_is_none)]
struct NewSecret {
    /// Its value, 8 to 8192 bytes; spaces around it do not count.
    value: String,
    /// Who may see it, 1 to 32 of them: `api.example.com`, `*.example.com` (all below it), `exec:<name>` (a program).
    hosts: Vec<String>,
}

/// A secret that was set.
#[derive(ApiResponse)]
enum Put {
    /// The secret is stored, encrypted. / 密钥已加密保存。
    #[oai(status = 201)]
    New(Json<SecretView>),
    /// The secret has a new value. / 密钥已更新。
    #[oai(status = 200)]
    Changed(Json<SecretView>),
}

/// Nothing more to say.
#[derive(ApiResponse)]
enum Removed {
    /// The secret is gone. / 密钥已删除。
    #[oai(status = 204)]
    Gone,
}

#[OpenApi(tag = "Group::Secrets")]
impl Secrets {
    /// List secrets
    ///
    /// Their names and who may see them, never their values.
    ///
    /// 列出密钥的名称及可用主机，不含其值。
    #[oai(path = "/api/secrets", method = "get", operation_id = "list_secrets")]
    async fn list(&self) -> poem::Result<Json<SecretList>> {
        let items = self.0.state.secrets.list().await?.into_iter().map(Into::into).collect();
        Ok(Json(SecretList { items }))
    }

    /// Set a secret
    ///
    /// A name has up to 63 of a-z, A-Z, 0-9 and _ and starts with a letter; one that is there gets the new value and the
    /// new hosts. The value is stored encrypted and never shown again.
    ///
    /// 设置密钥；同名密钥将被替换。其值加密保存，不再显示。
    #[oai(path = "/api/secrets/:name", method = "put", operation_id = "put_secret")]
    async fn put(
        &self,
        /// The secret.
        name: Path<String>,
        body: JsonBody<NewSecret>,
    ) -> poem::Result<Put> {
        let NewSecret { value, hosts } = body.value;
        let (listed, is_new) = self.0.state.secrets.set(&name.0, &value, &hosts).await?;
        let view = Json(listed.into());
        Ok(if is_new { Put::New(view) } else { Put::Changed(view) })
    }

    /// Remove a secret
    ///
    /// Steps that use it fail from then on.
    ///
    /// 删除密钥；此后使用它的步骤会失败。
    #[oai(path = "/api/secrets/:name", method = "delete", operation_id = "delete_secret")]
    async fn delete(
        &self,
        /// The secret.
        name: Path<String>,
    ) -> poem::Result<Removed> {
        self.0.state.secrets.remove(&name.0).await?;
        Ok(Removed::Gone)
    }
}

impl From<secrets::Listed> for SecretView {
    fn from(listed: secrets::Listed) -> Self {
        let secrets::Listed { name, hosts, created_at, updated_at, last_used_at, problem } = listed;
        let (created_at, updated_at) = (Time(created_at), Time(updated_at));
        Self { name, hosts, created_at, updated_at, last_used_at: last_used_at.map(Time), problem }
    }
}

sample!(NewSecret, { "value": "sk-123", "hosts": ["api.example.com"] });
