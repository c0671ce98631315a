"""The engine against others: CTranslate2, whisper.cpp's own C API, and its own slots without the daemon."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import lab
from daemon import Daemon, memory_mib
from engine import EngineProcess
from lab import RATE, ROOT, SAMPLES
from table import note, row, skipped

ENGLISH = sorted(file for file in SAMPLES.glob("en-*") if file.name != "en-known-04.flac")
URGENT = SAMPLES / "en-known-04.flac"
# The cache would answer at once; the language would cost a pass that is not compared.
OPTIONS = {"language": "en", "no_cache": True}


def ctranslate2(capi, rounds, tokens=64):
    """One 30 s window of base dimensions, measured in turn."""
    what = f"a window of base dimensions, {tokens} tokens / CTranslate2 int8"
    try:
        models = {ftype: lab.random_model("base", ftype) for ftype in ("f16", "q8_0")}
        command = [lab.python(), ROOT / "benches" / "ct2.py", str(lab.THREADS), str(tokens), "int8"]
    except lab.Unavailable as reason:
        return skipped(what, reason)
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    version = json.loads(other.stdout.readline())["version"]
    runs = {name: [] for name in (*models, "int8")}
    for _ in range(rounds):
        for ftype, model in models.items():
            runs[ftype].append(lab.capi(capi, "one", model, lab.THREADS, tokens))
        other.stdin.write("\n")
        other.stdin.flush()
        runs["int8"].append(json.loads(other.stdout.readline()))
    other.stdin.close()
    other.wait(60)
    median = {
        name: {figure: statistics.median(run[figure] for run in found) for figure in found[0]}
        for name, found in runs.items()
    }
    best = min(models, key=lambda ftype: median[ftype]["window_ms"])
    for name, values in median.items():
        title = f"CTranslate2 {version} {name}" if name == "int8" else f"whisper.cpp {name}"
        note(f"  {title}", "{window_ms:.0f} ms = {encode_ms:.0f} + {n} × {token_ms:.2f}".format(n=tokens, **values))
    row(f"{what} ({best})", median[best]["window_ms"] / median["int8"]["window_ms"], "×", 0.85)


def long_file(binary, capi, seconds):
    """The wall time of a long file, and of whisper.cpp's own C API on the same windows; both load the model."""
    with tempfile.TemporaryDirectory() as folder:
        pcm = lab.speech(seconds, pathlib.Path(folder) / "speech.pcm")
        samples = pcm.read_bytes()
        file = lab.flac(samples, pcm.with_suffix(".flac"))
        for size in ("base", None):
            what = f"`trawl transcribe` of {seconds} s / C API on the same windows, {size or 'smoke'}"
            try:
                model = lab.smoke(size)
            except lab.Unavailable as reason:
                skipped(what, reason)
                continue
            wall, windows = transcribe(binary, file, model)
            other = wall_of_capi(capi, pcm, 0.2, windows, model)
            row(f"{what} ({wall:.1f} s / {other:.1f} s)", wall / other, "×", 1.05)
        wall, windows = through_daemon(binary, file)
        other = wall_of_capi(capi, pcm, 0.0, windows)
        row(f"the same with one attempt each, in a daemon ({wall:.1f} s / {other:.1f} s)", wall / other, "×", 1.05)
        half = 30 * 2 * RATE
        blocks = [samples[at : at + half] + bytes(half) for at in range(0, len(samples) // 2, half)]
        pcm.write_bytes(b"".join(blocks))
        wall, _ = through_daemon(binary, lab.flac(pcm.read_bytes(), file))
        other = wall_of_capi(capi, pcm, 0.0, "whole")
        what = f"{seconds} s, half of it silence, in a daemon / C API on the whole file"
        row(f"{what} ({wall:.1f} s / {other:.1f} s)", wall / other, "×", 1)


def wall_of_capi(capi, pcm, ladder, windows, model=lab.SMOKE):
    begun = time.monotonic()
    lab.capi(capi, "windows", pcm, model, lab.THREADS, "en", ladder, windows)
    return time.monotonic() - begun


def transcribe(binary, file, model):
    """Seconds of wall time, and the windows that were recognised."""
    config = file.with_suffix(".toml")
    config.write_text(
        f'models.dir = "{model.parent}"\nmodels.default = "{model.stem.removeprefix("ggml-")}"\nmodels.offline = true\n'
        f'engine.threads = {lab.THREADS}\nlog.level = "trawl::transcribe=debug"\nlog.format = "json"\n'
    )
    command = [binary, "transcribe", "--config", config, "--language", "en", file]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall = time.monotonic() - begun
    lines = [json.loads(line)["fields"] for line in done.stderr.splitlines() if line.startswith("{")]
    (windows,) = (fields["windows"] for fields in lines if "windows" in fields)
    return wall, windows


def through_daemon(binary, file):
    """The same with one attempt for each window, so that the work is the same whatever decides on further ones."""
    daemon = Daemon(binary)
    begun = time.monotonic()
    daemon.end(daemon.upload(file, options={**OPTIONS, "temperature": [0]}))
    wall = time.monotonic() - begun
    (planned,) = daemon.fields("windows")
    daemon.stop()
    return wall, planned["windows"]


def one_copy(binary, capi):
    """Memory of an engine with 1, 2 and 4 slots at work, against the weights once and a state for each slot."""
    what = "4 slots at work / (one copy of the weights + 4 states)"
    try:
        model = lab.random_model("base", "f16")
    except lab.Unavailable as reason:
        return skipped(what, reason)
    name = model.stem.removeprefix("ggml-")
    alone = lab.capi(capi, "init", model, lab.THREADS)
    peak = {}
    for slots in (1, 2, 4):
        daemon = Daemon(binary, f"engine.slots = {slots}", model.parent, name)
        options = {**OPTIONS, "temperature": [0], "vad": False}
        tasks = [daemon.upload(URGENT, options=options) for _ in range(slots)]
        memory = {"VmRSS": 0}
        while any(daemon.get(f"/api/tasks/{task}")["status"] in ("queued", "processing") for task in tasks):
            try:
                memory = max(memory, memory_mib(daemon.engine_pid()), key=lambda memory: memory["VmRSS"])
            except (ValueError, KeyError, FileNotFoundError):
                pass  # It is not there yet.
            time.sleep(0.05)
        for task in tasks:
            daemon.end(task)
        daemon.stop()
        peak[slots] = memory
    shown = ", ".join(f"{each['VmRSS']:.0f}" for each in peak.values())
    parts = "{RssAnon:.0f} of its own + {RssFile:.0f} of files".format(**peak[4])
    note("  engine with 1, 2, 4 slots, base dimensions", f"{shown} MiB RSS (the last: {parts})")
    note("  whisper.cpp alone", "weights {weights_mib:.0f} MiB, a state {state_mib:.0f} MiB".format(**alone))
    # A copy of the weights for each slot would make it 1.4 here.
    row(what, peak[4]["VmRSS"] / (alone["weights_mib"] + 4 * alone["state_mib"]), "×", 1.1)


def throughput(binary, size, clips):
    """Clips of 5 to 40 s through the daemon, and their windows given straight to an engine process."""
    what = f"{clips} clips through the daemon / the slot's raw throughput, {size or 'smoke'}"
    try:
        model = lab.smoke(size)
    except lab.Unavailable as reason:
        return skipped(what, reason)
    with tempfile.TemporaryDirectory() as folder:
        files = cut(pathlib.Path(folder), clips, 5, 40)
        daemon = Daemon(binary, "", model.parent, model.stem.removeprefix("ggml-"))
        daemon.end(daemon.upload(URGENT))  # loads the model
        begun = time.monotonic()
        tasks = [daemon.upload(file, options=OPTIONS) for file in files]
        for task in tasks:
            daemon.end(task)
        through = time.monotonic() - begun
        # Every clip has its own length, which tells them apart.
        plans = {fields["samples"]: fields["windows"] for fields in daemon.fields("windows")}
        daemon.stop()
        pcms = [file.with_suffix(".pcm") for file in files]
        samples = lambda paths: sum(path.stat().st_size // 2 for path in paths)
        # Every third clip is enough for a rate: the lengths are as far apart as those of all.
        some = pcms[::3]
        windows = [
            (pcm, *map(int, window.split("-")))
            for pcm in some
            for window in filter(None, plans[samples([pcm])].split(","))
        ]
        engine = EngineProcess(binary, model, slots=1, threads=lab.THREADS)
        engine.recognise(windows[:1])
        raw = samples(some) / RATE / engine.recognise(windows, **OPTIONS)
        engine.stop()
        daemons = samples(pcms) / RATE / through
    note(f"  clips of 5–40 s, {size or 'smoke'}", f"{clips / through:.2f} clips/s, {daemons:.1f} × real time, raw {raw:.1f} ×")
    row(what, daemons / raw, "×", 0.95, at_least=True)


def urgent(binary, clips, times):
    """How long a `high` clip takes behind many `low` ones."""
    with tempfile.TemporaryDirectory() as folder:
        files = cut(pathlib.Path(folder), clips, 20, 30)
        daemon = Daemon(binary)
        daemon.end(daemon.upload(URGENT))  # loads the model
        low = [daemon.upload(file, options=OPTIONS, priority="low") for file in files]
        daemon.end(low[0])
        found = []
        for _ in range(times):
            begun = time.monotonic()
            daemon.end(daemon.upload(URGENT, options=OPTIONS, priority="high"))
            found.append(time.monotonic() - begun)
        left = sum(daemon.get(f"/api/tasks/{task}")["status"] in ("queued", "processing") for task in low)
        assert left, "the queue of low clips ran empty"
        one = max(daemon.inference_ms().values()) / 1000
        for task in low:
            daemon.cancel(task)
        daemon.stop()
    row(f"a high clip behind {clips} low ones (worst of {times}; a low one: {one:.1f} s)", max(found), "s", one + 1)


def cut(folder, clips, shortest, longest):
    """Clips of the English samples one after another, as FLAC and as PCM; no two of the same length."""
    source = folder / "source.pcm"
    total = lab.pcm(ENGLISH, source)
    data = source.read_bytes() * 3
    files = []
    for number in range(clips):
        length = (shortest + number * 7 % (longest - shortest + 1)) * RATE - number
        start = number * 12_345 % total
        file = folder / f"clip-{number:03}.pcm"
        file.write_bytes(data[2 * start : 2 * (start + length)])
        files.append(lab.flac(file.read_bytes(), file.with_suffix(".flac")))
    return files
