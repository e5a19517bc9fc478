#!/usr/bin/env python3
"""A server with the manners of good and bad ones, for the tests of ingest/fetch and ingest/pull.

usage: fetch_server.py [FOLDER]     prints its port, serves until its standard input ends

With FOLDER, its files are served below /files/.
"""
import collections
import gzip
import http.server
import pathlib
import socket
import struct
import sys
import threading
import time
import urllib.parse

INDEX = b"""<html><head><title>/debug/pprof/</title></head><body>
<tr><td>3</td><td><a href='allocs?debug=1'>allocs</a></td></tr>
<tr><td>3</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>
<tr><td>3</td><td><a href='heap?debug=1'>heap</a></td></tr>
<a href="goroutine?debug=2">full goroutine stack dump</a></body></html>"""
LOGIN = b"<!DOCTYPE html>\n<HTML><head><title>\n Sign in \x1b[31m</title></head>Name:</html>"
FOLDER = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None

# How often a path with its query was asked, and when: for those that behave after some failures.
HITS = collections.Counter()
TIMES = collections.defaultdict(list)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind="application/octet-stream", code=200, **headers):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, to):
        self.answer(b"", code=302, Location=to)

    def drip(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(60):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.5)

    def endless(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"x" * 65536)

    def announced(self):
        self.send_response(200)
        self.send_header("Content-Length", str(10 << 30))
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"x")
        time.sleep(5)

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"half")

    def fails_first(self):
        """/fails-first?key=K&times=N&how=503|reset|cut[&after=S]: N failures, then "at last"."""
        ask = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
        HITS[ask["key"]] += 1
        TIMES[ask["key"]].append(time.monotonic())
        if HITS[ask["key"]] > int(ask["times"]):
            return self.answer(b"at last")
        if ask["how"] == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        if ask["how"] == "cut":
            return self.cut()
        more = {"Retry_After": ask["after"]} if "after" in ask else {}
        return self.answer(b"not now", "text/plain", int(ask["how"]), **more)

    def hits(self):
        """/hits?key=K: how often it was asked, and the seconds between the first two."""
        key = self.path.partition("key=")[2]
        times = TIMES[key]
        gap = times[1] - times[0] if len(times) > 1 else 0
        self.answer(b"%d %d" % (HITS[key], gap))

    def do_GET(self):
        path = self.path.split("?")[0]
        plain = {
            "/debug/pprof/": lambda: self.answer(INDEX, "text/html; charset=utf-8"),
            "/app/debug/pprof/": lambda: self.answer(INDEX, "text/html; charset=utf-8"),
            "/ops/profiles/": lambda: self.answer(INDEX, "text/html; charset=utf-8"),
            "/walled/debug/pprof/": lambda: self.answer(b"no\r\nx", "text/plain", 403),
            "/moved/debug/pprof/": lambda: self.redirect("/debug/pprof/"),
            "/zip": lambda: self.answer(gzip.compress(b"profile")),
            "/encoded": lambda: self.answer(gzip.compress(b"profile"), Content_Encoding="gzip"),
            "/bomb": lambda: self.answer(gzip.compress(bytes(100 << 20))),
            "/half-zip": lambda: self.answer(gzip.compress(b"profile" * 99)[:20]),
            "/login": lambda: self.answer(LOGIN, "text/html"),
            "/hidden-login": lambda: self.answer(LOGIN),
            "/401": lambda: self.answer(LOGIN, "text/html", 401),
            "/500": lambda: self.answer(b"Could not enable CPU profiling: in use\nx", "text/plain", 500),
            "/empty": lambda: self.answer(b""),
            "/loop": lambda: self.redirect("/loop"),
            "/hop3": lambda: self.redirect("/hop2"),
            "/hop2": lambda: self.redirect("/hop1"),
            "/hop1": lambda: self.redirect("/zip"),
            "/to-https": lambda: self.redirect("https://127.0.0.1:1/"),
            "/to-file": lambda: self.redirect("file:///etc/hostname"),
            "/to-host": lambda: self.redirect(f"http://localhost:{server.server_address[1]}/zip"),
            "/to-port": lambda: self.redirect("http://127.0.0.1:1/zip"),
            "/to-nowhere": lambda: self.answer(b"", code=302),
            "/fails-first": self.fails_first,
            "/hits": self.hits,
            "/slow": lambda: (time.sleep(0.3), self.answer(b"slow")),
            "/tenant": lambda: self.answer(self.headers.get("X-Scope-OrgID", "nobody").encode()),
            "/asks": lambda: self.answer(self.headers.get("Accept-Encoding", "").encode()),
            "/drip": self.drip,
            "/endless": self.endless,
            "/announced": self.announced,
            "/cut": self.cut,
            "/silent": lambda: time.sleep(30),
            "/who": lambda: self.answer(self.headers.get("Authorization", "nobody").encode()),
        }
        if path in plain:
            plain[path]()
        elif path.startswith("/debug/pprof/") or path.startswith("/echo"):
            self.answer(self.path.encode(), "text/plain")
        elif FOLDER is not None and path.startswith("/files/") and (FOLDER / path[7:]).is_file():
            self.answer((FOLDER / path[7:]).read_bytes())
        else:
            self.answer(b"404 page not found\n", "text/plain", 404)

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
