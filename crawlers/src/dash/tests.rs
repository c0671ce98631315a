use proptest::prelude::*;

use super::*;
use crate::link::is_fetchable;

fn base() -> Url {
    Url::parse("https://site.example/dash/main.mpd?token=1").unwrap()
}

fn read(text: &str) -> Result<Manifest, CrawlError> {
    parse(text.as_bytes(), &base())
}

fn audio(inside: &str) -> String {
    format!(
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static' mediaPresentationDuration='PT10S'>\
         <Period><AdaptationSet contentType='audio' mimeType='audio/mp4'>{inside}</AdaptationSet></Period></MPD>"
    )
}

fn paths(manifest: &Manifest) -> Vec<&str> {
    manifest.stream.segments.iter().map(|segment| segment.url.path()).collect()
}

fn init(manifest: &Manifest) -> &str {
    manifest.stream.init.as_ref().unwrap().url.path()
}

#[test]
fn numbered_pieces_reach_as_far_as_the_period() {
    let text = audio(
        "<SegmentTemplate timescale='1000' duration='4000' startNumber='5' media='$RepresentationID$-$Number%03d$.m4s' \
         initialization='$RepresentationID$-init.mp4'/><Representation id='a' bandwidth='64000' codecs='mp4a.40.2'/>",
    );
    let found = read(&text).unwrap();
    assert_eq!(paths(&found), ["/dash/a-005.m4s", "/dash/a-006.m4s", "/dash/a-007.m4s"]);
    assert_eq!((init(&found), found.stream.duration_ms), ("/dash/a-init.mp4", 10_000));
    assert_eq!((found.audio_only, found.is_file, found.bandwidth), (true, false, Some(64_000)));
    let even = read(&text.replace("PT10S", "P0Y0M0DT0H0M8.000S")).unwrap();
    assert_eq!(even.stream.segments.len(), 2, "what ends with a piece has no piece more");
    let last = read(&text.replace("startNumber", "endNumber='5' startNumber")).unwrap();
    assert_eq!(last.stream.segments.len(), 1);
    assert_eq!(
        read(&text.replace("mediaPresentationDuration='PT10S'", "")).unwrap_err().class,
        ErrorClass::Unavailable
    );
}

#[test]
fn timed_pieces_follow_the_timeline_and_templates_are_inherited() {
    let text = audio(
        "<SegmentTemplate timescale='10' media='$Bandwidth$/$Time$.m4s'><SegmentTimeline><S t='0' d='20' r='1'/><S d='10'/>\
         <S t='60' d='15' r='-1'/></SegmentTimeline></SegmentTemplate>\
         <Representation id='a' bandwidth='50000'><BaseURL>low/</BaseURL>\
         <SegmentTemplate initialization='init.mp4'/></Representation>",
    );
    let found = read(&text).unwrap();
    let times = ["0", "20", "40", "60", "75", "90"].map(|time| format!("/dash/low/50000/{time}.m4s"));
    assert_eq!(paths(&found), times);
    assert_eq!(init(&found), "/dash/low/init.mp4");
}

#[test]
fn listed_pieces_may_be_parts_of_a_file() {
    let text = audio(
        "<Representation bandwidth='50000'><BaseURL>all.mp4</BaseURL><SegmentList timescale='10' duration='50'>\
         <Initialization range='0-99'/><SegmentURL mediaRange='100-199'/><SegmentURL media='other.mp4'/></SegmentList>\
         </Representation>",
    );
    let found = read(&text).unwrap();
    assert_eq!(paths(&found), ["/dash/all.mp4", "/dash/other.mp4"]);
    assert_eq!(found.stream.init.as_ref().unwrap().byte_range, Some((0, 100)));
    assert_eq!(found.stream.segments[0].byte_range, Some((100, 100)));
    assert_eq!(read(&text.replace("100-199", "199-100")).unwrap_err().class, ErrorClass::Unavailable);
}

