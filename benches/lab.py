"""What the benchmarks work with: samples as files of other lengths, models with random weights, helpers from PyPI.

Everything that is made is kept in `target/bench`.
"""

import functools
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "models" / "smoke" / "samples"
SMOKE = ROOT / "models" / "smoke" / "ggml-smoke-q8_0.bin"
FOLDER = ROOT / "target" / "bench"
RATE = 16_000
THREADS = os.cpu_count()
FFMPEG = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]


class Unavailable(Exception):
    """Something from outside cannot be had."""


@functools.cache
def python():
    """A Python with numpy and ctranslate2; installed from PyPI the first time."""
    folder = FOLDER / "venv"
    interpreter = folder / "bin" / "python"
    ready = [interpreter, "-c", "import numpy, ctranslate2"]
    if not interpreter.exists() or subprocess.run(ready, capture_output=True).returncode:
        for command in (
            [sys.executable, "-m", "venv", folder],
            [interpreter, "-m", "pip", "install", "--quiet", "numpy>=2,<3", "ctranslate2>=4.8,<5"],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                reason = (done.stderr.strip() or done.stdout.strip() or "it failed").splitlines()[-1]
                raise Unavailable(f"numpy and ctranslate2 cannot be installed from PyPI ({reason})")
    return str(interpreter)


def random_model(size, ftype):
    """A model file with random weights; its name for trawl is `<size>-random-<ftype>`."""
    file = FOLDER / "models" / f"ggml-{size}-random-{ftype}.bin"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([python(), ROOT / "benches" / "random_model.py", size, ftype, file], check=True)
    return file


def smoke(size=None):
    """The smoke model, or the same made as large as an official one; its name for trawl is the file's without `ggml-`."""
    if size is None:
        return SMOKE
    file = FOLDER / "models" / f"ggml-smoke-{size}.bin"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([python(), ROOT / "benches" / "widen.py", size, file], check=True)
    return file


def capi(binary, *arguments, **environment):
    """What whisper.cpp's own C API says; `benches/capi` tells what there is."""
    command = [binary, *map(str, arguments)]
    # As trawl starts its engines.
    environment = os.environ | {"GOMP_SPINCOUNT": "1000"} | environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def pcm(sources, target):
    """Decodes files, one after another, to 16 kHz samples; gives how many."""
    raw = ["-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    with target.open("wb") as out:
        for source in sources:
            subprocess.run([*FFMPEG, "-i", source, *raw], stdout=out, check=True)
    return target.stat().st_size // 2


def flac(samples, target):
    """Writes 16-bit samples as a file that can be uploaded."""
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-"]
    subprocess.run([*FFMPEG, *raw, target], input=samples, check=True)
    return target


def speech(seconds, target):
    """The long sample, again and again, as PCM of exactly this length."""
    one = pcm([SAMPLES / "long.m4a"], target)
    data = target.read_bytes()
    target.write_bytes((data * (seconds * RATE // one + 1))[: 2 * seconds * RATE])
    return target
