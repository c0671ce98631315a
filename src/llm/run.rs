//! One step: its input becomes requests, their answers one output.

use super::{
    Context, Llm,
    material::Material,
    merge::{join, reduce},
    prompt::{Filled, Reads},
    schema::Schema,
    segments,
    session::{Answer, Form, Request, Session, system},
    times,
};
use crate::{
    error::{Code, Error, Result},
    workflow::kinds::llm::{Chunk, Merge, Output, Usage, With},
};

/// The share of a part that is repeated of the one before, where nobody says.
const OVERLAP: usize = 20;

/// A step made ready.
struct Plan {
    told: Filled,
    schema: Option<Schema>,
    merge: Merge,
    chunk: Chunk,
    material: Material,
    /// Whether answers speak of times.
    is_timed: bool,
}

impl Llm {
    /// Does what a step asks for. May be dropped at any time.
    pub async fn run(&self, mut with: With, context: &Context<'_>) -> Result<Output> {
        let model = self.model(with.model.as_deref())?;
        let settings = &model.settings;
        let plan = self.plan(&mut with)?;
        let mut output = Output { model: settings.model.clone(), ..Output::default() };
        if plan.material.is_blank() {
            output.warnings.push("There are no words, so the model was not asked".to_owned());
            return Ok(output);
        }
        let mut session = Session {
            model,
            context,
            api_key: with.api_key.take(),
            temperature: with.temperature,
            max_tokens: with.max_tokens.unwrap_or(u32::MAX).min(settings.max_output_tokens),
            usage: Usage::default(),
            warnings: Vec::new(),
            expected: 1,
            answered: 0,
        };
        plan.carry_out(&mut session, &mut output).await?;
        let Session { usage, warnings, .. } = session;
        let cost = |(read, written)| (usage.input_tokens as f64 * read + usage.output_tokens as f64 * written) / 1e6;
        output.usage = Usage { cost: settings.prices.map(cost), ..usage };
        output.warnings.extend(warnings);
        Ok(output)
    }

    fn plan(&self, with: &mut With) -> Result<Plan> {
        let wrong = |field: &str, why: &str| Err(Error::new(Code::InvalidValue, why).with_field(field));
        if with.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
            return wrong("temperature", "The temperature must be from 0 to 2");
        }
        if with.api_key.as_ref().is_some_and(|key| key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return wrong("api_key", "The key must be printable ASCII characters without blanks");
        }
        if with.max_tokens == Some(0) || with.chunk.tokens == Some(0) {
            return wrong("max_tokens", "`max_tokens` and `chunk.tokens` must be at least 1");
        }
        let prompt = with.prompt.as_deref().map(|name| self.inner.prompts.get(name)).transpose()?;
        let own = with.system.take().filter(|text| !text.trim().is_empty());
        let mut told = match prompt {
            Some(prompt) => prompt.fill(&with.variables)?,
            None if !with.variables.is_empty() => return wrong("variables", "Variables are for a `prompt`"),
            None if own.is_none() => return wrong("system", "There is neither `system` nor `prompt`"),
            None => Filled::default(),
        };
        let parts = [told.instructions, own.unwrap_or_default()];
        told.instructions = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let reads = prompt.map(|prompt| prompt.reads);
        let material = Material::of(with, reads)?;
        let schema = match &with.json_schema {
            Some(_) if matches!(material, Material::Segments(_)) => {
                return wrong("json_schema", "The form of this prompt's answer is fixed");
            }
            Some(schema) => Some(Schema::new(schema)?),
            None => prompt.and_then(|prompt| prompt.schema.clone()),
        };
        let merge = with.merge.or(prompt.map(|prompt| prompt.merge)).unwrap_or(Merge::Reduce);
        Ok(Plan { told, schema, merge, chunk: with.chunk, material, is_timed: reads == Some(Reads::Times) })
    }
}

impl Plan {
    async fn carry_out(self, session: &mut Session<'_>, output: &mut Output) -> Result<()> {
        if let Material::Segments(given) = self.material {
            let (answered, parts) = segments::answer_each(session, &self.told.instructions, self.chunk, given).await?;
            output.text = segments::text(&answered);
            (output.segments, output.parts) = (Some(answered), parts);
            return Ok(());
        }
        let (answers, parts) = self.answers(session).await?;
        let mut answer = match self.merge {
            Merge::Join => join(answers)?,
            Merge::Reduce => {
                let (instructions, merging) = (&self.told.instructions, self.told.merging.as_deref());
                reduce(session, instructions, merging, self.schema.as_ref(), answers).await?
            }
        };
        if self.is_timed
            && let Some(json) = &mut answer.json
        {
            times::settle(json, &self.material.starts());
            answer.text = json.to_string();
        }
        (output.text, output.json, output.parts) = (answer.text, answer.json, parts);
        Ok(())
    }

    /// The answer to every part, and how many parts there are.
    async fn answers(&self, session: &mut Session<'_>) -> Result<(Vec<Answer>, usize)> {
        let system = system(&self.told.instructions, None, self.schema.as_ref());
        // As long as that of any part.
        let room = session.room(&system, &intro(200, 200));
        if room == 0 {
            let detail = "The instructions leave no room for a text";
            return Err(Error::new(Code::TooLarge, detail).with_hint(
                "Shorten `system` or the schema, lower `max_tokens`, or raise `llm.context_tokens` if the model can hold more.",
            ));
        }
        let asked = self.chunk.tokens.map(|tokens| tokens as usize);
        let overlap = match (self.chunk.overlap, self.merge) {
            (Some(overlap), _) => overlap as usize,
            (None, Merge::Join) => 0,
            (None, Merge::Reduce) => asked.unwrap_or(room).min(room) / OVERLAP,
        };
        let parts = self.material.parts(room, asked, overlap)?;
        let count = parts.len();
        session.expected = if count > 1 && self.merge == Merge::Reduce { count + 1 } else { count };
        let mut answers = Vec::with_capacity(count);
        for (at, data) in parts.iter().enumerate() {
            let (name, intro) = match count {
                1 => (String::new(), "The text:".to_owned()),
                _ => (format!("part-{}", at + 1), intro(at + 1, count)),
            };
            let form = self.schema.as_ref().map(|schema| Form { schema, check: &|_| Vec::new() });
            let request =
                Request { name, system: &system, intro: &intro, data, form, part: Some(at + 1), parts: count };
            answers.push(session.ask(request).await?);
        }
        Ok((answers, count))
    }
}

fn intro(part: usize, parts: usize) -> String {
    format!(
        "The text is too long to be read at once. This is part {part} of {parts}; do what you are told for this part:"
    )
}
