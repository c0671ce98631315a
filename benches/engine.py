"""An engine process, spoken to in its own protocol: what its slots can do when nothing is around them."""

import json
import os
import subprocess
import time


class EngineProcess:
    """`trawl engine`, ready."""

    def __init__(self, binary, model, slots=1, threads=1, device="cpu"):
        command = [binary, "engine", "--model", model, "--model-name", "bench", "--device", device]
        command += ["--slots", str(slots), "--threads", str(threads)]
        environment = os.environ | {"GOMP_SPINCOUNT": "1000"}  # as the daemon starts it
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.slots = slots
        ready = json.loads(self.process.stdout.readline())
        assert ready["type"] == "ready", ready

    def recognise(self, windows, **options):
        """Does (PCM file, first sample, last sample) with all slots busy until the list is empty; gives the seconds."""
        begun = time.monotonic()
        waiting = list(enumerate(windows))[::-1]
        running = 0
        while waiting or running:
            while waiting and running < self.slots:
                number, (pcm, start, end) = waiting.pop()
                window = {"id": number, "pcm": str(pcm), "range": {"start": start, "end": end}, "previous": ""}
                self.send({"type": "recognise", "language": "en", "options": options, **window})
                running += 1
            event = json.loads(self.process.stdout.readline())
            assert event["type"] != "failed", event
            running -= event["type"] == "done"
        return time.monotonic() - begun

    def send(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.send({"type": "shutdown"})
        self.process.wait(60)
