#!/usr/bin/env python3
"""Prometheus and vmagent write to a running `faultline serve`, and an Alertmanager tells it of a real alert, until that is resolved.

usage: test_components.py FAULTLINE [unittest options]

The programs are Debian's, on free ports of loopback with private folders. Those that are not there are skipped; where none is, the
test ends with 77, which is "skipped".
"""
import datetime
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Daemon

FAULTLINE = None
PROMETHEUS, ALERTMANAGER, NODE_EXPORTER = "prometheus", "prometheus-alertmanager", "prometheus-node-exporter"
VMAGENT = "vmagent"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A program of a test's own, ended with the test."""

    def __init__(self, *words):
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_until(what, timeout=60):
    end = time.monotonic() + timeout
    while not (value := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return value


def records(daemon, protocol, kind):
    return daemon.metrics()[f'faultline_receive_records_total{{protocol="{protocol}",kind="{kind}"}}']


def lost(daemon, reason):
    return daemon.metrics()[f'faultline_receive_lost_total{{protocol="remote_write",reason="{reason}"}}']


class Components(unittest.TestCase):
    def need(self, *programs):
        for program in programs:
            if not shutil.which(program):
                self.skipTest(f"{program} is not there: scripts/setup --test installs it")

    def check_nothing_was_refused(self, daemon):
        figures = daemon.metrics()
        for reason in ("unsupported", "malformed", "too_large", "overloaded", "failed"):
            self.assertEqual(figures[f'faultline_receive_refused_total{{protocol="remote_write",reason="{reason}"}}'], 0, reason)
        for reason in ("unreadable", "ahead"):
            self.assertEqual(lost(daemon, reason), 0, reason)

    def test_prometheus_writes_what_it_scrapes(self):
        self.need(PROMETHEUS, NODE_EXPORTER)
        node, own = free_port(), free_port()
        with tempfile.TemporaryDirectory() as folder, Daemon(FAULTLINE) as daemon:
            config = pathlib.Path(folder) / "prometheus.yml"
            config.write_text(json.dumps({  # JSON is YAML
                "global": {"scrape_interval": "1s"},
                "remote_write": [{"url": f"http://127.0.0.1:{daemon.port}/api/v1/write",
                                  "metadata_config": {"send": True, "send_interval": "2s"}}],
                "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{node}"]}]},
                                   {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{own}"]}]}]}))
            with Program(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{own}"):
                with Program(NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{node}"):
                    # Some 900 series a second, from about ten seconds after its start.
                    self.assertTrue(wait_until(lambda: records(daemon, "remote_write", "point") > 3000, 90), daemon.metrics())
                # Series of a target that is gone are marked as ended; no sample of them is kept.
                self.assertTrue(wait_until(lambda: lost(daemon, "stale") > 100), daemon.metrics())
            self.check_nothing_was_refused(daemon)

    def test_vmagent_writes_what_it_scrapes(self):
        self.need(VMAGENT, NODE_EXPORTER)
        node, own = free_port(), free_port()
        with tempfile.TemporaryDirectory() as folder, Daemon(FAULTLINE) as daemon:
            config = pathlib.Path(folder) / "scrape.yml"
            config.write_text(json.dumps({"global": {"scrape_interval": "1s"},
                                          "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{node}"]}]}]}))
            with Program(NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{node}"), \
                    Program(VMAGENT, f"-promscrape.config={config}", f"-remoteWrite.url=http://127.0.0.1:{daemon.port}/api/v1/write",
                            f"-remoteWrite.tmpDataPath={folder}/queue", f"-httpListenAddr=127.0.0.1:{own}"):
                self.assertTrue(wait_until(lambda: records(daemon, "remote_write", "point") > 1000, 90), daemon.metrics())
            self.check_nothing_was_refused(daemon)

    def test_alertmanager_tells_of_an_alert_and_of_its_end(self):
        self.need(ALERTMANAGER)
        port = free_port()
        with tempfile.TemporaryDirectory() as folder, Daemon(FAULTLINE) as daemon:
            config = pathlib.Path(folder) / "alertmanager.yml"
            config.write_text(json.dumps({
                "route": {"receiver": "faultline", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"},
                "receivers": [{"name": "faultline", "webhook_configs": [
                    {"url": f"http://127.0.0.1:{daemon.port}/v1/webhooks/alertmanager", "send_resolved": True}]}]}))
            with Program(ALERTMANAGER, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address=",
                         f"--web.listen-address=127.0.0.1:{port}"):
                self.assertTrue(wait_until(lambda: ask(port, "GET", "/-/ready") == 200))
                now = datetime.datetime.now(datetime.timezone.utc)
                alert = [{"labels": {"alertname": "CartIsSlow", "service": "cart", "severity": "critical"},
                          "annotations": {"summary": "p99 over 2 s"}, "startsAt": now.isoformat(),
                          "endsAt": (now + datetime.timedelta(seconds=4)).isoformat()}]
                self.assertEqual(ask(port, "POST", "/api/v2/alerts", json.dumps(alert)), 200)
                self.assertTrue(wait_until(lambda: records(daemon, "alertmanager", "alert") >= 1), "never fired")
                self.assertTrue(wait_until(lambda: records(daemon, "alertmanager", "alert") >= 2), "never resolved")
            self.assertEqual(daemon.metrics()['faultline_receive_refused_total{protocol="alertmanager",reason="malformed"}'], 0)


if __name__ == "__main__":
    FAULTLINE = pathlib.Path(sys.argv.pop(1)).resolve()
    if not any(shutil.which(program) for program in (PROMETHEUS, ALERTMANAGER, VMAGENT)):
        print("skipped: none of prometheus, prometheus-alertmanager and vmagent is there; scripts/setup --test installs them")
        sys.exit(77)
    unittest.main()
