#!/usr/bin/env python3
"""What senders send to a running `faultline serve`: recorded payloads in every way they may come, repetitions, `kill -9`.

usage: test_receive.py FAULTLINE [unittest options]     (FL_LONG=1: a hundred kills)

The recordings of more clients are found by FL_SHARED or beside the tree; without them those tests are skipped.
"""
import gzip
import http.client
import json
import os
import pathlib
import sys
import threading
import time
import unittest

from daemon import Daemon

FAULTLINE = ""
ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
SAMPLES = pathlib.Path(os.environ.get("FL_SHARED", ROOT.parent / "shared")) / "samples"
JSON, PROTO = "application/json", "application/x-protobuf"

# fixture, path, headers, status, protocol and kind in /metrics, records
PAYLOADS = [
    ("otlp/traces.json", "/v1/traces", {"Content-Type": JSON}, 200, "otlp_traces", "span", 10),
    ("otlp/traces_2.pb", "/v1/traces", {"Content-Type": PROTO}, 200, "otlp_traces", "span", None),
    ("otlp/logs.json", "/v1/logs", {"Content-Type": JSON}, 200, "otlp_logs", "log", 5),
    ("otlp/logs_sdk.pb", "/v1/logs", {"Content-Type": PROTO}, 200, "otlp_logs", "log", 5),
    ("otlp/metrics.json", "/v1/metrics", {"Content-Type": JSON}, 200, "otlp_metrics", "point", 5),
    ("receivers/remote_write_1.snappy", "/api/v1/write", {"Content-Type": PROTO, "Content-Encoding": "snappy"}, 204, "remote_write", "point", 500),
    ("receivers/loki_push_winston.json", "/loki/api/v1/push", {"Content-Type": JSON}, 204, "loki", "log", 1),
    ("receivers/loki_push_winston.snappy", "/loki/api/v1/push", {"Content-Type": PROTO}, 204, "loki", "log", 1),
    ("receivers/loki_push_pino.json", "/loki/api/v1/push", {"Content-Type": JSON}, 204, "loki", "log", 1),
    ("receivers/zipkin_v2_otel.json", "/api/v2/spans", {"Content-Type": JSON}, 202, "zipkin", "span", 1),
    ("receivers/alertmanager_webhook_firing.json", "/v1/webhooks/alertmanager", {"Content-Type": JSON}, 200, "alertmanager", "alert", 1),
]


def in_pieces(body, size=97):
    for at in range(0, len(body), size):
        yield body[at:at + size]


def kept(daemon, protocol, kind):
    return daemon.metrics()[f'faultline_receive_records_total{{protocol="{protocol}",kind="{kind}"}}']


def log_request(text, time_ns):
    record = {"timeUnixNano": str(time_ns), "body": {"stringValue": text}}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


