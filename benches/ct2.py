"""CTranslate2, faster-whisper's engine, over one 30 s window: encoder, then so many tokens, the likeliest each time.

    ct2.py THREADS TOKENS COMPUTE_TYPE

Needs numpy and ctranslate2 (`lab.python` installs them). The model has base dimensions and the weights of
`random_model.py`; matrices are made 8-bit integers as CTranslate2 does it. For each line that it reads it measures once
and answers one line of JSON, so that whoever compares can measure in turn.
"""

import json
import sys
import tempfile
import time

import ctranslate2
import numpy as np
from ctranslate2.specs import WhisperSpec

import random_model

END, START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS = 50257, 50258, 50259, 50359, 50363
NAMES = {
    END: "<|endoftext|>",
    START: "<|startoftranscript|>",
    ENGLISH: "<|en|>",
    50358: "<|translate|>",
    TRANSCRIBE: "<|transcribe|>",
    50360: "<|startoflm|>",
    50361: "<|startofprev|>",
    50362: "<|nospeech|>",
    NO_TIMESTAMPS: "<|notimestamps|>",
}


def save(folder):
    """Writes the model in CTranslate2's own format."""
    _, heads, audio_layers, text_layers, _, vocabulary = random_model.SIZES["base"]
    tensors = dict(random_model.weights("base"))
    spec = WhisperSpec(audio_layers, heads, text_layers, heads)
    for part, name in ((spec.encoder, "encoder"), (spec.decoder, "decoder")):
        part.position_encodings.encodings = tensors[f"{name}.positional_embedding"]
        norm(part.layer_norm, tensors, f"{name}.ln_post" if name == "encoder" else f"{name}.ln")
        for index, layer in enumerate(part.layer):
            block = f"{name}.blocks.{index}"
            attention(layer.self_attention, tensors, f"{block}.attn", ("query", "key", "value"))
            if name == "decoder":
                attention(layer.attention, tensors, f"{block}.cross_attn", ("query",), ("key", "value"))
            norm(layer.ffn.layer_norm, tensors, f"{block}.mlp_ln")
            linear(layer.ffn.linear_0, tensors, [f"{block}.mlp.0"])
            linear(layer.ffn.linear_1, tensors, [f"{block}.mlp.2"])
    for conv, name in ((spec.encoder.conv1, "conv1"), (spec.encoder.conv2, "conv2")):
        conv.weight = tensors[f"encoder.{name}.weight"]
        conv.bias = tensors[f"encoder.{name}.bias"].reshape(-1)
    spec.decoder.embeddings.weight = tensors["decoder.token_embedding.weight"]
    spec.decoder.projection.weight = tensors["decoder.token_embedding.weight"]
    spec.register_vocabulary([NAMES.get(number, f"<{number}>") for number in range(vocabulary)])
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids, spec.config.alignment_heads = [ENGLISH], [[text_layers - 1, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(folder)


def attention(spec, tensors, name, *groups):
    """Matrices of one group stand below each other in one matrix."""
    norm(spec.layer_norm, tensors, f"{name}_ln")
    for part, group in zip(spec.linear, (*groups, ("out",))):
        linear(part, tensors, [f"{name}.{matrix}" for matrix in group])


def linear(spec, tensors, names):
    spec.weight = np.concatenate([tensors[f"{name}.weight"] for name in names])
    absent = lambda name: np.zeros(len(tensors[f"{name}.weight"]), np.float32)
    spec.bias = np.concatenate([tensors.get(f"{name}.bias", absent(name)) for name in names])


def norm(spec, tensors, name):
    spec.gamma, spec.beta = tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def main():
    threads, tokens, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        save(folder)
        model = ctranslate2.models.Whisper(folder, compute_type=kind, intra_threads=threads, inter_threads=1)
    sound = np.random.default_rng(2).standard_normal((1, 80, 3000), np.float32)
    features = ctranslate2.StorageView.from_array(sound)
    prompt = [START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS]
    timestamps = list(range(NO_TIMESTAMPS + 1, random_model.SIZES["base"][5]))

    def measure():
        begun = time.perf_counter()
        encoded = model.encode(features)
        encode = time.perf_counter() - begun
        # Without an end of text it goes on to its limit, which is half of `max_length`.
        result = model.generate(
            encoded, [prompt], beam_size=1, max_length=2 * tokens, suppress_tokens=[END, *timestamps]
        )
        window = time.perf_counter() - begun
        made = len(result[0].sequences_ids[0])
        assert made == tokens, f"CTranslate2 made {made} tokens instead of {tokens}"
        decode = (window - encode) / tokens
        return {"encode_ms": 1000 * encode, "token_ms": 1000 * decode, "window_ms": 1000 * window}

    measure()  # The first pass touches memory that was never used.
    print(json.dumps({"version": ctranslate2.__version__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
