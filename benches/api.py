"""How the API does with many tasks, many viewers and many idle clients."""

import contextlib
import http.client
import json
import pathlib
import random
import resource
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import lab
from daemon import Daemon
from lab import SAMPLES
from table import note, row, skipped

CLIP, LONG = SAMPLES / "en-known-04.flac", SAMPLES / "long.m4a"
# What systemd and most shells let a program open.
FEW_FILES = 1024


def busy(binary, stored, gets, posts):
    """GET and POST of tasks while the engine has more to do than it can and so many tasks are stored."""
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as folder, empty_site(folder) as site:
        database = pathlib.Path(folder) / "trawl.db"
        extra = f'database.url = "sqlite:{database}"\nnet.allow_hosts = ["{site}"]'
        daemon = Daemon(binary, extra)
        original = daemon.end(daemon.upload(CLIP))
        daemon.stop()
        multiply(database, original["id"], stored)
        model = large_model()
        daemon = Daemon(binary, extra, model.parent, model.stem.removeprefix("ggml-"))
        note(f"  start with {stored:,} tasks, all of which are read for the search", f"{daemon.start_seconds:.1f} s")
        client = http.client.HTTPConnection(daemon.host)
        chance = random.Random(6)
        check_copies(client, original, stored)

        low = {"options": {"no_cache": True}, "priority": "low"}
        work = [daemon.upload(LONG, **low)]
        is_heard = lambda step: step["key"] == "text" and step["progress"]
        while not any(map(is_heard, (first := daemon.get(f"/api/tasks/{work[0]}"))["steps"])):
            time.sleep(0.05)
        again = {"media_id": first["media"]["id"], **low}
        work += [ask(client, "POST", "/api/tasks", again)[1]["id"] for _ in range(40)]

        engine, taken = daemon.engine_pid(), {"GET": [], "POST": []}
        begun, used = time.monotonic(), cpu_seconds(engine)
        for number in range(posts):
            link = f"http://{site}/{number}.mp4"
            took, posted = ask(client, "POST", "/api/tasks", {"link": link, "priority": "low"})
            taken["POST"].append(took)
            for _ in range(gets // posts):
                id = chance.randrange(original["id"], original["id"] + stored)
                took, task = ask(client, "GET", f"/api/tasks/{id}")
                assert task["result"] == original["result"], task
                taken["GET"].append(took)
            time.sleep(0.01)
        lasted = time.monotonic() - begun
        cores = (cpu_seconds(engine) - used) / lasted

        lists = {path: ask(client, "GET", path) for path in ("/api/tasks?limit=20", "/api/tasks?limit=20&q=the")}
        left = sum(daemon.get(f"/api/tasks/{task}")["status"] in ("queued", "processing") for task in work)
        assert left, "the engine ran out of work"
        for task in work:
            daemon.cancel(task)
        ended = daemon.get(f"/api/tasks/{posted['id']}?wait=60")
        assert ended["error"]["code"] == "source_not_found", ended
        daemon.stop()
    note("  cores that the engine used meanwhile", f"{cores:.2f} of {lab.THREADS}")
    note("  POSTed links", "lead to a server here that answers 404: each task ends by itself")
    for path, (took, page) in lists.items():
        note(f"  GET {path}", f"{took:.1f} ms for a page of {page['total']:,}")
    for method, path, limit in (("GET", "/api/tasks/{id}", 10), ("POST", "/api/tasks", 30)):
        times = taken[method]
        note("  median, slowest", f"{statistics.median(times):.1f}, {max(times):.1f} ms of {len(times)} answers")
        row(f"{method} {path}, engine busy, {stored:,} tasks stored (p99)", p99(times), "ms", limit)


def large_model():
    """One that keeps the cores busy, if it can be made here."""
    try:
        return lab.smoke("base")
    except lab.Unavailable as reason:
        note("  the engine's model is small", str(reason))
        return lab.SMOKE


def check_copies(client, original, stored):
    """The daemon must take the copies for tasks of its own."""
    _, page = ask(client, "GET", "/api/tasks?limit=1")
    assert page["total"] == stored, page
    last = page["items"][0]["id"]
    _, page = ask(client, "GET", f"/api/tasks?limit=1&cursor={page['next_cursor']}")
    assert page["items"][0]["id"] == last - 1, page
    _, copy = ask(client, "GET", f"/api/tasks/{last}")
    assert copy["result"] == original["result"] and len(copy["steps"]) == len(original["steps"]), copy
    _, page = ask(client, "GET", f"/api/tasks?limit=1&q={original['result']['text'].split()[0]}")
    assert page["total"] == stored, page


def multiply(database, task, count):
    """Copies the one task that is stored, with all that hangs on it, until there are so many."""
    base = sqlite3.connect(database)
    base.execute("PRAGMA synchronous = OFF")
    top = lambda table: base.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
    new = {
        "tasks": {"id": "id + n", "link": "link || '#' || n"},
        "steps": {"id": "substr(id, 1, 24) || printf('%012x', 16 * n + position)", "task_id": "task_id + n"},
        "transcripts": {"id": f"id + {top('transcripts')} * n", "task_id": "task_id + n"},
        "events": {"id": f"id + {top('events')} * n", "task_id": "task_id + n"},
        "task_media": {"task_id": "task_id + n"},
    }
    for table, changed in new.items():
        names = [name for _, name, *_ in base.execute(f"PRAGMA table_info({table})")]
        columns = ", ".join(f'"{name}"' for name in names)
        values = ", ".join(changed.get(name, f'"{name}"') for name in names)
        base.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ? - 1) "
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM numbers CROSS JOIN (SELECT * FROM {table} "
            f"WHERE {'id' if table == 'tasks' else 'task_id'} = ?)",
            (count, task),
        )
    # As a migration does it: the daemon then writes the words of all rows, which SQLite of Python may not know how to.
    base.execute("INSERT INTO cursors (name, position) VALUES ('unsearched', 0)")
    base.commit()
    base.close()


