#!/usr/bin/env python3
"""What trawl itself costs, measured on the release binary with the smoke model. `make bench` builds and runs it.

Prints a table: figure, what is asked, whether it holds. Ratios come from one run. Nothing but loopback is used.

    benches/run.py [--quick] [--binary target/release/trawl]
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "models" / "smoke" / "samples"
CLIP = SAMPLES / "en-known-04.flac"
rows = []


def row(what, value, unit, limit, at_least=False):
    holds = value >= limit if at_least else value <= limit
    rows.append((what, f"{value:.3g} {unit}", f"{'≥' if at_least else '≤'} {limit:g} {unit}", "yes" if holds else "NO"))


class Daemon:
    """A daemon on a free port with an empty database and a log in JSON."""

    def __init__(self, binary, extra=""):
        self.folder = tempfile.TemporaryDirectory(prefix="trawl-bench-")
        here = pathlib.Path(self.folder.name)
        self.log = here / "log"
        config = here / "bench.toml"
        config.write_text(
            f'server.bind = "127.0.0.1:0"\npaths.data = "{here}/data"\npaths.temp = "{here}/temp"\n'
            f'models.dir = "{ROOT}/models"\nmodels.default = "smoke"\nmodels.offline = true\n'
            f'log.format = "json"\nuploads.reserve_bytes = 0\n{extra}\n'
        )
        started = time.monotonic()
        with self.log.open("w") as log:
            self.process = subprocess.Popen([binary, "serve", "--config", str(config)], stderr=log)
        url = here / "data" / "url"
        while True:
            with contextlib.suppress(OSError):
                if text := url.read_text():
                    urllib.request.urlopen(f"{text}/live").read()
                    break
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.002)
        self.start_seconds = time.monotonic() - started
        self.url = text
        self.host = text.removeprefix("http://")

    def get(self, path):
        return json.load(urllib.request.urlopen(f"{self.url}{path}"))

    def upload(self, file):
        boundary = "bench"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        request = urllib.request.Request(
            f"{self.url}/api/tasks/upload", body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
        return json.load(urllib.request.urlopen(request))["id"]

    def end(self, task):
        while True:
            answer = self.get(f"/api/tasks/{task}?wait=60")
            if answer["status"] not in ("queued", "processing"):
                assert answer["status"] == "completed", answer
                return answer

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def inference_ms(self):
        """Task id → milliseconds inside the engine, from the log."""
        found = {}
        for line in self.log.read_text().splitlines():
            fields = json.loads(line).get("fields", {})
            if "inference_ms" in fields:
                found[int(fields["task"])] = fields["inference_ms"]
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        self.folder.cleanup()


def seconds(step):
    """How long a step ran."""
    parse = lambda text: time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    whole = lambda text: time.mktime(parse(text)) + float("0" + (re.search(r"\.\d+", text) or ["0"])[0])
    return whole(step["finished_at"]) - whole(step["started_at"])


def overhead(binary, clips):
    """Time per task that is neither download, ffmpeg nor inference."""
    daemon = Daemon(binary)
    daemon.end(daemon.upload(CLIP))  # loads the model
    tasks = []
    for _ in range(clips):
        task = daemon.end(daemon.upload(CLIP))
        tasks.append(task)
    inference = daemon.inference_ms()
    daemon.stop()
    left = []
    for task in tasks:
        steps = {step["key"]: step for step in task["steps"]}
        total = seconds({"started_at": task["created_at"], "finished_at": task["finished_at"]})
        left.append((total - seconds(steps["text:extract"])) * 1000 - inference[task["id"]])
    row("overhead of the road per task (median)", statistics.median(left), "ms", 50)


def busy_engine(binary, clips):
    """How much of the time the engine works while clips are queued."""
    daemon = Daemon(binary)
    daemon.end(daemon.upload(CLIP))
    names = ["en-known-02.flac", "en-known-14.flac", "zh-known-03.flac", "en-new-22.m4a", "zh-new-07.mp3"]
    ids = [daemon.upload(SAMPLES / names[index % len(names)]) for index in range(clips)]
    tasks = [daemon.end(task) for task in ids]
    inference = daemon.inference_ms()
    daemon.stop()
    step = lambda task: next(step for step in task["steps"] if step["key"] == "text")
    stamp = lambda text: seconds({"started_at": "1970-01-02T00:00:00", "finished_at": text})
    # The first clips are decoded while nothing is there to recognise: count from the first inference on.
    begin = min(stamp(step(task)["started_at"]) for task in tasks)
    end = max(stamp(step(task)["finished_at"]) for task in tasks)
    working = sum(inference[task] for task in ids) / 1000
    row(f"engine idle over {clips} queued clips", 100 * (1 - working / (end - begin)), "%", 5)


def command_line(binary, runs):
    """`trawl transcribe` of a file against the inference and ffmpeg inside it."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "c.toml"
        config.write_text(f'models.dir = "{ROOT}/models"\nmodels.default = "smoke"\nmodels.offline = true\nlog.level = "info"\nlog.format = "json"\n')
        config.write_text(config.read_text().replace('"info"', '"trawl=info"'))
        long = pathlib.Path(folder) / "long.wav"
        ffmpeg = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]
        subprocess.run([*ffmpeg, "-stream_loop", "1", "-i", str(SAMPLES / "long.m4a"), str(long)], check=True)
        ratios = []
        for _ in range(runs):
            started = time.monotonic()
            done = subprocess.run([binary, "transcribe", "--config", str(config), str(long)], capture_output=True, text=True, check=True)
            total = time.monotonic() - started
            inference = sum(
                fields["inference_ms"] / 1000
                for line in done.stderr.splitlines() if line.startswith("{")
                for fields in [json.loads(line)["fields"]] if "inference_ms" in fields
            )
            assert inference > 0, done.stderr
            started = time.monotonic()
            subprocess.run([*ffmpeg, "-i", str(long), "-ac", "1", "-ar", "16000", "-f", "s16le", os.devnull], check=True)
            ratios.append(total / (inference + time.monotonic() - started))
        row("`trawl transcribe` of 7 min / (inference + ffmpeg)", statistics.median(ratios), "×", 1.05)


def memory(binary, mib):
    """Resident memory idle, and while a large upload streams through."""
    daemon = Daemon(binary)
    row("start to first answer", daemon.start_seconds, "s", 1)
    idle = daemon.resident_mib()
    row("idle daemon without a model", idle, "MiB RSS", 60)
    boundary = "bench"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.wav"\r\n\r\n'.encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    connection = http.client.HTTPConnection(daemon.host)
    connection.putrequest("POST", "/api/tasks/upload")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--binary", default=str(ROOT / "target" / "release" / "trawl"))
    args = parser.parse_args()
    memory(args.binary, 64 if args.quick else 1024)
    overhead(args.binary, 5 if args.quick else 40)
    busy_engine(args.binary, 10 if args.quick else 100)
    command_line(args.binary, 1 if args.quick else 3)
    widths = [max(len(line[column]) for line in rows) for column in range(4)]
    for line in rows:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    sys.exit(any(line[3] == "NO" for line in rows))


if __name__ == "__main__":
    main()
