use proptest::prelude::*;

use super::*;
use crate::HasAudio;

fn base() -> Url {
    Url::parse("https://site.example/hls/list.m3u8?token=1").unwrap()
}

fn media_of(text: &str) -> Stream {
    match parse(text.as_bytes(), &base()).unwrap() {
        Playlist::Media(list) => *list,
        Playlist::Master(_) => panic!("a master playlist"),
    }
}

fn master_of(text: &str) -> MasterPlaylist {
    match parse(text.as_bytes(), &base()).unwrap() {
        Playlist::Master(list) => list,
        Playlist::Media(_) => panic!("a media playlist"),
    }
}

fn class_of(text: &str) -> ErrorClass {
    parse(text.as_bytes(), &base()).unwrap_err().class
}

#[test]
fn the_audio_rendition_comes_first_then_the_smallest_variant() {
    let list = master_of(include_str!("../../fixtures/generic/master.m3u8"));
    let urls: Vec<_> = list.choices.iter().map(|choice| choice.url.path()).collect();
    assert_eq!(urls, ["/hls/audio_en.m3u8", "/hls/v360.m3u8"]);
    assert_eq!(list.choices[0].language.as_deref(), Some("en"));
}

#[test]
fn a_variant_whose_sound_is_elsewhere_is_silent() {
    let list = |media: &str| {
        let text = format!(
            "#EXTM3U\n{media}\n#EXT-X-STREAM-INF:BANDWIDTH=100,CODECS=\"avc1.4d,mp4a.40.2\",AUDIO=\"a\"\nv.m3u8\n\
             #EXT-X-STREAM-INF:BANDWIDTH=900,CODECS=\"avc1.4d,mp4a.40.2\"\nbig.m3u8"
        );
        let choice = master_of(&text).choices.pop().unwrap();
        (choice.url.path().rsplit('/').next().unwrap().to_owned(), choice.has_audio)
    };
    let sound = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\"";
    assert_eq!(list(&format!("{sound},URI=\"a.m3u8\"")), ("big.m3u8".to_owned(), HasAudio::Yes));
    assert_eq!(list(sound), ("v.m3u8".to_owned(), HasAudio::Yes));
}

#[test]
fn a_media_playlist_gives_its_segments() {
    let list = media_of(include_str!("../../fixtures/generic/audio_en.m3u8"));
    assert_eq!((list.segments.len(), list.duration_ms, list.init.is_some()), (3, 24_160, false));
    assert_eq!(list.segments[2].url.as_str(), "https://site.example/hls/a2.aac");
}

#[test]
fn without_audio_renditions_the_smallest_variant_with_sound_wins() {
    let list = master_of(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100,CODECS=\"avc1.4d\"\nsilent.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=900,CODECS=\"avc1.4d,mp4a.40.2\"\nbig.m3u8\n\
         #EXT-X-STREAM-INF:BANDWIDTH=300\nunknown.m3u8",
    );
    assert_eq!(list.choices.len(), 1);
    assert!(list.choices[0].url.path().ends_with("unknown.m3u8"));
    assert_eq!(list.choices[0].has_audio, HasAudio::Unknown);
}

#[test]
fn the_default_rendition_wins_and_descriptions_and_empty_attributes_do_not_matter() {
    let list = master_of(
        "#EXTM3U\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Described\",DEFAULT=YES,\
         CHARACTERISTICS=\"public.accessibility.describes-video\",URI=\"ad.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"de\",LANGUAGE=\"de\",URI=\"de.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"fr, fr\",LANGUAGE=\"\",DEFAULT=YES,URI=\"fr.m3u8\"\n\
         #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"en\",LANGUAGE=\"en\",URI=\"en.m3u8\"\n\
         #EXT-X-STREAM-INF:BANDWIDTH=300,AUDIO=\"a\"\nv.m3u8\n",
    );
    assert!(list.choices[0].url.path().ends_with("fr.m3u8"));
    assert_eq!(list.subtitles.len(), 1);
}

#[test]
fn byte_ranges_go_on_where_the_last_one_ended() {
    let list = media_of(
        "#EXTM3U\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"700@0\"\n#EXTINF:6,\n#EXT-X-BYTERANGE:100@700\nall.mp4\n\
         #EXTINF:6,\n#EXT-X-BYTERANGE:50\nall.mp4\n#EXT-X-ENDLIST",
    );
    assert_eq!(list.init.unwrap().byte_range, Some((0, 700)));
    assert_eq!(list.segments[0].byte_range, Some((700, 100)));
    assert_eq!(list.segments[1].byte_range, Some((800, 50)));
}

#[test]
fn titles_with_commas_comments_and_a_missing_line_end_make_no_segments() {
    let list = media_of("#EXTM3U\r\n#EXTINF:5,one, two, three\r\na.ts\r\n# note\r\n#EXT-X-ENDLIST\r\n#EXT-X-FOO");
    assert_eq!(list.segments.len(), 1);
    assert_eq!(list.duration_ms, 5_000);
}

#[test]
fn live_streams_are_refused_and_vod_needs_no_end_tag() {
    assert_eq!(class_of("#EXTM3U\n#EXTINF:5,\na.ts\n"), ErrorClass::LiveNotSupported);
    assert_eq!(class_of("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:5,\na.ts\n"), ErrorClass::LiveNotSupported);
    assert_eq!(media_of("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:5,\na.ts\n").segments.len(), 1);
}

