"""What trawl itself costs around the engine."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

import lab
from daemon import Daemon, seconds, stamp
from lab import FFMPEG, SAMPLES
from table import note, row, skipped

CLIP = SAMPLES / "en-known-04.flac"


def overhead(binary, clips):
    """Time per task that is neither download, ffmpeg nor inference."""
    daemon = Daemon(binary)
    daemon.end(daemon.upload(CLIP))  # loads the model
    tasks = [daemon.end(daemon.upload(CLIP, options={"no_cache": True})) for _ in range(clips)]
    inference = daemon.inference_ms()
    daemon.stop()
    left = []
    for task in tasks:
        steps = {step["key"]: step for step in task["steps"]}
        total = stamp(task["finished_at"]) - stamp(task["created_at"])
        left.append((total - seconds(steps["text:extract"])) * 1000 - inference[task["id"]])
    row("overhead of the road per task (median)", statistics.median(left), "ms", 50)


def resolve(program):
    """Our own CPU time for one link whose answers are there at once."""
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    medians = json.loads(done.stdout)
    slowest = max(medians, key=medians.get)
    row("CPU time of resolving a typical page (the dearest case's median)", medians[slowest], "ms", 5)
    note("which is", slowest)
    for case in medians:
        note(f"· {case}", f"{medians[case]:.2g} ms")


def command_line(binary, size, runs):
    """`trawl transcribe` of a file against the inference and ffmpeg inside it."""
    what = f"`trawl transcribe` of 7 min / (inference + ffmpeg), {size or 'smoke'}"
    try:
        model = lab.smoke(size)
    except lab.Unavailable as reason:
        return skipped(what, reason)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "c.toml"
        config.write_text(
            f'models.dir = "{model.parent}"\nmodels.default = "{model.stem.removeprefix("ggml-")}"\n'
            f'models.offline = true\nengine.threads = {lab.THREADS}\nlog.level = "trawl=info"\nlog.format = "json"\n'
        )
        long = pathlib.Path(folder) / "long.wav"
        subprocess.run([*FFMPEG, "-stream_loop", "1", "-i", SAMPLES / "long.m4a", long], check=True)
        ratios = []
        for _ in range(runs):
            started = time.monotonic()
            command = [binary, "transcribe", "--config", config, long]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            total = time.monotonic() - started
            lines = [json.loads(line)["fields"] for line in done.stderr.splitlines() if line.startswith("{")]
            inference = sum(fields["inference_ms"] / 1000 for fields in lines if "inference_ms" in fields)
            assert inference > 0, done.stderr
            started = time.monotonic()
            subprocess.run([*FFMPEG, "-i", long, "-ac", "1", "-ar", "16000", "-f", "s16le", os.devnull], check=True)
            ratios.append(total / (inference + time.monotonic() - started))
        row(what, statistics.median(ratios), "×", 1.05)


def memory(binary, mib):
    """Resident memory idle, and while a large upload streams through."""
    daemon = Daemon(binary)
    row("start to first answer", daemon.start_seconds, "s", 1)
    idle = daemon.resident_mib()
    row("idle daemon without a model", idle, "MiB RSS", 60)
    head = b'--bench\r\nContent-Disposition: form-data; name="file"; filename="big.wav"\r\n\r\n'
    tail = b"\r\n--bench--\r\n"
    connection = http.client.HTTPConnection(daemon.host)
    connection.putrequest("POST", "/api/tasks/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=bench")
    connection.putheader("Content-Length", str(len(head) + len(tail) + mib * 2**20))
    connection.endheaders()
    connection.send(head)
    block, peak = os.urandom(2**20), idle
    for _ in range(mib):
        connection.send(block)
        peak = max(peak, daemon.resident_mib())
    connection.send(tail)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 202, body
    peak = max(peak, daemon.resident_mib())
    daemon.stop()
    row(f"a {mib} MiB upload raises it by", peak - idle, "MiB", 50)


def crashes(binary, seconds):
    """How fast the API answers while the engine works on both cores and is killed every second."""
    daemon = Daemon(binary, "queue.max_crashes = 1000")
    tasks = [daemon.upload(SAMPLES / "long.m4a", options={"no_cache": True}) for _ in range(3)]
    waits, kills, begun = [], 0, time.monotonic()
    while (now := time.monotonic()) - begun < seconds:
        if now - begun > kills + 1:
            with contextlib.suppress(ValueError, OSError):  # it is being started again
                os.kill(daemon.engine_pid(), signal.SIGKILL)
            kills += 1
        for path in ("/live", "/api/tasks?limit=10", "/api/devices"):
            asked = time.monotonic()
            daemon.get(path)
            waits.append(1000 * (time.monotonic() - asked))
        time.sleep(0.01)
    for task in tasks:
        daemon.cancel(task)
    daemon.stop()
    note("  median, slowest", f"{statistics.median(waits):.1f}, {max(waits):.1f} ms of {len(waits)} answers, {kills} kills")
    row("an answer of the API while engines are killed (p99)", statistics.quantiles(waits, n=100)[98], "ms", 50)
