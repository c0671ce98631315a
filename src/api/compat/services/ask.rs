//! From the fields of a request to a submission. Pure.

use serde_json::{Map, Value, json};

use crate::{
    api::facade::Fields,
    domain::{Caller, Facade, Priority, Services, options::Goal},
    error::{Code, Error, Result},
    intake::Submission,
};

/// Temperatures where nobody names one.
pub(super) const TEMPERATURE: &str = "0.8,1.0";
/// The compression ratio from which on a text is tried again.
pub(super) const COMPRESSION: f64 = 1.8;
/// The probability of silence from which on an unlikely text is none.
pub(super) const NO_SPEECH: f64 = 0.6;
/// The whole audio.
pub(super) const CLIPS: &str = "0.0";
const PREPEND: &str = "\"'“¿([{-";
const APPEND: &str = "\"'.。,，!！?？:：”)]}、";

/// What a request asks for.
pub(super) struct Wanted {
    /// Transcribe or translate.
    goal: Goal,
    priority: Priority,
    callback_url: String,
    /// The label.
    pub platform: Option<String>,
    /// The options as the old API echoes them.
    echoed: Map<String, Value>,
    /// The same in our words.
    options: Map<String, Value>,
}

impl Wanted {
    /// Reads the fields.
    pub(super) fn read(fields: &Fields) -> Result<Self> {
        let goal = match word(fields, "task_type", "transcribe", &["transcribe", "translate"])?.as_str() {
            "translate" => Goal::Translate,
            _ => Goal::Transcribe,
        };
        let priority = word(fields, "priority", "normal", &["high", "normal", "low"])?;
        let priority = priority.parse().unwrap_or(Priority::Normal);
        let callback_url = fields.text("callback_url").unwrap_or_default().trim().to_owned();
        let platform = fields.text("platform").map(|label| label.trim().chars().take(50).collect());
        let (echoed, options) = decoding(fields, goal)?;
        Ok(Self { goal, priority, callback_url, platform, echoed, options })
    }

    /// What the envelope of the answer echoes.
    pub(super) fn params(&self) -> Map<String, Value> {
        let mut params = self.echoed.clone();
        params.insert("task_type".to_owned(), json!(self.goal));
        params.insert("priority".to_owned(), json!(self.priority));
        params.insert("callback_url".to_owned(), json!(self.callback_url));
        params
    }

    /// The submission of a link, or of the file that comes with it.
    pub(super) fn submission(
        self,
        link: Option<String>,
        file: Option<String>,
        base: String,
        who: Caller,
    ) -> Submission {
        let said = Services {
            base,
            file_url: link.clone(),
            file_name: file,
            platform: self.platform,
            task_type: self.goal,
            decode_options: self.echoed,
        };
        Submission {
            link: link.unwrap_or_default(),
            options: self.options,
            priority: Some(self.priority),
            callback_url: Some(self.callback_url).filter(|url| !url.is_empty()),
            caller: who,
            facade: Some(Facade::Services(said)),
            ..Submission::default()
        }
    }
}

/// The options as they are echoed, and in our words.
fn decoding(fields: &Fields, goal: Goal) -> Result<(Map<String, Value>, Map<String, Value>)> {
    let number = |name: &str| fields.parsed::<f64>(name, "a number");
    let as_given = |name: &str, usual: &str| match fields.has(name) {
        true => fields.text(name).unwrap_or_default(),
        false => usual.to_owned(),
    };
    let language = fields.text("language");
    let temperature = fields.text("temperature").unwrap_or_else(|| TEMPERATURE.to_owned());
    let ladder = numbers("temperature", temperature.trim_matches(['[', ']', ' ']))?;
    let clips = fields.text("clip_timestamps").unwrap_or_else(|| CLIPS.to_owned());
    let times = numbers("clip_timestamps", clips.trim_matches(['[', ']', ' ']))?;
    let silence = number("hallucination_silence_threshold")?;
    let ratio = number("compression_ratio_threshold")?.unwrap_or(COMPRESSION);
    let no_speech = number("no_speech_threshold")?.unwrap_or(NO_SPEECH);
    let conditioned = fields.flag("condition_on_previous_text")?.unwrap_or(true);
    let words = fields.flag("word_timestamps")?.unwrap_or(false);
    let prompt = fields.text("initial_prompt").unwrap_or_default();
    let (prepend, append) = (as_given("prepend_punctuations", PREPEND), as_given("append_punctuations", APPEND));

    let shared = json!({
        "language": language,
        "compression_ratio_threshold": ratio,
        "no_speech_threshold": no_speech,
        "condition_on_previous_text": conditioned,
        "initial_prompt": prompt,
        "word_timestamps": words,
        "prepend_punctuations": prepend,
        "append_punctuations": append,
    });
    let mut echoed = object(shared.clone());
    let one_or_more = |list: &[f64]| if let [one] = list { json!(one) } else { json!(list) };
    echoed.insert("temperature".to_owned(), one_or_more(&ladder));
    echoed.insert("clip_timestamps".to_owned(), if times.len() > 1 { json!(times) } else { json!(clips) });
    echoed.insert("hallucination_silence_threshold".to_owned(), json!(silence));

    let mut options = object(shared);
    options.insert("task".to_owned(), json!(goal));
    options.insert("temperature".to_owned(), json!(ladder));
    // One start at 0 is the whole audio.
    if times != [0.0] {
        options.insert("clip_timestamps".to_owned(), json!(times));
    }
    if let Some(seconds) = silence.filter(|seconds| *seconds != 0.0) {
        options.insert("hallucination_silence_threshold".to_owned(), json!(seconds));
    }
    Ok((echoed, options))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn numbers(name: &str, text: &str) -> Result<Vec<f64>> {
    let read = text.split(',').map(|part| part.trim().parse::<f64>().ok().filter(|number| number.is_finite()));
    read.collect::<Option<_>>().ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let detail =
            format!("Field \"{name}\" must be a number, or several with commas, not \"{}\"", shown.escape_debug());
        Error::new(Code::InvalidValue, detail).with_field(name)
    })
}

