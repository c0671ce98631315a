//! Cookies of one visit.

use crate::Response;

/// Names and values, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Jar(Vec<(String, String)>);

impl Jar {
    /// The cookies of a `Cookie` header.
    pub(super) fn of(header: &str) -> Self {
        let mut jar = Self::default();
        for (name, value) in header.split(';').filter_map(|pair| pair.split_once('=')) {
            jar.set(name.trim(), value.trim());
        }
        jar
    }

    /// The value of one cookie.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Adds or replaces a cookie; an empty value removes it. What could break out of a header is left out.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let is_safe = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';');
        if name.is_empty() || name.contains('=') || !is_safe(name) || !is_safe(value) {
            return;
        }
        self.0.retain(|(key, _)| key != name || !value.is_empty());
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None if value.is_empty() => {}
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Keeps the cookies that an answer sets.
    pub(super) fn keep(&mut self, response: &Response) {
        for (_, cookie) in response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.set(name.trim(), value.trim());
            }
        }
    }

    /// The value of the `Cookie` header, if there are any.
    pub(super) fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_replaced_removed_and_never_break_out() {
        let mut jar = Jar::of("a=1; tt_chain_token=x==; bad");
        assert_eq!(jar.get("tt_chain_token"), Some("x=="));
        jar.set("a", "2");
        jar.set("b", "3\r\nHost: x");
        jar.set("c;d", "4");
        assert_eq!(jar.header().as_deref(), Some("a=2; tt_chain_token=x=="));
        jar.set("a", "");
        jar.set("tt_chain_token", "");
        assert_eq!(jar.header(), None);
    }
}
