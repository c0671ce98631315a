//! The variables in names of pieces: `$Number%05d$` and its like.

/// What stands for the variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) id: &'a str,
    pub(super) bandwidth: u64,
    pub(super) number: u64,
    pub(super) time: u64,
}

/// More digits than any number has.
const MAX_WIDTH: usize = 20;
/// Bytes; no real URL is longer.
pub(super) const MAX_URL: usize = 8 * 1024;

/// The name with its variables filled in; none when it holds one that does not exist, or one that never ends, and when
/// it grows longer than any URL.
pub(super) fn fill(template: &str, values: Values<'_>) -> Option<String> {
    let mut filled = String::new();
    let mut parts = template.split('$');
    filled.push_str(parts.next()?);
    while let Some(name) = parts.next() {
        match name {
            "" => filled.push('$'),
            "RepresentationID" => filled.push_str(values.id),
            _ => {
                let (name, width) = match name.split_once('%') {
                    Some((name, format)) => (name, format.strip_suffix('d')?.parse().ok().filter(|w| *w <= MAX_WIDTH)?),
                    None => (name, 1),
                };
                let number = match name {
                    "Number" => values.number,
                    "Time" => values.time,
                    "Bandwidth" => values.bandwidth,
                    _ => return None,
                };
                filled.push_str(&format!("{number:0width$}"));
            }
        }
        filled.push_str(parts.next()?);
        if filled.len() > MAX_URL {
            return None;
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let values = Values { id: "a$1", bandwidth: 64_000, number: 7, time: 90_000 };
        for (template, filled) in [
            ("$RepresentationID$/$Number%05d$.m4s", Some("a$1/00007.m4s")),
            ("t$Time$-$Bandwidth$$$.m4s", Some("t90000-64000$.m4s")),
            ("plain.m4s", Some("plain.m4s")),
            ("$Number%99d$", None),
            ("$Number%0xd$", None),
            ("$Other$", None),
            ("$Number", None),
        ] {
            assert_eq!(fill(template, values).as_deref(), filled, "{template}");
        }
        let id = "x".repeat(1_000);
        assert_eq!(fill(&"$RepresentationID$".repeat(1_000), Values { id: &id, ..values }), None);
    }
}