#[test]
fn addresses_without_end_and_numbers_past_the_last_are_refused() {
    let refused = |text: &str| assert_eq!(read(text).unwrap_err().class, ErrorClass::Unavailable);
    let template = |id: &str, media: &str, start: u64| {
        audio(&format!(
            "<Representation id='{id}' bandwidth='50000'><SegmentTemplate media='{media}' startNumber='{start}' \
             timescale='1'><SegmentTimeline><S t='0' d='1' r='9999'/></SegmentTimeline></SegmentTemplate></Representation>"
        ))
    };
    refused(&template("a", "$Number$", u64::MAX));
    refused(&template("a", "$Number$", u64::MAX - 9_999));
    assert_eq!(read(&template("a", "$Number$", u64::MAX - 10_000)).unwrap().stream.segments.len(), 10_000);
    refused(&template(&"x".repeat(9_000), "$RepresentationID$", 1));
    refused(&template(&"x".repeat(4_000), "$RepresentationID$-$Number$", 1));
    let long = "x".repeat(9_000);
    refused(&audio(&format!("<Representation bandwidth='50000'><BaseURL>{long}</BaseURL></Representation>")));
    let piece = format!("<SegmentURL media='{}'/>", "x".repeat(4_000));
    refused(&audio(&format!(
        "<Representation bandwidth='50000'><SegmentList>{}</SegmentList></Representation>",
        piece.repeat(5_000)
    )));
}

#[test]
fn a_single_file_is_a_file() {
    let text = audio(
        "<Representation bandwidth='50000'><BaseURL>https://cdn.example/a.mp4</BaseURL>\
         <SegmentBase indexRange='100-200'><Initialization range='0-99'/></SegmentBase></Representation>",
    );
    let found = read(&text).unwrap();
    assert!(found.is_file && found.stream.init.is_none());
    assert_eq!(found.stream.segments[0].url.as_str(), "https://cdn.example/a.mp4");
}

#[test]
fn the_smallest_clear_form_of_the_main_sound_is_taken() {
    let form = |id: &str, bandwidth: u32, more: &str| {
        format!("<Representation id='{id}' bandwidth='{bandwidth}' {more}><BaseURL>{id}</BaseURL></Representation>")
    };
    let set = |attributes: &str, inside: &str| format!("<AdaptationSet {attributes}>{inside}</AdaptationSet>");
    let choose = |sets: &[String]| {
        let text = format!("<MPD mediaPresentationDuration='PT9S'><Period>{}</Period></MPD>", sets.concat());
        read(&text).map(|found| paths(&found)[0].rsplit('/').next().unwrap().to_owned())
    };
    let audio = "mimeType='audio/mp4'";
    let sizes = [form("a", 128_000, ""), form("b", 64_000, ""), form("c", 32_000, ""), form("d", 24_000, "")].concat();
    assert_eq!(choose(&[set(audio, &sizes)]).unwrap(), "b");
    assert_eq!(choose(&[set(audio, &(form("d", 24_000, "") + &form("c", 32_000, "")))]).unwrap(), "c");
    let video = set("mimeType='video/mp4' codecs='avc1.4d'", &form("v", 1_000, ""));
    let mixed = set("mimeType='video/mp4'", &form("m", 900_000, "codecs='avc1.4d,mp4a.40.2'"));
    let told = set(audio, &("<Role value='description'/>".to_owned() + &form("t", 50_000, "")));
    assert_eq!(choose(&[video.clone(), mixed.clone(), told.clone(), set(audio, &sizes)]).unwrap(), "b");
    assert_eq!(choose(&[video.clone(), mixed]).unwrap(), "m");
    assert_eq!(choose(&[video]).unwrap_err().class, ErrorClass::NoMediaFound);
    let odd = set(audio, &form("x", 50_000, "codecs='ac-4.02'"));
    assert_eq!(choose(&[odd, told]).unwrap(), "t");
}

