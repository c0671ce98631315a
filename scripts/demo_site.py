#!/usr/bin/env python3
"""The world outside trawl, for the demo: a page with a clip, and a receiver of callbacks.

    demo_site.py CLIP SECRET URL_FILE

Serves on a free port of the loopback address and writes its address to URL_FILE. The receiver checks each signature by
itself, as any receiver should (https://www.standardwebhooks.com). GET /received waits for the first callback and
answers its body, or 422 with what is wrong with it.
"""

import base64
import hashlib
import hmac
import http.server
import os
import pathlib
import sys
import threading
import time

CLIP, SECRET, URL_FILE = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
PAGE = f"""<!doctype html>
<html lang="en">
<title>A short remark about music</title>
<h1>A short remark about music</h1>
<audio controls src="{CLIP.name}"></audio>
"""
PATIENCE = 60
received = threading.Event()
outcome = (422, b"no callback came")


def verify(headers, body):
    """Raises ValueError unless the sender knows the secret, said exactly this, and said it now."""
    sender, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sender or not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        raise ValueError("webhook-id or webhook-timestamp is missing or old")
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{sender}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    signatures = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(expected, signature) for signature in signatures):
        raise ValueError("no signature in webhook-signature is right")


class Site(http.server.BaseHTTPRequestHandler):
    """Three things to get, one to post to."""

    def do_GET(self):
        if self.path == "/page.html":
            self.answer(200, "text/html; charset=utf-8", PAGE.encode())
        elif self.path == f"/{CLIP.name}":
            self.answer(200, "audio/flac", CLIP.read_bytes())
        elif self.path == "/received":
            received.wait(PATIENCE)
            self.answer(outcome[0], "application/json", outcome[1])
        else:
            self.answer(404, "text/plain", b"not here\n")

    do_HEAD = do_GET

    def do_POST(self):
        global outcome
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            verify(self.headers, body)
            outcome = (200, body)
            self.answer(204, None, b"")
        except ValueError as error:
            outcome = (422, str(error).encode())
            self.answer(401, "text/plain", str(error).encode())
        received.set()

    def answer(self, status, content_type, body):
        self.send_response(status)
        if content_type:
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
ready = URL_FILE.with_suffix(".new")
ready.write_text(f"http://127.0.0.1:{server.server_port}\n")
os.replace(ready, URL_FILE)
server.serve_forever()
