//! How links are read, beside what `links.json` says.

use crawlers::{Crawlers, find_link};

use super::manifest::LinkCase;

/// Everything that is not as the case says.
pub fn shortfalls(crawlers: &Crawlers, case: &LinkCase) -> Vec<String> {
    let link = match find_link(&case.input) {
        Ok(link) => link,
        Err(error) => return if case.expect.is_none() { Vec::new() } else { vec![error.to_string()] },
    };
    let read = crawlers.read(&link);
    let Some(expect) = &case.expect else {
        return read.map(|(crawler, form)| format!("{} takes it for {form:?}", crawler.name())).into_iter().collect();
    };
    if let Some(first) = expect.get("first_url") {
        return (link.as_str() != first).then(|| format!("the link is {link}")).into_iter().collect();
    }
    let Some((crawler, form)) = read else { return vec!["no platform takes it".to_owned()] };
    let kind = serde_json::to_value(form.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let given = |name: &str| match name {
        "platform" => Some(crawler.name().to_owned()),
        "kind" => kind.clone(),
        part => form.part(part).map(str::to_owned),
    };
    let differs = expect.iter().filter(|(name, wanted)| given(name).as_ref() != Some(wanted));
    differs.map(|(name, wanted)| format!("{name} is {:?}, expected {wanted}", given(name))).collect()
}
