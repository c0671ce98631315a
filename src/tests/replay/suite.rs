//! A whole folder: captures, links, signature vectors.

use std::path::Path;

use super::{judge, links, manifest, play::Player, stub::Stub};

/// One entry and in what it falls short; nothing: it passed.
#[derive(Debug)]
pub struct Verdict {
    pub entry: String,
    pub shortfalls: Vec<String>,
}

/// Plays the folder and checks the vectors. An error means that there is nothing to judge: a file cannot be read.
pub async fn run(folder: Option<&Path>, vectors: Option<&Path>) -> Result<Vec<Verdict>, String> {
    let mut verdicts = Vec::new();
    if let Some(folder) = folder {
        let stub = Stub::start().await.map_err(|error| error.to_string())?;
        let mut captures = Vec::new();
        for entry in manifest::read(folder, &stub.address)? {
            match entry {
                Ok(capture) => captures.push(capture),
                Err((entry, why)) => verdicts.push(Verdict { entry, shortfalls: vec![why] }),
            }
        }
        stub.load(&captures);
        let player = Player::new(&stub, &captures)?;
        for (index, capture) in captures.iter().enumerate() {
            let shortfalls = match player.play(&stub, &captures, index).await {
                Ok(played) => judge::shortfalls(capture, &played),
                Err(why) => vec![why],
            };
            verdicts.push(Verdict { entry: capture.name.clone(), shortfalls });
        }
        let crawlers = player.crawlers()?;
        for case in manifest::links(folder)? {
            let shortfalls = links::shortfalls(&crawlers, &case);
            verdicts.push(Verdict { entry: case.input, shortfalls });
        }
    }
    if let Some(vectors) = vectors {
        let text = std::fs::read_to_string(vectors).map_err(|error| format!("{}: {error}", vectors.display()))?;
        for case in crawlers::signatures::check_vectors(&text).map_err(|error| error.to_string())? {
            let wrong = (!case.matches).then(|| "the signature is another one".to_owned());
            verdicts.push(Verdict { entry: case.name, shortfalls: wrong.into_iter().collect() });
        }
    }
    Ok(verdicts)
}
