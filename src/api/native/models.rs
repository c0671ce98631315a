//! Model files: which are here, and fetching, loading and removing them.

use poem_openapi::{ApiResponse, OpenApi, param::Path, payload::Json};

use super::{
    Context, Group,
    model_views::{ModelList, ModelView},
};
use crate::{
    error::{Code, Error, Result},
    transcribe::{
        ModelRef,
        models::{Listed, Pull, PullState, Started},
    },
};

/// Model files.
pub(in crate::api) struct ModelFiles(pub(super) Context);

/// What came of asking for a model.
#[derive(ApiResponse)]
enum Pulled {
    /// The model is here already. / 模型已在本地。
    #[oai(status = 200)]
    Here(Json<ModelView>),
    /// The download runs; look at the model for its progress. / 正在下载；查询该模型可见进度。
    #[oai(status = 202)]
    Running(
        Json<ModelView>,
        /// The model's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// Nothing more to say.
#[derive(ApiResponse)]
enum Removed {
    /// The file is gone. / 文件已删除。
    #[oai(status = 204)]
    Gone,
}

#[OpenApi(tag = "Group::System")]
impl ModelFiles {
    /// List models
    ///
    /// The official ones, and every other file in the models folder. A model is here when `present` is true and `problem`
    /// is null.
    ///
    /// 列出官方模型与模型文件夹中的其他模型。
    #[oai(path = "/api/models", method = "get", operation_id = "list_models")]
    async fn list(&self) -> poem::Result<Json<ModelList>> {
        let models = self.0.state.models.clone();
        let items = blocking(move || Ok(models.list())).await?;
        Ok(Json(ModelList { items: items.into_iter().map(|model| self.0.model_view(model)).collect() }))
    }

    /// Look at a model
    ///
    /// By its name or an alias; `auto` is the default model. Capitals do not matter.
    ///
    /// 按名称或别名查看模型；`auto` 为默认模型；不区分大小写。
    #[oai(path = "/api/models/:name", method = "get", operation_id = "get_model")]
    async fn get(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Json<ModelView>> {
        Ok(Json(self.0.model(&name.0).await?))
    }

    /// Download a model
    ///
    /// Starts in the background and goes on where an earlier download broke off. Tasks that wait for the model go on when
    /// it is here. A second call while it runs is a conflict.
    ///
    /// 在后台下载模型，支持断点续传；等待该模型的任务会自动继续；下载进行中再次调用返回冲突。
    #[oai(path = "/api/models/:name/pull", method = "post", operation_id = "pull_model")]
    async fn pull(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Pulled> {
        let name = self.0.model_name(&name.0)?;
        let started = self.0.state.pulls.start(&name)?;
        let view = self.0.model(&name).await?;
        Ok(match started {
            Started::Here(_) => Pulled::Here(Json(view)),
            Started::Running(_) => Pulled::Running(Json(view), format!("{}/api/models/{name}", self.0.base())),
        })
    }

    /// Stop a download
    ///
    /// What is here of the file is kept; the next download goes on from there.
    ///
    /// 停止下载；已下载的部分会保留，下次继续。
    #[oai(path = "/api/models/:name/pull", method = "delete", operation_id = "cancel_pull")]
    async fn cancel(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Json<ModelView>> {
        let name = self.0.model_name(&name.0)?;
        self.0.state.pulls.cancel(&name).await?;
        Ok(Json(self.0.model(&name).await?))
    }

    /// Remove a model
    ///
    /// Takes it out of memory and deletes its file. A conflict while an engine works with it or while it is downloaded.
    ///
    /// 卸载模型并删除其文件；使用中或下载中时返回冲突。
    #[oai(path = "/api/models/:name", method = "delete", operation_id = "delete_model")]
    async fn delete(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Removed> {
        self.0.remove_model(&name.0).await?;
        Ok(Removed::Gone)
    }

    /// Load a model
    ///
    /// Into the memory of the device with most room; answers when it is ready. Tasks do this by themselves: this only saves
    /// the first of them the wait.
    ///
    /// 将模型载入空间最充裕的设备，就绪后返回；任务会自动载入，此操作仅省去首次等待。
    #[oai(path = "/api/models/:name/load", method = "post", operation_id = "load_model")]
    async fn load(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Json<ModelView>> {
        let model = self.0.model_file(&name.0)?;
        self.0.state.pool.load(&model).await?;
        Ok(Json(self.0.model(&model.name).await?))
    }

    /// Unload a model
    ///
    /// Gives its memory back. A conflict while an engine works with it; when it is not loaded nothing happens.
    ///
    /// 卸载模型并释放内存；使用中时返回冲突，未载入时无操作。
    #[oai(path = "/api/models/:name/unload", method = "post", operation_id = "unload_model")]
    async fn unload(
        &self,
        /// The model's name or alias.
        name: Path<String>,
    ) -> poem::Result<Json<ModelView>> {
        let name = self.0.model_name(&name.0)?;
        self.0.state.pool.unload(&name).await?;
        Ok(Json(self.0.model(&name).await?))
    }
}

impl Context {
    /// The model behind a name in a path. Only names that are known leave this function, so none is a path.
    fn model_name(&self, name: &str) -> Result<String> {
        self.state
            .models
            .name(Some(name))
            .map_err(|error| Error::new(Code::NotFound, error.detail).with_hint(error.hint))
    }

    fn model_file(&self, name: &str) -> Result<ModelRef> {
        let name = self.model_name(name)?;
        self.state.models.resolve(Some(&name)).map_err(|error| match error.code {
            Code::ModelMissing => Error::new(Code::NotFound, error.detail).with_hint(error.hint),
            _ => error,
        })
    }

    async fn model(&self, name: &str) -> Result<ModelView> {
        let (models, name) = (self.state.models.clone(), self.model_name(name)?);
        Ok(self.model_view(blocking(move || models.look(Some(&name))).await?))
    }

    fn model_view(&self, model: Listed) -> ModelView {
        let loaded = self.state.pool.status().into_iter().filter(|engine| engine.has(&model.name));
        let loaded = loaded.map(|engine| engine.device).collect();
        // An old failure says nothing about a model that has come some other way.
        let pull = self.state.pulls.of(&model.name);
        let pull = pull.filter(|pull: &Pull| !model.present || pull.state != PullState::Failed);
        ModelView::new(model, pull, loaded)
    }

    async fn remove_model(&self, name: &str) -> Result<()> {
        let model = self.model_file(name)?;
        let name = model.name;
        if self.state.models.is_pulling(&name) {
            return Err(Error::new(Code::Conflict, format!("The model {name} is being downloaded"))
                .with_hint("Stop the download first."));
        }
        self.state.pool.unload(&name).await?;
        let models = self.state.models.clone();
        blocking(move || models.remove(&name)).await
    }
}

/// Work on files, away from the threads that answer.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::new(Code::Internal, "The models folder cannot be read").with_source(error))?
}