/// One of a list of words.
pub(super) fn word(fields: &Fields, name: &str, usual: &str, known: &[&str]) -> Result<String> {
    let given = fields.text(name).map_or_else(|| usual.to_owned(), |text| text.trim().to_owned());
    if known.contains(&given.as_str()) {
        return Ok(given);
    }
    let shown: String = given.chars().take(60).collect();
    let detail = format!("Field \"{name}\" must be one of {}, not \"{}\"", known.join(", "), shown.escape_debug());
    Err(Error::new(Code::InvalidValue, detail).with_field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Options;

    fn read(given: &[(&str, &str)]) -> Result<Wanted> {
        Wanted::read(&Fields::of(given.iter().map(|(name, value)| (*name, json!(value)))))
    }

    #[test]
    fn nothing_said_is_the_old_default() {
        let wanted = read(&[]).unwrap();
        let params = Value::Object(wanted.params());
        assert_eq!((&params["temperature"], &params["clip_timestamps"]), (&json!([0.8, 1.0]), &json!("0.0")));
        assert_eq!((&params["language"], &params["hallucination_silence_threshold"]), (&json!(null), &json!(null)));
        let options = Options::from_json(&wanted.options).unwrap();
        assert_eq!(options.temperature.0, [0.8, 1.0]);
        assert_eq!(options.compression_ratio_threshold, 1.8);
        assert!(options.is_conditioned() && options.clip_timestamps.0.is_empty());
        assert_eq!(options.prepend_punctuations, PREPEND);
    }

    #[test]
    fn what_is_said_is_echoed_and_asked_for() {
        let wanted = read(&[
            ("temperature", "0"),
            ("clip_timestamps", "1,2.5"),
            ("hallucination_silence_threshold", "0"),
            ("prepend_punctuations", ""),
            ("language", "en"),
            ("task_type", "translate"),
        ])
        .unwrap();
        let params = Value::Object(wanted.params());
        assert_eq!((&params["temperature"], &params["clip_timestamps"]), (&json!(0.0), &json!([1.0, 2.5])));
        assert_eq!((&params["task_type"], &params["prepend_punctuations"]), (&json!("translate"), &json!("")));
        let options = Options::from_json(&wanted.options).unwrap();
        // One temperature means this one alone.
        assert_eq!((options.temperature.0, options.hallucination_silence_threshold), (vec![0.0], None));
        assert_eq!((options.clip_timestamps.0, options.task), (vec![1.0, 2.5], Goal::Translate));
    }

    #[test]
    fn what_makes_no_sense_names_its_field() {
        for (name, value) in [
            ("temperature", "hot"),
            ("temperature", "0.2,,1"),
            ("clip_timestamps", "NaN"),
            ("word_timestamps", "perhaps"),
            ("no_speech_threshold", "x"),
            ("priority", "now"),
            ("task_type", "TRANSCRIBE"),
        ] {
            let error = read(&[(name, value)]).err().unwrap();
            assert_eq!(error.field.as_deref(), Some(name), "{value}");
        }
    }
}