#[test]
fn protected_streams_are_refused_with_the_reason() {
    let list = |key: &str| format!("#EXTM3U\n{key}\n#EXTINF:5,\na.ts\n#EXT-X-ENDLIST\n");
    for key in [
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"",
        "#EXT-X-KEY:METHOD=\"SAMPLE-AES-CTR\",URI=\"k\"",
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"",
        "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=\"k\"",
        "#EXT-X-FAXS-CM:URI=\"k\"",
        "#EXT-X-KEY:garbage",
    ] {
        let error = parse(list(key).as_bytes(), &base()).unwrap_err();
        assert_eq!(error.class, ErrorClass::Unavailable);
        assert!(error.message.contains("DRM"), "{key}: {}", error.message);
    }
    assert_eq!(media_of(&list("#EXT-X-KEY:METHOD=NONE")).segments[0].key, None);
    for key in [
        "AES-128",
        "AES-128,URI=\"k\",IV=zz",
        "AES-128,URI=\"k\",IV=0x+1",
        "AES-128,URI=\"file:///k\"",
        "AES-128,URI=\"data:,k\"",
    ] {
        let error = parse(list(&format!("#EXT-X-KEY:METHOD={key}")).as_bytes(), &base()).unwrap_err();
        assert!(error.class == ErrorClass::Unavailable && error.message.contains("key"), "{key}: {}", error.message);
    }
}

#[test]
fn a_key_holds_until_the_next_and_its_vector_is_written_or_the_segments_number() {
    let list = media_of(
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:5,\na.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"/k1\"\n#EXTINF:5,\nb.ts\n\
         #EXTINF:5,\nc.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k2\",IV=0xFF,KEYFORMAT=\"identity\"\n#EXTINF:5,\nd.ts\n\
         #EXT-X-KEY:METHOD=NONE\n#EXTINF:5,\ne.ts\n#EXT-X-ENDLIST",
    );
    let keys: Vec<_> = list
        .segments
        .iter()
        .map(|one| one.key.as_ref().map(|key| (key.url.path(), u128::from_be_bytes(key.iv))))
        .collect();
    assert_eq!(keys, [None, Some(("/k1", 8)), Some(("/k1", 9)), Some(("/hls/k2", 255)), None]);
}

#[test]
fn an_encrypted_header_needs_a_vector() {
    let list = |iv: &str| {
        format!(
            "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"{iv}\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:5,\na.m4s\n#EXT-X-ENDLIST"
        )
    };
    assert_eq!(media_of(&list(",IV=0x1")).init.unwrap().key.unwrap().iv[15], 1);
    assert_eq!(class_of(&list("")), ErrorClass::Unavailable);
    let plain =
        "#EXTM3U\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:5,\na.m4s\n#EXT-X-ENDLIST";
    let list = media_of(plain);
    assert!(list.init.unwrap().key.is_none() && list.segments[0].key.is_some());
}

#[test]
fn too_many_keys_are_refused() {
    let rotated: String = (0..=crate::stream::MAX_KEYS)
        .map(|at| format!("#EXT-X-KEY:METHOD=AES-128,URI=\"k{at}\"\n#EXTINF:5,\n{at}.ts\n"))
        .collect();
    assert_eq!(class_of(&format!("#EXTM3U\n{rotated}#EXT-X-ENDLIST")), ErrorClass::Unavailable);
}

#[test]
fn what_cannot_be_joined_or_fetched_is_refused() {
    let maps = "#EXTM3U\n#EXT-X-MAP:URI=\"1.mp4\"\n#EXTINF:5,\na.m4s\n#EXT-X-MAP:URI=\"2.mp4\"\n#EXTINF:5,\nb.m4s\n#EXT-X-ENDLIST";
    assert_eq!(class_of(maps), ErrorClass::Unavailable);
    for uri in ["file:///etc/passwd", "https://user@host.example/a.ts", "data:audio/aac,xx"] {
        assert_eq!(class_of(&format!("#EXTM3U\n#EXTINF:5,\n{uri}\n#EXT-X-ENDLIST")), ErrorClass::Unavailable, "{uri}");
    }
    let long = "#EXTINF:1,\na.ts\n".repeat(MAX_SEGMENTS + 1);
    assert_eq!(class_of(&format!("#EXTM3U\n{long}#EXT-X-ENDLIST")), ErrorClass::Unavailable);
    let endless = "a\n".repeat(1_000_000);
    assert_eq!(class_of(&format!("#EXTM3U\n{endless}#EXT-X-ENDLIST")), ErrorClass::Unavailable);
    assert_eq!(class_of("#EXTM3U\n#EXT-X-ENDLIST"), ErrorClass::NoMediaFound);
    assert_eq!(class_of("<html>"), ErrorClass::Unavailable);
    assert_eq!(
        class_of("#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:9@18446744073709551615\na.ts\n#EXT-X-ENDLIST"),
        ErrorClass::Unavailable
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&body, &base());
    }

    #[test]
    fn any_lines_are_read_or_refused(lines in proptest::collection::vec(
        "(#EXTINF:|#EXT-X-KEY:|#EXT-X-MAP:|#EXT-X-MEDIA:|#EXT-X-STREAM-INF:|#EXT-X-BYTERANGE:|#EXT-X-ENDLIST|)[ -~é\"=,@0-9]{0,30}", 0..20,
    )) {
        if let Ok(Playlist::Media(list)) = parse(format!("#EXTM3U\n{}", lines.join("\n")).as_bytes(), &base()) {
            prop_assert!(list.segments.iter().all(|segment| is_fetchable(&segment.url)));
            prop_assert!(list.segments.iter().all(|one| one.key.as_ref().is_none_or(|key| is_fetchable(&key.url))));
        }
    }
}
