//! Elements of a page by their id. TikTok's pages carry their data in scripts, so no tree is built: one linear pass finds
//! a start tag, whatever the order of its attributes.

/// The start tag with this id, without its brackets, and what follows it.
pub(super) fn element<'a>(html: &'a str, id: &str) -> Option<(&'a str, &'a str)> {
    let mut rest = html;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        let end = rest.find(['<', '>'])?;
        let tag = &rest[..end];
        if rest[end..].starts_with('>')
            && tag.starts_with(|c: char| c.is_ascii_alphabetic())
            && attribute(tag, "id") == Some(id)
        {
            return Some((tag, &rest[end + 1..]));
        }
        rest = &rest[end..];
    }
}

/// The text of the script with this id.
pub(super) fn script<'a>(html: &'a str, id: &str) -> Option<&'a str> {
    let (tag, rest) = element(html, id)?;
    let name = tag.split(|c: char| c.is_ascii_whitespace()).next()?;
    name.eq_ignore_ascii_case("script").then(|| rest.split("</script").next().unwrap_or_default().trim())
}

/// The value of an attribute of a start tag.
pub(super) fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let space = |c: char| c.is_ascii_whitespace() || c == '/';
    let mut rest = &tag[tag.find(space)?..];
    loop {
        rest = rest.trim_start_matches(space);
        if rest.is_empty() {
            return None;
        }
        // A stray `=` at the start belongs to the name, so that every turn moves on.
        let start = usize::from(rest.starts_with('='));
        let end = rest[start..].find(|c: char| c == '=' || space(c)).map_or(rest.len(), |at| start + at);
        let name = &rest[..end];
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.trim_ascii_start().strip_prefix('=') {
            let after = after.trim_ascii_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            (value, rest) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => after.split_at(after.find(|c: char| c.is_ascii_whitespace()).unwrap_or(after.len())),
            };
        }
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_in_any_order_of_attributes() {
        for html in [
            r#"<p>1 < 2<script id="X" type="application/json">{"a":1}</script>"#,
            r#"<script type='application/json' data-id="Y" id='X'>{"a":1}</script><b>"#,
            "<SCRIPT async\n id=X > {\"a\":1}",
        ] {
            assert_eq!(script(html, "X"), Some(r#"{"a":1}"#), "{html}");
        }
        for html in ["", "<", "<script", "<script id=X", r#"<div id="X">x</div>"#, "<script id=XX>1</script>"] {
            assert_eq!(script(html, "X"), None, "{html}");
        }
    }

    #[test]
    fn attributes_end_where_they_end() {
        let tag = r#"p id="cs" class="eyJ2==" = =b c"#;
        assert_eq!(
            (attribute(tag, "class"), attribute(tag, "c"), attribute(tag, "d")),
            (Some("eyJ2=="), Some(""), None)
        );
        assert_eq!(attribute("p", "id"), None);
        assert_eq!(attribute("p id=\"open", "id"), Some("open"));
    }
}
