#!/usr/bin/env python3
"""Genuine clients of npm send to a running `faultline serve`; what arrived is counted there.

usage: test_clients.py FAULTLINE FOLDER [unittest options]

The packages of tests/clients/package-lock.json are installed into FOLDER by `npm ci`. Without node, npm or a way to the registry the
test says so and ends with 77, which is "skipped".
"""
import hashlib
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

from daemon import Daemon, make_certificates

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "clients"
NO_WAY = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "ENETUNREACH", "E403", "E407", "ENOTCACHED")
FAULTLINE, FOLDER = None, None


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def install(folder):
    """node_modules as the lock says; made once for a lock."""
    lock = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    for program in ("node", "npm"):
        if not shutil.which(program):
            skip(f"{program} is not there")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CLIENTS / name, folder / name)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        why = [line for line in done.stderr.splitlines() if "code" in line][:1] or done.stderr.splitlines()[-1:]
        if any(word in done.stderr for word in NO_WAY):
            skip(f"npm could not install the clients: {' '.join(why)}")
        sys.exit(f"npm ci failed: {done.stderr[-2000:]}")
    stamp.write_text(lock)


OTLP = [("otlp_traces", "span", 3), ("otlp_logs", "log", 4), ("otlp_metrics", "point", 3)]
OTLP_RECEIVED = {"otlp_traces": 3, "otlp_logs": 4, "otlp_metrics": 3}


class Clients(unittest.TestCase):
    maxDiff = None

    def run_client(self, client, daemon, environment=None):
        place = "https://localhost" if daemon.tls else "http://127.0.0.1"  # node warns of addresses as names of servers
        return subprocess.run(["node", str(CLIENTS / "send.cjs"), client, str(daemon.port), f"{place}:{daemon.grpc_ports[0]}"],
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ, "NODE_PATH": str(FOLDER / "node_modules"), **(environment or {})})

    def send(self, client, counted, *options, tls=None, environment=None):
        """What the daemon has of it afterwards, as name{labels} -> value."""
        with Daemon(FAULTLINE, "--listen-grpc", "127.0.0.1:0", *options, tls=tls) as daemon:
            done = self.run_client(client, daemon, environment)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            received = {}
            for protocol, kind, least in counted:
                name = f'faultline_receive_records_total{{protocol="{protocol}",kind="{kind}"}}'
                daemon.wait_for(lambda: daemon.metrics()[name] >= least)
                received[protocol] = daemon.metrics()[name]
            figures = daemon.metrics()
            for name, value in figures.items():
                if name.startswith(("faultline_receive_refused_total", "faultline_receive_lost_total", "faultline_http_refused_total")):
                    self.assertEqual(value, 0, name)
            self.assertEqual(daemon.stop(), 0)
            return received

    def test_opentelemetry_in_each_encoding(self):
        for client in ("otlp-json", "otlp-json-gzip", "otlp-proto", "otlp-proto-gzip", "otlp-grpc", "otlp-grpc-gzip"):
            with self.subTest(client):
                self.assertEqual(self.send(client, OTLP), OTLP_RECEIVED)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not there: no certificates to try TLS with")
    def test_opentelemetry_by_grpc_over_tls(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            make_certificates(folder, "client")
            trust = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(folder / "server.pem")}
            shown = {**trust, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(folder / "client.pem"),
                     "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(folder / "client.key")}
            tls = ssl.create_default_context(cafile=folder / "server.pem")
            tls.load_cert_chain(folder / "client.pem", folder / "client.key")
            config = folder / "faultline.yaml"
            own = "cert_file: server.pem, key_file: server.key"
            config.write_text("listen: {tls: {%s}}\n" % own)
            for client in ("otlp-grpc", "otlp-grpc-gzip"):
                with self.subTest(client):
                    self.assertEqual(self.send(client, OTLP, "--config", str(config), tls=tls, environment=shown), OTLP_RECEIVED)
            config.write_text("listen: {tls: {%s, client_ca_file: authority.pem}}\n" % own)
            self.assertEqual(self.send("otlp-grpc", OTLP, "--config", str(config), tls=tls, environment=shown), OTLP_RECEIVED)
            with Daemon(FAULTLINE, "--listen-grpc", "127.0.0.1:0", "--config", str(config), tls=tls) as daemon:
                done = self.run_client("otlp-grpc", daemon, trust)
                self.assertIn("PERMISSION_DENIED: a client certificate of an authority that is trusted here is needed", done.stderr)
                figures = daemon.metrics()
                self.assertGreaterEqual(figures['faultline_http_refused_total{reason="auth"}'], 1)
                self.assertEqual(figures['faultline_receive_records_total{protocol="otlp_traces",kind="span"}'], 0)

    def test_loggers_that_push_as_to_loki(self):
        for client in ("winston", "winston-proto", "pino"):
            with self.subTest(client):
                self.assertEqual(self.send(client, [("loki", "log", 2)]), {"loki": 2})

    def test_zipkin(self):
        self.assertEqual(self.send("zipkin", [("zipkin", "span", 1)]), {"zipkin": 1})

    def test_pyroscope(self):
        self.assertGreaterEqual(self.send("pyroscope", [("pyroscope", "profile", 2)])["pyroscope"], 2)


if __name__ == "__main__":
    FAULTLINE, FOLDER = pathlib.Path(sys.argv.pop(1)).resolve(), pathlib.Path(sys.argv.pop(1)).resolve()
    install(FOLDER)
    unittest.main()