#[test]
fn what_is_live_protected_or_cannot_be_joined_is_refused() {
    let plain = audio("<Representation bandwidth='50000'><BaseURL>a.mp4</BaseURL></Representation>");
    assert_eq!(read(&plain.replace("static", "dynamic")).unwrap_err().class, ErrorClass::LiveNotSupported);
    let set = "<AdaptationSet contentType='audio' mimeType='audio/mp4'>";
    for place in ["<Representation bandwidth='50000'>", set, "<Period>"] {
        let text = plain
            .replace(place, &format!("{place}<ContentProtection schemeIdUri='urn:x'><a>b</a></ContentProtection>"));
        assert!(read(&text).unwrap_err().message.contains("DRM"), "{place}");
    }
    let period = "<Period><AdaptationSet mimeType='audio/mp4'>\
                  <SegmentTemplate duration='1' media='$Number$' initialization='INIT'/><Representation id='a'/>\
                  </AdaptationSet></Period>";
    let two = |init: &str| {
        let period = |init| period.replace("INIT", init).replace("<Period>", "<Period duration='PT2S'>");
        format!("<MPD>{}{}</MPD>", period("one"), period(init))
    };
    assert_eq!(read(&two("one")).unwrap().stream.segments.len(), 4);
    assert_eq!(read(&two("other")).unwrap_err().class, ErrorClass::Unavailable);
    for text in ["", "<html>", "<MPD><Period>", "<!DOCTYPE x [<!ENTITY e 'x'>]><MPD><BaseURL>&e;</BaseURL></MPD>"] {
        assert!(read(text).is_err(), "{text}");
    }
    assert_eq!(read("<MPD/>").unwrap_err().class, ErrorClass::NoMediaFound);
    assert_eq!(read(&plain.replace("a.mp4", "file:///etc/passwd")).unwrap_err().class, ErrorClass::Unavailable);
}

#[test]
fn numbers_that_never_end_are_refused() {
    let timeline = |run: &str| {
        audio(&format!(
            "<SegmentTemplate timescale='1' media='$Time$'><SegmentTimeline>{run}</SegmentTimeline></SegmentTemplate>\
             <Representation bandwidth='1'/>"
        ))
    };
    for run in [
        "<S t='0' d='0' r='9'/>",
        "<S t='0' d='1' r='9223372036854775807'/>",
        "<S t='18446744073709551615' d='9' r='2'/>",
        "<S t='x' d='1'/>",
    ] {
        assert_eq!(read(&timeline(run)).unwrap_err().class, ErrorClass::Unavailable, "{run}");
    }
    let even =
        audio("<SegmentTemplate timescale='18446744073709551615' duration='1' media='$Number$'/><Representation/>");
    assert_eq!(read(&even).unwrap_err().class, ErrorClass::Unavailable);
    let deep = format!("<MPD>{}", "<a>".repeat(100_000));
    assert_eq!(read(&deep).unwrap_err().class, ErrorClass::Unavailable);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body, &base());
    }

    #[test]
    fn any_template_is_read_or_refused(
        attributes in "( (t|d|r|media|duration|timescale|initialization|startNumber|endNumber)='[-0-9a-z$%/:.]{0,20}'){0,6}",
        runs in proptest::collection::vec(("[0-9]{1,20}", "[0-9]{1,20}", "-?[0-9]{1,3}"), 0..4),
    ) {
        let runs: String = runs.iter().map(|(t, d, r)| format!("<S t='{t}' d='{d}' r='{r}'/>")).collect();
        let template = format!("<SegmentTemplate{attributes}><SegmentTimeline>{runs}</SegmentTimeline></SegmentTemplate>");
        if let Ok(found) = read(&audio(&format!("{template}<Representation id='a' bandwidth='5'/>"))) {
            prop_assert!(!found.stream.segments.is_empty() && found.stream.segments.len() <= MAX_SEGMENTS);
            prop_assert!(found.stream.segments.iter().all(|segment| is_fetchable(&segment.url)));
        }
    }
}
