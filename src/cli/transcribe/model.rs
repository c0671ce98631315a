//! The model of `trawl transcribe`: by its name, or by the path of its file.

use std::path::Path;

use crate::{
    app::{NetFetch, open_models},
    cli::models,
    config::Config,
    error::{Code, Error, Result},
};

/// The model's name. A path makes its folder the models folder, where the name means that file and nothing else.
pub(super) fn name(config: &mut Config, model: Option<&str>) -> Result<Option<String>> {
    let Some(model) = model else { return Ok(None) };
    let path = Path::new(model);
    if !model.contains(std::path::MAIN_SEPARATOR) && !path.is_file() {
        return Ok(Some(model.to_owned()));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| name.strip_prefix("ggml-")?.strip_suffix(".bin"));
    // The file may be a link to one of another name. Its folder counts, and the name that it has there.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Some(name), true, Ok(folder)) = (name, path.is_file(), folder.canonicalize()) else {
        return Err(Error::new(Code::UnknownModel, format!("{model} is no model file"))
            .with_hint("A model file is called ggml-NAME.bin."));
    };
    if name.eq_ignore_ascii_case("auto") {
        return Err(Error::new(Code::UnknownModel, format!("{model} cannot be named: \"auto\" is the default model"))
            .with_hint("Give the file another name."));
    }
    config.models.dir = folder;
    config.models.aliases.retain(|alias, _| !alias.eq_ignore_ascii_case(name));
    Ok(Some(name.to_owned()))
}

/// Downloads an official model that is not here, so that the first call just works. One that a server elsewhere does need
/// not be here.
pub(super) async fn fetch(config: &Config, model: Option<&str>) -> Result<()> {
    let (models, pool) = open_models(config).await?;
    match models.resolve(model) {
        Err(error) if error.code == Code::ModelMissing => {
            let name = models.name(model)?;
            match pool.is_remote(&name) {
                true => Ok(()),
                false if config.models.offline => Err(error),
                false => models::pull(&models, &NetFetch::new(config)?, &name).await,
            }
        }
        resolved => resolved.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::Models;

    #[test]
    fn a_path_means_that_file() {
        let home = tempfile::tempdir().unwrap();
        let (blobs, snapshot) = (home.path().join("blobs"), home.path().join("snapshots/x"));
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::create_dir(&blobs).unwrap();
        for name in ["base", "large", "LARGE", "my own"] {
            std::fs::write(blobs.join(name), name).unwrap();
            let file = format!("ggml-{name}.bin");
            std::os::unix::fs::symlink(Path::new("../../blobs").join(name), snapshot.join(&file)).unwrap();
            let mut config = Config::defaults();
            let given = snapshot.join(&file);
            let found = super::name(&mut config, given.to_str()).unwrap();
            assert_eq!(found.as_deref(), Some(name));
            let model = Models::new(&config.models).resolve(found.as_deref()).unwrap();
            assert_eq!((model.name.as_str(), std::fs::read_to_string(model.path).unwrap().as_str()), (name, name));
        }
        let mut config = Config::defaults();
        std::fs::write(snapshot.join("ggml-auto.bin"), "x").unwrap();
        for bad in ["ggml-tiny.bin", "../x", "ggml-auto.bin", "."] {
            let error = super::name(&mut config, snapshot.join(bad).to_str()).unwrap_err();
            assert_eq!(error.code, Code::UnknownModel, "{bad}");
        }
        assert_eq!(super::name(&mut config, Some("large")).unwrap().as_deref(), Some("large"));
        assert_eq!(config.models.aliases.len(), Config::defaults().models.aliases.len());
    }

    #[tokio::test]
    async fn what_a_server_elsewhere_does_is_not_fetched() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("test.toml");
        let text = format!(
            "models.dir = {:?}\nmodels.base_urls = []\nengine.devices = [\"cpu\"]\n\
             engine.remote.lab = {{ url = \"http://127.0.0.1:9/v1\", models = [\"large\"] }}",
            home.path()
        );
        std::fs::write(&file, text).unwrap();
        let mut config = Config::load(Some(&file), &[]).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        for offline in [false, true] {
            config.models.offline = offline;
            fetch(&config, Some("Large-v3")).await.unwrap();
            let code = if offline { Code::ModelMissing } else { Code::ModelPull };
            assert_eq!(fetch(&config, Some("tiny")).await.unwrap_err().code, code);
        }
    }
}