@contextlib.contextmanager
def empty_site(folder):
    """`host:port` of a web server, a process of its own, that has nothing."""
    root = pathlib.Path(folder) / "site"
    root.mkdir()
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", root]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield "127.0.0.1:" + server.stdout.readline().split(" port ")[1].split()[0]
    finally:
        server.kill()
        server.wait()


def streams(binary, clients):
    """Memory of many live views, idle and while a task's events go to all of them."""
    daemon = Daemon(binary, "server.max_connections_per_address = 0")
    daemon.end(daemon.upload(CLIP))
    before = daemon.resident_mib()
    views = [connect(daemon, "/api/events") for _ in range(clients)]
    texts = {view: view.recv(65536) for view in views}
    assert all(text.startswith(b"HTTP/1.1 200 ") for text in texts.values())
    used, begun, sizes = cpu_seconds(daemon.process.pid), time.monotonic(), []
    while time.monotonic() - begun < 3:
        sizes.append(daemon.resident_mib())
        time.sleep(0.1)
    idle = max(sizes) - before
    cores = (cpu_seconds(daemon.process.pid) - used) / (time.monotonic() - begun)

    task = daemon.upload(CLIP, options={"no_cache": True})
    waiting, begun, heard = selectors.DefaultSelector(), time.monotonic(), []
    for view in views:
        waiting.register(view, selectors.EVENT_READ)
    while waiting.get_map():
        assert time.monotonic() - begun < 60, f"{len(waiting.get_map())} views have not heard that the task has ended"
        for key, _ in waiting.select(0.1):
            piece = key.fileobj.recv(65536)
            assert piece, "a view has ended"
            texts[key.fileobj] += piece
            if has_ended(texts[key.fileobj], task):
                waiting.unregister(key.fileobj)
                heard.append(time.monotonic())
        sizes.append(daemon.resident_mib())
    for view in views:
        view.close()
    daemon.stop()
    note("  server.max_connections_per_address", "none here; otherwise 64, of which this machine's own are not counted")
    note(f"  {clients} idle ones", f"{idle:.1f} MiB, {cores:.2f} cores")
    note("  the last of them hears of a task's end", f"{1000 * (heard[-1] - heard[0]):.0f} ms after the first")
    row(f"{clients} views of all events raise the daemon by", max(sizes) - before, "MiB", 50)


