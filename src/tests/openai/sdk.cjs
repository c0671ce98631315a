// OpenAI's own Node SDK against a running daemon: what came of each call, as one JSON object.
//
// Usage: sdk.cjs ADDRESS FOLDER_OF_CLIPS FOLDER_OF_THE_SDK

const { createReadStream, readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const [address, clips, home] = process.argv.slice(2);
const OpenAI = createRequire(join(home, "/"))("openai");
let sent = 0;
const counted = (...request) => {
  sent += 1;
  return fetch(...request);
};
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "unused", fetch: counted });
const [english, chinese] = ["en-known-06.mp3", "zh-known-13.wav"].map((name) => join(clips, name));

const hear = (more = {}) =>
  client.audio.transcriptions.create({ file: createReadStream(english), model: "whisper-1", ...more });

async function refused(call) {
  const before = sent;
  try {
    await call();
  } catch (error) {
    const { status, type, code, param } = error;
    const [message, retries] = [error.error?.message, sent - before - 1];
    return { class: error.constructor.name, status, type, code, param, message, request: error.requestID, retries };
  }
  return "nothing was refused";
}

async function streamed() {
  const events = [];
  for await (const event of await hear({ stream: true })) events.push(event);
  return events;
}

async function listed() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return ids;
}

async function main() {
  const raw = await hear({ model: "gpt-transcribe" }).withResponse();
  const noSound = () => new File(["no sound at all"], "talk.mp3");
  const told = {
    models: await listed(),
    model: await client.models.retrieve("whisper-1"),
    json: raw.data,
    headers: Object.fromEntries(["x-task-id", "x-request-id"].map((name) => [name, raw.response.headers.get(name)])),
    text: await hear({ response_format: "text" }),
    srt: await hear({ response_format: "srt" }),
    vtt: await hear({ response_format: "vtt" }),
    verbose: await hear({ response_format: "verbose_json" }),
    words: await hear({ response_format: "verbose_json", timestamp_granularities: ["word", "segment"] }),
    only_words: await hear({ response_format: "verbose_json", timestamp_granularities: ["word"] }),
    stream: await streamed(),
    logprobs: await hear({ include: ["logprobs"] }),
    bytes: await hear({ file: new File([readFileSync(english)], "talk"), prompt: "", language: "", temperature: 0 }),
    fields: await hear({
      model: "gpt-4o-transcribe",
      chunking_strategy: { type: "server_vad", threshold: 0.4 },
      languages: ["en", "zh"],
      keywords: ["garden"],
      vad_filter: true,
      unheard_of: 1,
    }),
    traditional: await hear({ file: createReadStream(chinese), language: "zh", zh_variant: "hant" }),
    translation: await client.audio.translations.create({ file: createReadStream(chinese), model: "smoke" }),
    verbose_translation: await client.audio.translations.create({
      file: createReadStream(chinese),
      model: "smoke",
      response_format: "verbose_json",
    }),
    errors: {
      no_media: await refused(() => hear({ file: noSound() })),
      no_media_streamed: await refused(() => hear({ file: noSound(), stream: true })),
      empty: await refused(() => hear({ file: new File([], "talk.mp3") })),
      model: await refused(() => hear({ model: "whisper-9" })),
      missing_model: await refused(() => hear({ model: "tiny" })),
      speakers: await refused(() => hear({ response_format: "diarized_json" })),
      temperature: await refused(() => hear({ temperature: 3 })),
      unknown_model: await refused(() => client.models.retrieve("whisper-9")),
    },
  };
  console.log(JSON.stringify(told));
}

main();
