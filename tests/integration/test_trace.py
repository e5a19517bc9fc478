#!/usr/bin/env python3
"""`faultline trace` as its users meet it: files, a server, bad input, the contract.

usage: test_trace.py FAULTLINE SOURCE_DIR [unittest options]
"""
import datetime
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import xml.etree.ElementTree

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
TRACES = SOURCE / "tests/fixtures/gotrace"
CONVOY = TRACES / "1.26-convoy.trace.zst"
VIEWS = ("summary", "waits", "goroutines", "gc", "maps", "latency", "tasks")
TIMEOUT_S = 120


def run(*words, stdin=None):
    return subprocess.run([FAULTLINE, "trace", *map(str, words)], capture_output=True, input=stdin, timeout=TIMEOUT_S)


class Trace(unittest.TestCase):
    def answer(self, *words, code=0):
        done = run(*words, "--format", "json")
        self.assertEqual(done.returncode, code, done.stderr.decode())
        document = json.loads(done.stdout)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/trace.schema.json").read_text()))
        return document

    def test_every_recording_answers_the_contract(self):
        for path in sorted(TRACES.glob("*.zst")):
            with self.subTest(path.name):
                document = self.answer(path)
                self.assertGreater(document["events"], 0)
                self.assertEqual(document["warnings"], [])

    def test_the_lock_is_named(self):
        finding = self.answer(CONVOY)["findings"][0]
        self.assertEqual((finding["signature"], finding["place"]["function"]), ("trace-lock-convoy", "main.handle"))

    def test_old_formats_say_the_same(self):
        for name, signature, function in (("1.11-convoy", "trace-lock-convoy", "main.handle"), ("1.21-convoy", "trace-lock-convoy", "main.handle"),
                                          ("1.19-leak", "trace-goroutine-leak", "main.ask"), ("1.19-pointers", "trace-gc-pointers", "main.collect")):
            with self.subTest(name):
                path = TRACES / f"{name}.trace.zst"
                finding = self.answer(path)["findings"][0]
                self.assertEqual((finding["signature"], finding["place"]["function"]), (signature, function))
                done = subprocess.run([FAULTLINE, "leak", path, "--format", "json"], capture_output=True, timeout=TIMEOUT_S)
                self.assertEqual(json.loads(done.stdout)["findings"][0]["function"], function)

    def test_time_adds_up(self):
        for path in (CONVOY, TRACES / "1.11-convoy.trace.zst", TRACES / "1.21-stress.trace.zst"):
            document = self.answer(path)
            for use in document["processor_use"]:
                self.assertLessEqual(sum(use.values()), document["duration_ns"] * 1.01)
                self.assertGreaterEqual(sum(use.values()), document["duration_ns"] * 0.5)
            self.assertLessEqual(document["latency"]["p50_ns"], document["latency"]["p99_ns"])

    def test_rows_are_as_many_as_asked_for(self):
        self.assertEqual(len(self.answer(CONVOY, "--rows", "3")["waits"]), 3)
        self.assertIn(b"... ", run(CONVOY, "--rows", "2").stdout)

    def test_every_view_is_text(self):
        for view in VIEWS:
            done = run(CONVOY, "--view", view)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"execution trace of Go", done.stdout)
            done.stdout.decode("ascii")

    def test_standard_input_is_a_file(self):
        self.assertEqual(run("-", stdin=CONVOY.read_bytes()).stdout.replace(b"-:", b"X:", 1).split(b"\n", 1)[1],
                         run(CONVOY).stdout.split(b"\n", 1)[1])

    def test_a_cut_trace_is_shown_up_to_there(self):
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "cut.zst"
            path.write_bytes((TRACES / "1.22-grow.trace.zst").read_bytes()[:-3000])
            done = run(path)
            self.assertEqual(done.returncode, 5, done.stderr.decode())
            self.assertIn(b"it is read up to byte", done.stderr)
            self.assertIn("it is read up to byte", self.answer(path, code=5)["warnings"][0])

    def test_a_cut_trace_of_an_old_format_is_shown_without_what_stands_at_its_end(self):
        whole = subprocess.run(["zstd", "-dc", TRACES / "1.19-leak.trace.zst"], capture_output=True).stdout
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "cut.trace"
            path.write_bytes(whole[:5000])
            document = self.answer(path, code=5)
            self.assertEqual((document["clock_assumed"], document["findings"]), (True, []))
            self.assertIn("right in proportion only, and nothing is judged", " ".join(document["warnings"]))
            self.assertGreater(sum(w["open"] for w in document["waits"]), 5)
            self.assertIn(b"nothing is judged: its clock is not known", run(path).stdout)
            self.assertIn(b"times are right in proportion only", run(path, "--format", "svg").stdout)
            ask = self.slow_shop(place)
            warnings = " ".join(self.triage(ask, "--trace", f"shop={path}", code=5)["warnings"])
            self.assertIn("without its clock it is nowhere on the timeline", warnings)
        self.assertNotIn("clock_assumed", self.answer(TRACES / "1.19-leak.trace.zst"))

    def test_what_is_no_trace_is_refused(self):
        for content, message in ((b"nothing", b"this is no Go execution trace"),
                                 (b"go 1.99 trace\0\0\0", b"trace version 1.99 is newer than this program"),
                                 (b"go 1.5 trace\0\0\0\0", b"trace version 1.5 is not read: it does not name functions"),
                                 (b"go 1.19 trace\0\0\0A\0\1\6\1", b"the trace ends before it says how its clock runs"),
                                 (b"go 1.26 trace\0\0\0", b"the trace has no events")):
            done = run("-", stdin=content)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(message, done.stderr)
        self.assertEqual(run("/nonexistent").returncode, 1)

    def test_leak_recognises_a_trace_and_says_what_it_found(self):
        done = subprocess.run([FAULTLINE, "leak", CONVOY, "--format", "json"], capture_output=True, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        document = json.loads(done.stdout)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/leak.schema.json").read_text()))
        first = document["findings"][0]
        self.assertEqual((document["verdict"], document["kind"]), ("latency", "trace-lock-convoy"))
        self.assertEqual((first["function"], first["support"]), ("main.handle", ["trace"]))
        healthy = subprocess.run([FAULTLINE, "leak", TRACES / "1.26-burst.trace.zst", "--format", "json"], capture_output=True, timeout=TIMEOUT_S)
        self.assertEqual(json.loads(healthy.stdout)["verdict"], "not-enough-data")

    def test_signatures_of_ones_own_are_tried_on_traces(self):
        own = ("signatures:\n  - name: any-queue\n    title: A queue\n    verdict: latency\n    subject: lock\n    prior: 0.5\n"
               "    must:\n      - {feature: trace_queue, at_least: 0.5}\n      - {feature: trace_place, matches: '^main\\.'}\n"
               "    cause: Because.\n    fix: Do it.\n")
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "own.yaml"
            path.write_text(own)  # a condition on names counts three times one on numbers, of which the built-in one has three
            finding = self.answer(CONVOY, "--signatures", path)["findings"][0]
            self.assertEqual((finding["signature"], finding["advice"], finding["confidence"]), ("any-queue", "Do it.", 0.5))
            tested = subprocess.run([FAULTLINE, "signatures", "test", path, CONVOY], capture_output=True, timeout=TIMEOUT_S)
            self.assertIn(b"any-queue holds for main.handle (latency, 0.50)", tested.stdout)
            path.write_text(own.replace("trace_place", "function"))
            done = run(CONVOY, "--signatures", path)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"trace_queue is measured in traces and function in profiles: no subject has both", done.stderr)

    def test_a_timeline_is_one_picture_of_bounded_size(self):
        for path in sorted(TRACES.glob("*.zst")):
            done = run(path, "--format", "svg")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            root = xml.etree.ElementTree.fromstring(done.stdout)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertLess(len(done.stdout), 200 << 10)
            self.assertEqual(done.stdout, run(path, "--format", "svg").stdout)

    def slow_shop(self, place):
        """Telemetry of a shop that is slow from the recording's begin on: (what to ask with, that begin)."""
        began = self.answer(CONVOY)["began_at"]
        at = datetime.datetime.fromisoformat(began[:19]).replace(tzinfo=datetime.timezone.utc).timestamp()

        def span(i):
            slow = i >= 300
            start = int((at - 1500 + 5 * i) * 1e9)
            return {"traceId": f"{i + 1:032x}", "spanId": f"{i + 1:016x}", "name": "buy", "kind": 2, "startTimeUnixNano": str(start),
                    "endTimeUnixNano": str(start + int((900 if slow else 20) * 1e6))}

        path = pathlib.Path(place) / "spans.jsonl"
        path.write_text("".join(json.dumps({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {
            "stringValue": "shop"}}]}, "scopeSpans": [{"spans": [span(i)]}]}]}) + "\n" for i in range(360)))
        return [FAULTLINE, "triage", "--otlp", path, "--at", began, "--store", "none", "--format", "json"]

    def triage(self, words, *more, code=0):
        done = subprocess.run([*words, *more], capture_output=True, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return json.loads(done.stdout) if code in (0, 5) else done.stderr.decode()

    def test_a_triage_takes_a_trace_beside_telemetry(self):
        with tempfile.TemporaryDirectory() as place:
            document = self.triage(self.slow_shop(place), "--trace", f"shop={CONVOY}")
        first = document["hypotheses"][0]
        self.assertEqual((first["service"], first["cause"]), ("shop", "lock"))
        self.assertIn("main.handle (main.go:94)", json.dumps(first))
        self.assertIn("--view waits", json.dumps(first["evidence"]))

    def test_traces_among_profiles_are_traces(self):
        with tempfile.TemporaryDirectory() as place:
            ask = self.slow_shop(place)
            folder = pathlib.Path(place) / "profiles"
            folder.mkdir()
            shutil.copy(CONVOY, folder / "trace.out")
            told = self.triage(ask, "--trace", f"shop={folder}/trace.out")
            for words in (["--pprof", f"shop={folder}"], ["--pprof", f"shop={folder}", "--trace", f"shop={folder}/trace.out"]):
                found = self.triage(ask, *words)
                self.assertEqual(found["hypotheses"], told["hypotheses"])
                self.assertEqual(found.get("events"), told.get("events"))
                self.assertEqual(found["warnings"], [w for w in found["warnings"] if "trace" not in w])
                self.assertEqual(found["modalities"]["metrics"]["series"], told["modalities"]["metrics"]["series"])
            self.assertGreater(told["modalities"]["metrics"]["series"], self.triage(ask)["modalities"]["metrics"]["series"] + 5)

    def test_more_traces_than_are_read_are_told(self):
        with tempfile.TemporaryDirectory() as place:
            ask = self.slow_shop(place)
            folder = pathlib.Path(place) / "profiles"
            folder.mkdir()
            for i in range(33):
                shutil.copy(CONVOY, folder / f"trace{i}.out")
            found = self.triage(ask, "--pprof", f"shop={folder}")
            self.assertIn("profiles of shop: 1 trace more than the 32 that are read", found["warnings"])
            self.assertEqual(found["hypotheses"][0]["cause"], "lock")
            found = self.triage(ask, "--pprof", f"shop={folder}", "--trace", f"shop={CONVOY}")
            self.assertIn("1 trace among the profiles: more than the 32 that are read", found["warnings"])
            self.assertEqual(found["hypotheses"][0]["cause"], "lock")

    def test_ones_own_signatures_count_in_a_triage(self):
        own = ("signatures:\n  - name: trace-lock-convoy\n    title: A queue of mine\n    verdict: latency\n    subject: lock\n    prior: 0.9\n"
               "    must:\n      - {feature: trace_queue, at_least: 0.5}\n      - {feature: trace_place, matches: '^main'}\n"
               "    cause: Because.\n    fix: Do it.\n")
        with tempfile.TemporaryDirectory() as place:
            ask = self.slow_shop(place)
            path = pathlib.Path(place) / "own.yaml"
            path.write_text(own)
            for kind in ("--trace", "--pprof"):
                self.assertIn("A queue of mine", json.dumps(self.triage(ask, kind, f"shop={CONVOY}", "--signatures", path)))
            self.assertIn("--signatures judge profiles, traces and heap dumps, and there are none",
                          self.triage(ask, "--signatures", path, code=2))
            path.write_text(own.replace("trace_queue", "trace_line"))
            self.assertIn("trace_line", self.triage(ask, "--trace", f"shop={CONVOY}", "--signatures", path, code=1))

    def test_a_beginning_that_no_trace_needs_is_said(self):
        with tempfile.TemporaryDirectory() as place:
            ask = self.slow_shop(place)
            warnings = self.triage(ask, "--trace", f"shop={CONVOY}", "--trace-start", "2026-01-01T00:00:00Z")["warnings"]
            self.assertIn("--trace-start changes nothing: every trace says itself when it began", warnings)
            self.assertIn("--trace-start is of a trace, and there is none", self.triage(ask, "--trace-start", "2026-01-01T00:00:00Z", code=2))
            broken = pathlib.Path(place) / "cut.trace"  # and of no time, as what comes from a pipe is
            broken.write_bytes(subprocess.run(["zstd", "-dc", TRACES / "1.22-grow.trace.zst"], capture_output=True).stdout[:200000])
            os.utime(broken, (0, 0))
            document = self.triage(ask, "--trace", f"shop={broken}", code=5)
            self.assertEqual(document["rejected_records"], 1)
            self.assertIn("nothing tells when it began", " ".join(document["warnings"]))

    def test_the_librarys_signatures_of_traces_are_shown(self):
        shown = subprocess.run([FAULTLINE, "signatures", "show", "trace-goroutine-leak"], capture_output=True, timeout=TIMEOUT_S).stdout
        for word in (b"trace_started", b"a pool is created at once", b"Give each a way to end"):
            self.assertIn(word, shown)

    def test_traces_of_one_program_say_a_thing_once(self):
        leak = TRACES / "1.26-leak.trace.zst"
        done = subprocess.run([FAULTLINE, "leak", leak, leak, CONVOY, "--format", "json"], capture_output=True, timeout=TIMEOUT_S)
        kinds = sorted(f["kind"] for f in json.loads(done.stdout)["findings"])
        self.assertEqual(kinds, ["trace-goroutine-leak", "trace-lock-convoy"])

    def test_the_order_of_files_decides_nothing(self):
        files = [CONVOY, TRACES / "1.26-storm.trace.zst", TRACES / "1.26-leak.trace.zst"]
        said = []
        for order in (files, files[::-1]):
            done = subprocess.run([FAULTLINE, "leak", *order, "--format", "json"], capture_output=True, timeout=TIMEOUT_S)
            document = json.loads(done.stdout)
            said.append((document["verdict"], document["findings"]))
        self.assertEqual(said[0], said[1])
        self.assertEqual(said[0][0], "leak")

    def test_a_go_program_is_traced_while_it_runs(self):
        version = re.search(r"go1\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True).stdout if shutil.which("go") else "")
        if version is None or int(version.group(1)) < 25:
            self.skipTest("no Go 1.25 or later")
        with tempfile.TemporaryDirectory() as place:
            program = pathlib.Path(place) / "traced"
            cache = {} if "HOME" in os.environ else {"GOCACHE": f"{place}/cache"}  # which is cold: a minute of processor time
            built = subprocess.run(["timeout", "400", "go", "build", "-o", program, SOURCE / "tests/integration/traced/main.go"],
                                   capture_output=True, env={**os.environ, **cache, "GO111MODULE": "off"})
            if built.returncode != 0:
                self.skipTest("Go builds nothing here")
            with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as traced:
                try:
                    address = traced.stdout.readline().strip()
                    document = self.answer(f"http://{address}/debug/pprof/trace?seconds=2")
                    flight = self.answer(f"http://{address}/flight")
                finally:
                    traced.kill()
        for said in (document, flight):
            self.assertGreater(said["events"], 100)
            self.assertEqual([f["place"]["function"] for f in said["findings"] if f["signature"] == "trace-goroutine-leak"], ["main.ask"])
        self.assertGreaterEqual(document["duration_ns"], 1.9e9)

    def test_a_running_program_is_asked(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(CONVOY.read_bytes())

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = run(f"http://127.0.0.1:{server.server_address[1]}/debug/pprof/trace?seconds=1")
            server.shutdown()
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"trace-lock-convoy", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
