//! Reads SubRip, WebVTT and tables the way strict players do: blocks end at empty lines, and a line with an arrow is a timing.

/// What a player shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) text: String,
}

pub(super) fn srt(file: &str) -> Vec<Shown> {
    let blocks = blocks(file);
    let numbers: Vec<usize> = blocks.iter().map(|block| block[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=blocks.len()).collect::<Vec<_>>());
    blocks.iter().map(|block| shown(&block[1..], ',')).collect()
}

pub(super) fn vtt(file: &str) -> Vec<Shown> {
    let (header, rest) = file.split_once('\n').unwrap();
    assert_eq!(header, "WEBVTT");
    let unescape = |text: String| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let cue = |block: &Vec<&str>| {
        let cue = shown(block, '.');
        assert!(!cue.text.contains(['<', '>']), "{}", cue.text);
        Shown { text: unescape(cue.text), ..cue }
    };
    blocks(rest).iter().map(cue).collect()
}

pub(super) fn tsv(file: &str) -> Vec<Shown> {
    let (head, rest) = file.split_once('\n').unwrap();
    assert_eq!(head, "start\tend\ttext");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [start, end, text] = cells[..] else { panic!("{line}") };
        Shown { start: start.parse().unwrap(), end: end.parse().unwrap(), text: text.to_owned() }
    };
    rest.lines().map(row).collect()
}

fn blocks(file: &str) -> Vec<Vec<&str>> {
    assert!(file.is_empty() || file.ends_with('\n') && !file.ends_with("\n\n"));
    file.split("\n\n")
        .map(|block| block.trim_matches('\n').split('\n').collect())
        .filter(|block| *block != [""])
        .collect()
}

fn shown(lines: &[&str], mark: char) -> Shown {
    let (start, end) = lines[0].split_once(" --> ").unwrap();
    assert!(lines[1..].iter().all(|line| !line.contains("-->") && !line.is_empty()));
    Shown { start: millis(start, mark), end: millis(end, mark), text: lines[1..].join("\n") }
}

fn millis(clock: &str, mark: char) -> u64 {
    let (seconds, thousandths) = clock.split_once(mark).unwrap();
    assert_eq!(thousandths.len(), 3);
    let parts: Vec<u64> = seconds.split(':').map(|part| part.parse().unwrap()).collect();
    let [hours, minutes, seconds] = parts[..] else { panic!("{clock}") };
    assert!(minutes < 60 && seconds < 60);
    ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths.parse::<u64>().unwrap()
}