def has_ended(text, task):
    """Whether a view has told that the task is complete."""
    lines = (line.removeprefix(b"data:") for line in text.splitlines() if line.startswith(b"data:"))
    return any(f'"task_id":{task},'.encode() in line and b'"status":"completed"' in line for line in lines)


def idle(binary, count):
    """What idle connections cost, and whether others are answered meanwhile."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    what = f"GET /live beside {count:,} idle connections (p99)"
    if most < count + 500:
        return skipped(what, f"a process may open {most} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        daemon = Daemon(binary, f"server.max_connections = {count + 100}\nserver.max_connections_per_address = 0")
        before = daemon.resident_mib()
        # One that has never asked anything is closed when the time for a head is over, these live for two minutes.
        others = [connect(daemon, "/live", f"127.0.1.{number % 100 + 1}") for number in range(count)]
        assert all(other.recv(4096).startswith(b"HTTP/1.1 200 ") for other in others)
        grown = daemon.resident_mib() - before
        client, times = http.client.HTTPConnection(daemon.host, source_address=("127.0.2.1", 0)), []
        for number in range(1000):
            if number % 10 == 0:
                client.close()
            times.append(ask(client, "GET", "/live")[0])
        alive = sum(is_open(other) for other in others)
        client.close()
        for other in others:
            other.close()
        daemon.stop()
        few_files(binary)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    note("  server.max_connections", f"{count + 100:,} here, otherwise 1,024")
    note("  they raise the daemon by", f"{grown:.0f} MiB, {1024 * grown / count:.1f} KiB each")
    row("  of them are still open afterwards", alive, "", count, at_least=True, digits=len(str(count)))
    row(what, p99(times), "ms", 10)


def few_files(binary):
    """A daemon as it comes that may open no more files than it may have connections: do idle ones take them all?"""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, limits[1]))
    daemon = Daemon(binary)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    own = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)[0]
    others = [connect(daemon, "/live", "127.0.1.1") for _ in range(FEW_FILES)]
    begun = time.monotonic()
    client = http.client.HTTPConnection(daemon.host, timeout=10, source_address=("127.0.2.1", 0))
    with contextlib.suppress(OSError):
        ask(client, "GET", "/live")
    took = time.monotonic() - begun
    for other in others:
        other.close()
    client.close()
    daemon.end(daemon.upload(CLIP))
    daemon.stop()
    note(f"  started with {FEW_FILES:,} files it may open", f"{own:,}")
    row(f"a new client beside {len(others):,} idle ones, {FEW_FILES:,} files, default limits", took, "s", 5)


def connect(daemon, path, source=""):
    """A connection on which this was asked."""
    host, port = daemon.host.split(":")
    connection = socket.create_connection((host, int(port)), 60, (source, 0) if source else None)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {daemon.host}\r\n\r\n".encode())
    return connection


def is_open(connection):
    """Whether the other end has not closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def ask(client, method, path, body=None):
    """Milliseconds until the whole answer was here, and the answer."""
    begun = time.perf_counter()
    client.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} if body else {})
    answer = client.getresponse()
    text = answer.read()
    took = 1000 * (time.perf_counter() - begun)
    assert answer.status in (200, 202), text
    return took, json.loads(text)


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def cpu_seconds(pid):
    """What a process has used of the CPU."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
