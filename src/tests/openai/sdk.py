"""OpenAI's own Python SDK against a running daemon: what came of each call, as one JSON object.

Usage: sdk.py ADDRESS FOLDER_OF_CLIPS
"""

import json
import sys
from pathlib import Path

import openai

address, clips = sys.argv[1], Path(sys.argv[2])
client = openai.OpenAI(base_url=f"{address}/v1", api_key="unused")
english, chinese = clips / "en-known-06.mp3", clips / "zh-known-13.wav"


def hear(**more):
    return client.audio.transcriptions.create(**{"model": "whisper-1", "file": english, **more})


def plain(answer):
    return answer if isinstance(answer, str) else answer.to_dict()


def refused(call):
    try:
        call()
    except openai.APIStatusError as error:
        sent = error.response.request.headers
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "type": error.type,
            "code": error.code,
            "param": error.param,
            "message": error.body["message"],
            "request": error.request_id,
            "retries": int(sent["x-stainless-retry-count"]),
        }
    return "nothing was refused"


raw = client.audio.transcriptions.with_raw_response.create(model="gpt-transcribe", file=english)
with_words = hear(response_format="verbose_json", timestamp_granularities=["word", "segment"])
told = {
    "models": [model.id for model in client.models.list()],
    "model": client.models.retrieve("whisper-1").to_dict(),
    "json": plain(raw.parse()),
    "headers": {name: raw.headers[name] for name in ("x-task-id", "x-request-id")},
    "text": hear(response_format="text"),
    "srt": hear(response_format="srt"),
    "vtt": hear(response_format="vtt"),
    "verbose": plain(hear(response_format="verbose_json")),
    "words": plain(with_words),
    "only_words": plain(hear(response_format="verbose_json", timestamp_granularities=["word"])),
    "stream": [event.to_dict() for event in hear(stream=True)],
    "logprobs": plain(hear(include=["logprobs"])),
    "bytes": plain(hear(file=english.read_bytes(), prompt="", language="en", temperature=0)),
    "fields": plain(
        hear(
            model="gpt-4o-transcribe",
            file=("talk", english.open("rb")),
            chunking_strategy={"type": "server_vad", "threshold": 0.4},
            extra_body={"languages": ["en", "zh"], "keywords": ["garden"], "vad_filter": True, "unheard_of": 1},
        )
    ),
    "traditional": plain(hear(file=chinese, language="zh", extra_body={"zh_variant": "hant"})),
    "translation": plain(client.audio.translations.create(model="smoke", file=chinese)),
    "verbose_translation": plain(
        client.audio.translations.create(model="smoke", file=chinese, response_format="verbose_json")
    ),
    "errors": {
        "no_media": refused(lambda: hear(file=b"no sound at all")),
        "no_media_streamed": refused(lambda: hear(file=b"no sound at all", stream=True)),
        "empty": refused(lambda: hear(file=b"")),
        "model": refused(lambda: hear(model="whisper-9")),
        "missing_model": refused(lambda: hear(model="tiny")),
        "speakers": refused(lambda: hear(response_format="diarized_json")),
        "temperature": refused(lambda: hear(temperature=3)),
        "unknown_model": refused(lambda: client.models.retrieve("whisper-9")),
    },
}
print(json.dumps(told))
