"""A `faultline serve` of a test's own: free ports of loopback, a private folder, ended with the test."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time


class Daemon:
    """Used with `with`. `ports` follow the order of the addresses; `said` is what it wrote to standard error."""

    def __init__(self, faultline, *options, listen=("127.0.0.1:0",), data=None, environment=None, prefix=(), tls=None):
        self.tls = tls  # an ssl.SSLContext: every listener speaks TLS
        self.folder = tempfile.TemporaryDirectory(prefix="faultline-serve-")
        self.data = pathlib.Path(data or self.folder.name) / "archive"
        words = [*prefix, str(faultline), "serve", "--data", str(self.data)]
        for address in listen:
            words += ["--listen", address]
        own = {**os.environ, "XDG_STATE_HOME": self.folder.name, "HOME": self.folder.name, **(environment or {})}
        self.said, self.ports, self.grpc_ports, self.is_ready = "", [], [], threading.Event()
        self.process = subprocess.Popen([*words, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, env=own)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.is_ready.wait(60) or self.process.poll() is not None:
            self.kill()
            raise AssertionError("the daemon did not become ready: " + self.said)
        self.port = self.ports[0] if self.ports else None

    def _read(self):
        for line in self.process.stderr:
            self.said += line
            found = re.match(r"faultline: listening on (?:\S+, port |\S+:)(\d+)(, for gRPC)?$", line.strip())
            if found and found.group(2):
                self.grpc_ports.append(int(found.group(1)))
            elif found:
                self.ports.append(int(found.group(1)))
            if line.strip() == "faultline: ready":
                self.is_ready.set()
        self.is_ready.set()

    def ask(self, method, path, body=None, headers=None, port=None):
        """(status, headers, body) of one request on a connection of its own."""
        place = "127.0.0.1", port or self.port
        connection = http.client.HTTPSConnection(*place, timeout=60, context=self.tls) if self.tls else http.client.HTTPConnection(*place, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.ask("GET", "/v1/status")[2])

    def metrics(self):
        """name{labels} -> value"""
        lines = self.ask("GET", "/metrics")[2].decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def stop(self, number=signal.SIGTERM, timeout=60):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout)
        self.reader.join(10)
        return code

    def kill(self):
        """As `kill -9`; the folder stays until the end of the test."""
        self.process.kill()
        self.process.wait(60)
        self.reader.join(10)

    def wait_for(self, what, timeout=30):
        """Until what() is true; the last value otherwise."""
        end = time.monotonic() + timeout
        while not (value := what()) and time.monotonic() < end:
            time.sleep(0.02)
        return value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.stderr.close()
        self.folder.cleanup()


def make_certificates(folder, *clients):
    """server.pem for 127.0.0.1 and authority.pem, both of their own; NAME.pem of the authority for each client; with their .key."""
    make = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for who in ("server", "authority"):
        make("req", "-x509", *curve, "-keyout", who + ".key", "-out", who + ".pem", "-days", "2", "-subj", "/CN=" + who,
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    for who in clients:
        make("req", *curve, "-keyout", who + ".key", "-out", who + ".csr", "-subj", "/CN=" + who)
        make("x509", "-req", "-in", who + ".csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-out", who + ".pem",
             "-days", "2")
