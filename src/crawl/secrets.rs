//! What of a resolved link nobody but its site should see.

use crawlers::Resolved;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Words in the names of headers whose values open doors.
const TELLING: [&str; 6] = ["cookie", "auth", "token", "secret", "session", "key"];

/// The media as it may be stored and shown: headers that open doors keep their names only.
pub fn without_secrets(mut resolved: Resolved) -> Resolved {
    let candidates = resolved.candidates.iter_mut().map(|candidate| &mut candidate.headers);
    let subtitles = resolved.subtitles.iter_mut().map(|subtitle| &mut subtitle.headers);
    for (name, value) in candidates.chain(subtitles).flatten() {
        let name = name.to_ascii_lowercase();
        if TELLING.iter().any(|word| name.contains(word)) {
            *value = HIDDEN.to_owned();
        }
    }
    resolved
}

/// Whether a header's value was taken out by [`without_secrets`].
pub fn is_hidden((_, value): &(String, String)) -> bool {
    value == HIDDEN
}

#[cfg(test)]
mod tests {
    use crawlers::{Candidate, MediaKind, Subtitle};
    use url::Url;

    use super::*;

    #[test]
    fn headers_that_open_doors_keep_their_names_only() {
        let url = Url::parse("https://a.example/").unwrap();
        let headers = ["Cookie", "authorization", "X-Auth-Token", "Referer", "User-Agent"];
        let headers: Vec<_> = headers.iter().map(|name| ((*name).to_owned(), "s3cr3t".to_owned())).collect();
        let mut resolved = Resolved::new("a", "1", MediaKind::Video, url.clone());
        resolved.candidates = vec![Candidate { headers: headers.clone(), ..Candidate::file(url.clone()) }];
        resolved.subtitles = vec![Subtitle { headers: headers.clone(), ..Subtitle::at(url) }];
        let shown = without_secrets(resolved);
        for shown in [&shown.candidates[0].headers, &shown.subtitles[0].headers] {
            let hidden: Vec<bool> = shown.iter().map(is_hidden).collect();
            assert_eq!(hidden, [true, true, true, false, false]);
            assert!(shown.iter().zip(&headers).all(|(shown, given)| shown.0 == given.0));
        }
    }
}
