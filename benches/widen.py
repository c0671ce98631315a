#!/usr/bin/env python3
"""Makes the smoke model as large as a real one, so that it takes as long and still writes the same text.

    benches/widen.py SIZE OUT.bin        SIZE: tiny, base, small

Every channel stands there several times over, which normalisation does not notice. Matrices write all copies and read the
first one; heads are repeated and filled up to 64 numbers; further layers add nothing to what passes through them. A
width is a multiple of the smoke model's 96, so base gets 576 channels and 9 heads instead of 512 and 8; tiny and small
are exactly as OpenAI's. Needs numpy.
"""

import math
import pathlib
import struct
import sys

import numpy as np

from random_model import MAGIC, SMOKE

# width, encoder layers, decoder layers
SIZES = {"tiny": (384, 4, 4), "base": (576, 6, 6), "small": (768, 12, 12)}
HEAD, SMOKE_HEAD = 64, 32
# Numbers of ggml's types, and how their values are laid out; q8_0 has 32 of them in a block.
BLOCK = np.dtype([("scale", "<f2"), ("bytes", "i1", 32)])
TYPES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 8: BLOCK}


def read(data):
    """The header's numbers, the filters and the vocabulary as they stand there, and the tensors with their types."""
    header = list(struct.unpack_from("<12i", data))
    assert header[0] == MAGIC
    at = 56 + 4 * math.prod(struct.unpack_from("<2i", data, 48))
    (words,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(words):
        at += 4 + struct.unpack_from("<I", data, at)[0]
    parts, tensors = data[48:at], {}
    while at < len(data):
        dimensions, length, kind = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{dimensions}i", data, at + 12)[::-1]
        at += 12 + 4 * dimensions
        name, at = data[at : at + length].decode(), at + length
        if kind == 8:
            shape = (*shape[:-1], shape[-1] // 32)
        values = np.frombuffer(data, TYPES[kind], math.prod(shape), at)
        tensors[name] = kind, values.reshape(shape)
        at += values.nbytes
    return header, parts, tensors


def padded(values, axis, size):
    """Zeros behind what is there."""
    missing = list(values.shape)
    missing[axis] = size - values.shape[axis]
    return np.concatenate([values, np.zeros(missing, values.dtype)], axis)


def heads(values, old, width):
    """Each head of an attention filled up to its new size, and all of them again and again until there are enough."""
    count = old // SMOKE_HEAD
    all_heads = [padded(head, 0, HEAD) for head in np.split(values, count)]
    return np.concatenate([all_heads[number % count] for number in range(width // HEAD)])


def scaled(values, factor):
    """Queries times a factor; of quantised ones the scales."""
    values = values.copy()
    if values.dtype == BLOCK:
        values["scale"] *= np.float16(factor)
    else:
        values *= factor
    return values


def widened(name, values, old, width):
    """A tensor of the wide model."""
    times, per_block = width // old, 32 if values.dtype == BLOCK else 1
    parts = name.split(".")
    if parts[-2] in ("query", "key", "value"):
        values = heads(values, old, width)
        # Products are divided by the root of a head's size.
        values = scaled(values, math.sqrt(HEAD / SMOKE_HEAD)) if parts[-2] == "query" else values
        return padded(values, 1, width // per_block) if values.ndim == 2 else values
    if parts[-2] == "out" and values.ndim == 2:
        first = [padded(head, 1, HEAD // per_block) for head in np.split(values, old // SMOKE_HEAD, 1)]
        return np.tile(padded(np.concatenate(first, 1), 1, width // per_block), (times, 1))
    if name.endswith(("mlp.0.weight", "mlp.2.weight")):
        return np.tile(padded(values, 1, values.shape[1] * times), (times, 1))
    if name == "encoder.conv1.weight":
        return np.tile(values, (times, 1, 1))
    if name == "encoder.conv2.weight":
        return np.tile(padded(values, 1, width), (times, 1, 1))
    if name.startswith("decoder.ln."):
        # What comes out of it meets the embedding's copies: one of them is enough.
        return padded(values, 0, width)
    if name.endswith(("embedding", "embedding.weight")):
        return np.tile(values, (1, times))
    return np.tile(values, (times, *(1 for _ in values.shape[1:])))


def silent(name, values):
    """A layer that adds nothing."""
    is_last = name.endswith((".out.weight", ".out.bias", "mlp.2.weight", "mlp.2.bias"))
    return np.zeros_like(values) if is_last else values


def write(size, path):
    """Writes the file; it appears whole or not at all."""
    header, parts, tensors = read(SMOKE.read_bytes())
    width, audio_layers, text_layers = SIZES[size]
    old = header[3]
    wide = {name: (kind, widened(name, values, old, width)) for name, (kind, values) in tensors.items()}
    for part, had, has in (("encoder", header[5], audio_layers), ("decoder", header[9], text_layers)):
        first = f"{part}.blocks.0."
        block = {name: tensor for name, tensor in wide.items() if name.startswith(first)}
        for layer in range(had, has):
            for name, (kind, values) in block.items():
                wide[name.replace(first, f"{part}.blocks.{layer}.")] = kind, silent(name, values)
    header[3:6] = width, width // HEAD, audio_layers
    header[7:10] = width, width // HEAD, text_layers
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(struct.pack("<12i", *header) + parts)
        for name, (kind, values) in wide.items():
            shape = (*values.shape[:-1], values.shape[-1] * (32 if kind == 8 else 1))
            file.write(struct.pack("<3i", len(shape), len(name), kind))
            file.write(struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode())
            file.write(np.ascontiguousarray(values).tobytes())
    draft.rename(path)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SIZES:
        sys.exit(__doc__)
    write(sys.argv[1], pathlib.Path(sys.argv[2]))
