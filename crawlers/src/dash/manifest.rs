//! The elements of a manifest that matter. Numbers stay text until they are used, so that an odd one in a corner that
//! nobody looks at does no harm.

use serde::Deserialize;

/// The whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mpd {
    #[serde(rename = "@type")]
    pub(super) kind: Option<String>,
    #[serde(rename = "@mediaPresentationDuration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "BaseURL")]
    pub(super) base: Vec<BaseUrl>,
    #[serde(rename = "ContentProtection")]
    pub(super) protection: Vec<Anything>,
    #[serde(rename = "Period")]
    pub(super) periods: Vec<Period>,
}

/// A stretch of time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Period {
    #[serde(rename = "@start")]
    pub(super) start: Option<String>,
    #[serde(rename = "@duration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "BaseURL")]
    pub(super) base: Vec<BaseUrl>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "SegmentList")]
    pub(super) list: Option<List>,
    #[serde(rename = "ContentProtection")]
    pub(super) protection: Vec<Anything>,
    #[serde(rename = "AdaptationSet")]
    pub(super) sets: Vec<AdaptationSet>,
}

/// Forms of the same content.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AdaptationSet {
    #[serde(rename = "@contentType")]
    pub(super) content_type: Option<String>,
    #[serde(rename = "@mimeType")]
    pub(super) mime_type: Option<String>,
    #[serde(rename = "@codecs")]
    pub(super) codecs: Option<String>,
    #[serde(rename = "@lang")]
    pub(super) language: Option<String>,
    #[serde(rename = "BaseURL")]
    pub(super) base: Vec<BaseUrl>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "SegmentList")]
    pub(super) list: Option<List>,
    #[serde(rename = "ContentProtection")]
    pub(super) protection: Vec<Anything>,
    #[serde(rename = "Role")]
    pub(super) roles: Vec<Role>,
    #[serde(rename = "Accessibility")]
    pub(super) accessibility: Vec<Anything>,
    #[serde(rename = "Representation")]
    pub(super) forms: Vec<Representation>,
}

/// One form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Representation {
    #[serde(rename = "@id")]
    pub(super) id: Option<String>,
    #[serde(rename = "@bandwidth")]
    pub(super) bandwidth: Option<String>,
    #[serde(rename = "@mimeType")]
    pub(super) mime_type: Option<String>,
    #[serde(rename = "@codecs")]
    pub(super) codecs: Option<String>,
    #[serde(rename = "BaseURL")]
    pub(super) base: Vec<BaseUrl>,
    #[serde(rename = "SegmentTemplate")]
    pub(super) template: Option<Template>,
    #[serde(rename = "SegmentList")]
    pub(super) list: Option<List>,
    #[serde(rename = "ContentProtection")]
    pub(super) protection: Vec<Anything>,
}

/// Names for pieces, with variables in them.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Template {
    #[serde(rename = "@media")]
    pub(super) media: Option<String>,
    #[serde(rename = "@initialization")]
    pub(super) init: Option<String>,
    #[serde(rename = "@startNumber")]
    pub(super) start_number: Option<String>,
    #[serde(rename = "@endNumber")]
    pub(super) end_number: Option<String>,
    #[serde(rename = "@duration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "@timescale")]
    pub(super) timescale: Option<String>,
    #[serde(rename = "@presentationTimeOffset")]
    pub(super) offset: Option<String>,
    #[serde(rename = "SegmentTimeline")]
    pub(super) timeline: Option<Timeline>,
}

/// When pieces begin.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Timeline {
    #[serde(rename = "S")]
    pub(super) runs: Vec<Run>,
}

/// Pieces of the same length.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    #[serde(rename = "@t")]
    pub(super) time: Option<String>,
    #[serde(rename = "@d")]
    pub(super) duration: Option<String>,
    #[serde(rename = "@r")]
    pub(super) repeat: Option<String>,
}

/// Pieces by name.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct List {
    #[serde(rename = "@duration")]
    pub(super) duration: Option<String>,
    #[serde(rename = "@timescale")]
    pub(super) timescale: Option<String>,
    #[serde(rename = "Initialization")]
    pub(super) init: Option<Initialization>,
    #[serde(rename = "SegmentURL")]
    pub(super) urls: Vec<SegmentUrl>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Initialization {
    #[serde(rename = "@sourceURL")]
    pub(super) source: Option<String>,
    #[serde(rename = "@range")]
    pub(super) range: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct SegmentUrl {
    #[serde(rename = "@media")]
    pub(super) media: Option<String>,
    #[serde(rename = "@mediaRange")]
    pub(super) range: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct BaseUrl {
    #[serde(rename = "$text")]
    pub(super) url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    #[serde(rename = "@value")]
    pub(super) value: String,
}

/// An element that only has to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Anything {}