class Receive(unittest.TestCase):
    def test_each_payload_is_taken_in_every_way_it_may_come(self):
        ways = {
            "with a length": lambda body, headers: (body, headers),
            "chunked": lambda body, headers: (in_pieces(body), headers),
            "gzip": lambda body, headers: (gzip.compress(body), {**headers, "Content-Encoding": "gzip"}),
            "gzip, chunked": lambda body, headers: (in_pieces(gzip.compress(body)), {**headers, "Content-Encoding": "gzip"}),
        }
        for way, change in ways.items():
            with Daemon(FAULTLINE) as daemon:
                for name, path, headers, status, protocol, kind, records in PAYLOADS:
                    if "gzip" in way and name.endswith(".snappy"):
                        continue  # a block of its own; two encodings at once nobody sends
                    with self.subTest(way=way, payload=name):
                        before = kept(daemon, protocol, kind)
                        body, sent = change((FIXTURES / name).read_bytes(), dict(headers))
                        answer = daemon.ask("POST", path, body=body, headers=sent)
                        self.assertEqual(answer[0], status, answer[2])
                        if records is not None:
                            self.assertEqual(kept(daemon, protocol, kind) - before, records)
                self.assertEqual(daemon.stop(), 0)

    def test_whatever_was_recorded_of_genuine_clients_is_taken(self):
        if not (SAMPLES / "MANIFEST.json").exists():
            self.skipTest("no recordings: set FL_SHARED")
        wanted = {"/api/v1/write": 204, "/loki/api/v1/push": 204, "/api/v2/spans": 202, "/api/traces": 415}
        sent = 0
        with Daemon(FAULTLINE) as daemon:
            for sample in json.loads((SAMPLES / "MANIFEST.json").read_text()):
                path = sample.get("path") or ""
                if not path or path.startswith("/opentelemetry"):
                    continue
                path = {"/alertmanager": "/v1/webhooks/alertmanager"}.get(path, path)
                headers = {k: v for k, v in sample["request_headers"].items()
                           if k.lower() not in ("host", "connection", "content-length", "transfer-encoding")}
                body = (SAMPLES / sample["file"]).read_bytes()
                is_chunked = "Transfer-Encoding" in sample["request_headers"]
                with self.subTest(sample=sample["file"]):
                    answer = daemon.ask("POST", path, body=in_pieces(body) if is_chunked else body, headers=headers)
                    self.assertEqual(answer[0], wanted.get(path, 200), answer[2])
                    sent += 1
            upload = json.loads((SAMPLES / "pyroscope_ingest.hdr.json").read_text())
            answer = daemon.ask("POST", upload["path"], body=(SAMPLES / "pyroscope_ingest.pprof").read_bytes(),
                                headers={"content-type": upload["headers"]["content-type"]})
            self.assertEqual(answer[0], 200, answer[2])
            self.assertGreater(daemon.metrics()['faultline_archive_bytes{in="profiles"}'], 1000)
        self.assertGreater(sent, 15)

    def test_mistakes_are_answered_as_the_protocol_wants(self):
        with Daemon(FAULTLINE) as daemon:
            status, headers, body = daemon.ask("POST", "/v1/logs", body=b"{", headers={"Content-Type": JSON})
            self.assertEqual((status, headers["Content-Type"]), (400, JSON))
            self.assertEqual(json.loads(body)["code"], 3)
            status, headers, body = daemon.ask("POST", "/v1/logs", body=b"\x0a\x7f", headers={"Content-Type": PROTO})
            self.assertEqual((status, headers["Content-Type"], body[:2]), (400, PROTO, b"\x08\x03"))
            two = {"Content-Type": PROTO + ";proto=io.prometheus.write.v2.Request", "Content-Encoding": "snappy"}
            self.assertEqual(daemon.ask("POST", "/api/v1/write", body=b"", headers=two)[0], 415)
            self.assertEqual(daemon.ask("POST", "/api/v2/spans", body=b"x", headers={"Content-Type": "application/x-thrift"})[0], 415)
            self.assertEqual(daemon.ask("GET", "/v1/logs")[0], 405)
            self.assertEqual(daemon.ask("GET", "/ready")[2], b"ready\n")
            metrics = daemon.metrics()
            self.assertEqual(metrics['faultline_receive_refused_total{protocol="otlp_logs",reason="malformed"}'], 2)
            self.assertEqual(metrics['faultline_receive_refused_total{protocol="remote_write",reason="unsupported"}'], 1)

    def test_a_repeated_export_changes_nothing_also_after_a_restart(self):
        with Daemon(FAULTLINE) as first:
            for name, path, headers, status, *_ in PAYLOADS:
                for _ in range(2):
                    self.assertEqual(first.ask("POST", path, body=(FIXTURES / name).read_bytes(), headers=headers)[0], status)
            metrics = first.metrics()
            # One line of winston's is the same as JSON and as protobuf, and one batch is kept.
            fresh = metrics["faultline_archive_batches_total"]
            self.assertLessEqual(fresh, len(PAYLOADS))
            self.assertEqual(fresh + metrics["faultline_archive_repeated_total"], 2 * len(PAYLOADS))
            first.kill()
            with Daemon(FAULTLINE, data=first.folder.name) as second:
                for name, path, headers, status, *_ in PAYLOADS:
                    self.assertEqual(second.ask("POST", path, body=(FIXTURES / name).read_bytes(), headers=headers)[0], status)
                metrics = second.metrics()
                self.assertEqual(metrics["faultline_archive_batches_total"], 0)
                self.assertEqual(metrics["faultline_archive_repeated_total"], len(PAYLOADS))

    def test_what_was_acknowledged_survives_kill_9_in_the_middle(self):
        acknowledged, stop, now = [], threading.Event(), time.time_ns()

        def send(daemon, sender):
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            for number in range(100000):
                body = log_request(f"line {number} of sender {sender}", now - number)
                try:
                    connection.request("POST", "/v1/logs", body=body, headers={"Content-Type": JSON})
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    break
                if answer.status == 200:
                    acknowledged.append(body)
                if stop.is_set():
                    break
            connection.close()

        for _ in range(100 if os.environ.get("FL_LONG") else 3):
            del acknowledged[:]
            stop.clear()
            with Daemon(FAULTLINE) as first:
                senders = [threading.Thread(target=send, args=(first, n)) for n in range(6)]
                for sender in senders:
                    sender.start()
                first.wait_for(lambda: len(acknowledged) >= 150)
                first.kill()
                stop.set()
                for sender in senders:
                    sender.join(30)
                with Daemon(FAULTLINE, data=first.folder.name) as second:
                    for body in acknowledged:
                        second.ask("POST", "/v1/logs", body=body, headers={"Content-Type": JSON})
                    self.assertEqual(second.metrics()['faultline_receive_repeated_total{protocol="otlp_logs"}'],
                                     len(acknowledged))
            self.assertGreaterEqual(len(acknowledged), 150)


if __name__ == "__main__":
    FAULTLINE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
