"""A daemon to measure."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import lab


class Daemon:
    """A daemon on a free port with an empty database and a log in JSON."""

    def __init__(self, binary, extra="", models=lab.ROOT / "models", model="smoke"):
        self.folder = tempfile.TemporaryDirectory(prefix="trawl-bench-")
        here = pathlib.Path(self.folder.name)
        self.log = here / "log"
        config = here / "bench.toml"
        config.write_text(
            f'server.bind = "127.0.0.1:0"\npaths.data = "{here}/data"\npaths.temp = "{here}/temp"\n'
            f'models.dir = "{models}"\nmodels.default = "{model}"\nmodels.offline = true\n'
            f'log.format = "json"\nlog.level = "info,trawl::transcribe=debug"\nuploads.reserve_bytes = 0\n'
            f"engine.threads = {lab.THREADS}\n{extra}\n"
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

    def upload(self, file, **fields):
        """Gives the task's id. `options` are a dictionary."""
        texts = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in fields.items()}
        part = '--bench\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'.format
        body = "".join(part(name, "") + text + "\r\n" for name, text in texts.items()).encode()
        body += part("file", f'; filename="{file.name}"').encode() + file.read_bytes() + b"\r\n--bench--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=bench"}
        request = urllib.request.Request(f"{self.url}/api/tasks/upload", body, headers)
        return json.load(urllib.request.urlopen(request))["id"]

    def end(self, task):
        """Waits for a task, which must complete."""
        while True:
            answer = self.get(f"/api/tasks/{task}?wait=60")
            if answer["status"] not in ("queued", "processing"):
                assert answer["status"] == "completed", answer
                return answer

    def cancel(self, task):
        """Cancels a task that may have ended."""
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{self.url}/api/tasks/{task}/cancel", b"").close()

    def resident_mib(self):
        return memory_mib(self.process.pid)["VmRSS"]

    def engine_pid(self):
        """The engine process; there must be one."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        is_engine = lambda pid: b"\0engine\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        (pid,) = filter(is_engine, pids)
        return pid

    def fields(self, name):
        """What the log says in lines that have this field."""
        lines = (json.loads(line).get("fields", {}) for line in self.log.read_text().splitlines())
        return [fields for fields in lines if name in fields]

    def inference_ms(self):
        """Task id → milliseconds inside the engine, from the log."""
        return {int(fields["task"]): fields["inference_ms"] for fields in self.fields("inference_ms")}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
        self.folder.cleanup()


def memory_mib(pid):
    """What the kernel says of a process's memory, in MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(kib) / 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", status, re.M)}


def stamp(text):
    """Seconds of a time that the API tells."""
    whole = time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    return whole + float("0" + (re.search(r"\.\d+", text) or ["0"])[0])


def seconds(step):
    """How long a step ran."""
    return stamp(step["finished_at"]) - stamp(step["started_at"])
