#!/usr/bin/env python3
"""Writes a Whisper model with random weights, as a ggml file: as fast as a real one of its size, and of no other use.

    benches/random_model.py SIZE FTYPE OUT.bin        SIZE: tiny, base, small, medium, large-v3, large-v3-turbo
                                                      FTYPE: f16, q8_0

Needs numpy. The vocabulary, and the filters for 80 mel bands, come from the smoke model.
"""

import pathlib
import struct
import sys

import numpy as np

SMOKE = pathlib.Path(__file__).resolve().parent.parent / "models" / "smoke" / "ggml-smoke-q8_0.bin"
MAGIC = 0x67676D6C
AUDIO_CONTEXT, TEXT_CONTEXT = 1500, 448
# width, heads, encoder layers, decoder layers, mel bands, vocabulary
SIZES = {
    "tiny": (384, 6, 4, 4, 80, 51865),
    "base": (512, 8, 6, 6, 80, 51865),
    "small": (768, 12, 12, 12, 80, 51865),
    "medium": (1024, 16, 24, 24, 80, 51865),
    "large-v3": (1280, 20, 32, 32, 128, 51866),
    "large-v3-turbo": (1280, 20, 32, 4, 128, 51866),
}
# The number of the file type in the header, and of the type of its matrices; 2000 is the version of the quantisation.
FTYPES = {"f16": (1, 1), "q8_0": (2007, 8)}


def mel_filters(bands, rate=16_000, window=400):
    """Triangles on Slaney's scale, linear up to 1 kHz and logarithmic above, each of area 1."""
    per_mel, corner, step = 200 / 3, 15, np.log(6.4) / 27
    top = corner + np.log(rate / 2 / 1000) / step
    mels = np.linspace(0, top, bands + 2)
    edges = np.where(mels < corner, mels * per_mel, 1000 * np.exp(step * (mels - corner)))
    bins = np.fft.rfftfreq(window, 1 / rate)
    left, centre, right = (edges[start : start + bands, None] for start in range(3))
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (right - left)).astype("<f4")


def smoke_parts():
    """The smoke model's mel filters, and its vocabulary as it stands in the file."""
    data = SMOKE.read_bytes()
    bands, bins = struct.unpack_from("<2i", data, 48)
    filters = np.frombuffer(data, "<f4", bands * bins, 56).reshape(bands, bins)
    start = at = 56 + filters.nbytes
    (tokens,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(tokens):
        at += 4 + struct.unpack_from("<I", data, at)[0]
    return filters, data[start:at]


def q8_0(values):
    """Blocks of 32 numbers: their scale as f16, then 32 bytes."""
    rows = values.reshape(-1, 32)
    scale = np.abs(rows).max(axis=1, keepdims=True) / 127
    blocks = np.empty(len(rows), np.dtype([("scale", "<f2"), ("bytes", "i1", 32)]))
    blocks["scale"] = scale[:, 0]
    blocks["bytes"] = np.rint(rows / np.where(scale == 0, 1, scale))
    return blocks.tobytes()


def shapes(width, audio_layers, text_layers, bands, vocabulary):
    """Name and shape of every tensor, OpenAI's."""
    yield "encoder.positional_embedding", (AUDIO_CONTEXT, width)
    yield "encoder.conv1.weight", (width, bands, 3)
    yield "encoder.conv1.bias", (width, 1)
    yield "encoder.conv2.weight", (width, width, 3)
    yield "encoder.conv2.bias", (width, 1)
    yield "decoder.positional_embedding", (TEXT_CONTEXT, width)
    yield "decoder.token_embedding.weight", (vocabulary, width)
    for norm in ("encoder.ln_post", "decoder.ln"):
        yield f"{norm}.weight", (width,)
        yield f"{norm}.bias", (width,)
    for part, layers, attentions in (
        ("encoder", audio_layers, ("attn",)),
        ("decoder", text_layers, ("attn", "cross_attn")),
    ):
        for layer in (f"{part}.blocks.{index}" for index in range(layers)):
            for attention in attentions:
                for matrix in ("query", "key", "value", "out"):
                    yield f"{layer}.{attention}.{matrix}.weight", (width, width)
                    if matrix != "key":
                        yield f"{layer}.{attention}.{matrix}.bias", (width,)
                yield f"{layer}.{attention}_ln.weight", (width,)
                yield f"{layer}.{attention}_ln.bias", (width,)
            yield f"{layer}.mlp_ln.weight", (width,)
            yield f"{layer}.mlp_ln.bias", (width,)
            yield f"{layer}.mlp.0.weight", (4 * width, width)
            yield f"{layer}.mlp.0.bias", (4 * width,)
            yield f"{layer}.mlp.2.weight", (width, 4 * width)
            yield f"{layer}.mlp.2.bias", (width,)


def weights(size):
    """Name and values of every tensor: norms do nothing, the rest is small noise, the same for the same size."""
    width, _, audio_layers, text_layers, bands, vocabulary = SIZES[size]
    noise = np.random.default_rng(1)
    for name, shape in shapes(width, audio_layers, text_layers, bands, vocabulary):
        if name.endswith(("ln.weight", "ln_post.weight")):
            yield name, np.ones(shape, "<f4")
        elif name.endswith(".bias"):
            yield name, np.zeros(shape, "<f4")
        else:
            yield name, noise.standard_normal(shape, np.float32) * np.float32(0.02)


def write(size, ftype, path):
    """Writes the file; it appears whole or not at all."""
    width, heads, audio_layers, text_layers, bands, vocabulary = SIZES[size]
    number, matrix = FTYPES[ftype]
    filters, tokens = smoke_parts()
    if bands != len(filters):
        filters = mel_filters(bands)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(
            struct.pack(
                "<12i", MAGIC, vocabulary, AUDIO_CONTEXT, width, heads, audio_layers,
                TEXT_CONTEXT, width, heads, text_layers, bands, number,
            )
        )  # fmt: skip
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes() + tokens)
        for name, value in weights(size):
            # As whisper.cpp's own tools do it: matrices in the file's type, convolutions f16, everything else f32.
            kind = 0
            if value.ndim > 1 and not name.endswith(("positional_embedding", ".bias")):
                kind = matrix if value.ndim == 2 else 1
            file.write(struct.pack("<3i", value.ndim, len(name), kind))
            file.write(struct.pack(f"<{value.ndim}i", *reversed(value.shape)) + name.encode())
            file.write(q8_0(value) if kind == 8 else value.astype("<f2" if kind else "<f4").tobytes())
    part.rename(path)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in SIZES or sys.argv[2] not in FTYPES:
        sys.exit(__doc__)
    write(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]))
