//! Which of a period's forms to listen to.

use super::manifest::{AdaptationSet, Period, Representation};

/// Speech stays clear from here on, in bits per second.
const ENOUGH: u64 = 48_000;
/// Audio codecs that can be decoded, as `codecs` attributes begin.
const CODECS: [&str; 9] = ["mp4a", "opus", "vorbis", "ac-3", "ec-3", "flac", "alac", "mp3", "aac"];

/// One form with the set that it is in.
pub(super) struct Choice<'a> {
    pub(super) set: &'a AdaptationSet,
    pub(super) form: &'a Representation,
    /// Whether it is sound only.
    pub(super) audio_only: bool,
    pub(super) bandwidth: u64,
}

/// The smallest form of the main sound that is clear; where there is no sound by itself, the smallest that may have some.
/// None when there is nothing, `Err` when all there is is protected.
pub(super) fn choose(period: &Period) -> Result<Option<Choice<'_>>, Protected> {
    let all = || period.sets.iter().flat_map(|set| set.forms.iter().map(move |form| (set, form)));
    let sounds = all().filter(|(set, form)| is_audio(set, form));
    let mixed = all().filter(|(set, form)| may_sound(set, form));
    let choices: Vec<Choice<'_>> = sounds
        .map(|pair| (true, pair))
        .chain(mixed.map(|pair| (false, pair)))
        .map(|(audio_only, (set, form))| {
            let bandwidth = form.bandwidth.as_deref().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            Choice { set, form, audio_only, bandwidth }
        })
        .collect();
    let locked = |one: &Choice<'_>| {
        !(period.protection.is_empty() && one.set.protection.is_empty() && one.form.protection.is_empty())
    };
    let any = !choices.is_empty();
    match choices.into_iter().filter(|one| !locked(one)).min_by_key(rank) {
        None if any => Err(Protected),
        choice => Ok(choice),
    }
}

/// Everything that could be heard is encrypted.
pub(super) struct Protected;

fn rank(one: &Choice<'_>) -> (bool, bool, bool, bool, u64) {
    let is = |value: &str| one.set.roles.iter().any(|role| role.value == value);
    // What is told to people who cannot see or hear is not the speech that was asked for.
    let aside = is("description") || is("commentary") || is("dub") || !one.set.accessibility.is_empty();
    let thin = one.audio_only && one.bandwidth < ENOUGH;
    let order = if thin { u64::MAX - one.bandwidth } else { one.bandwidth };
    (!one.audio_only, aside, !is("main") && !one.set.roles.is_empty(), thin, order)
}

fn mime<'a>(set: &'a AdaptationSet, form: &'a Representation) -> &'a str {
    form.mime_type.as_deref().or(set.mime_type.as_deref()).unwrap_or_default()
}

fn codecs(set: &AdaptationSet, form: &Representation) -> String {
    form.codecs.as_deref().or(set.codecs.as_deref()).unwrap_or_default().to_ascii_lowercase()
}

fn has_sound(codecs: &str) -> bool {
    codecs.split(',').any(|one| CODECS.iter().any(|known| one.trim().starts_with(known)))
}

fn is_audio(set: &AdaptationSet, form: &Representation) -> bool {
    let said = set.content_type.as_deref() == Some("audio") || mime(set, form).starts_with("audio/");
    let codecs = codecs(set, form);
    said && (codecs.is_empty() || has_sound(&codecs))
}

/// Pictures that come with their sound.
fn may_sound(set: &AdaptationSet, form: &Representation) -> bool {
    let video = mime(set, form).starts_with("video/") || set.content_type.as_deref() == Some("video");
    let codecs = codecs(set, form);
    video && (codecs.is_empty() || has_sound(&codecs))
}
