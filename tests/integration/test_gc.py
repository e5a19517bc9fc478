#!/usr/bin/env python3
"""`faultline gc` as its users meet it: files of every collector, standard input, rotated files, bad input, the contract.

usage: test_gc.py FAULTLINE SOURCE_DIR [unittest options]
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
FIXTURES = SOURCE / "tests/fixtures/gclog"
TIMEOUT_S = 120


def unified(collections):
    """A log of full collections, one a minute: (minute, MiB before, MiB after)."""
    return "[0.001s][info][gc] Using G1\n" + "".join(
        f"[{60 * m}.000s][info][gc] GC({m}) Pause Full (G1 Compaction Pause) {before}M->{after}M(4096M) 80.5ms\n"
        for m, before, after in collections)


class Gc(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def run_it(self, *words, code=0, stdin=b""):
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        done = subprocess.run([FAULTLINE, "gc", *map(str, words)], capture_output=True, input=stdin, cwd=self.place,
                              env={**kept, "HOME": str(self.place)}, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, code, done.stderr.decode() + done.stdout.decode()[:2000])
        return done

    def answer(self, *words, **options):
        document = json.loads(self.run_it(*words, "--format", "json", **options).stdout)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/gc.schema.json").read_text()))
        return document

    def log(self, text, name="gc.log"):
        (self.place / name).write_text(text)
        return name

    def test_every_collector_is_read(self):
        for path in sorted(FIXTURES.iterdir()):
            with self.subTest(path.name):
                document = self.answer(path)
                self.assertEqual(document["rejected"], 0)
                self.assertGreater(document["events"], 0)
                self.run_it(path)

    def test_a_leak_is_told_with_its_rate_and_a_healthy_program_is_not(self):
        document = self.answer(self.log(unified((m, 900 + 10 * m, 200 + 10 * m) for m in range(1, 120))))
        self.assertEqual((document["verdict"], document["kind"]), ("leak", "java-heap-grows"))
        self.assertAlmostEqual(document["heap"]["bytes_per_hour"]["value"] / 2**20, 600, delta=10)
        document = self.answer(self.log(unified((m, 900, 200 + m * 7 % 13) for m in range(1, 120))))
        self.assertEqual((document["verdict"], document["findings"]), ("no-leak", []))

    def test_an_empty_file_beside_a_log_is_a_warning_to_gc_and_leak(self):
        (self.place / "gc.log").write_text("")
        (self.place / "gc.log.0").write_text(unified((m, 900 + 10 * m, 200 + 10 * m) for m in range(1, 120)))
        self.assertEqual(self.answer("gc.log", "gc.log.0", code=5)["verdict"], "leak")
        done = subprocess.run([FAULTLINE, "leak", "gc.log", "gc.log.0", "--format", "json"], capture_output=True, cwd=self.place,
                              timeout=TIMEOUT_S)
        self.assertEqual((done.returncode, json.loads(done.stdout)["verdict"]), (5, "leak"), done.stderr)
        self.run_it("gc.log", "gc.log", code=1)

    def test_leak_recognises_logs_and_says_the_same(self):
        leaking = unified((m, 900 + 10 * m, 200 + 10 * m) for m in range(1, 120))
        lines = leaking.splitlines(keepends=True)
        names = self.log("".join(lines[:60]), "gc.log.0"), self.log("".join(lines[60:]))
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        done = subprocess.run([FAULTLINE, "leak", *names, "--format", "json"], capture_output=True, cwd=self.place,
                              env={**kept, "HOME": str(self.place)}, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        document, same = json.loads(done.stdout), self.answer(*names)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/leak.schema.json").read_text()))
        for key in ("verdict", "kind", "confidence", "findings"):
            self.assertEqual(document[key], same[key])
        self.assertEqual(document["kind"], "java-heap-grows")
        self.assertEqual(document["series"]["inputs"]["memstats"], 2)

    def test_the_longest_pause_is_shown_by_its_query(self):
        text = unified((m, 900, 200) for m in range(1, 50)).replace("GC(31) Pause Full (G1 Compaction Pause) 900M->200M(4096M) 80.5ms",
                                                                    "GC(31) Pause Full (G1 Compaction Pause) 900M->200M(4096M) 1234.5ms")
        longest = self.answer(self.log(text))["longest"][0]
        self.assertEqual(longest["ms"], 1234.5)
        shown = subprocess.run(longest["query"], shell=True, cwd=self.place, capture_output=True, check=True).stdout.decode()
        self.assertIn("GC(31) Pause Full", shown)

    def test_files_may_be_packed_rotated_and_come_from_standard_input(self):
        text = unified((m, 900 + 10 * m, 200 + 10 * m) for m in range(1, 120))
        lines = text.splitlines(keepends=True)
        self.log("".join(lines[:60]), "gc.log.0")
        (self.place / "gc.log").write_bytes(gzip.compress("".join(lines[60:]).encode()))
        whole = self.answer("-", stdin=text.encode())
        for order in (("gc.log", "gc.log.0"), ("gc.log.0", "gc.log")):
            parts = self.answer(*order)
            for key in ("verdict", "kind", "heap", "pauses", "events", "seconds", "counts"):
                self.assertEqual(parts[key], whole[key], key)

    def test_what_breaks_off_is_used_as_far_as_it_goes(self):
        whole = gzip.compress(unified((m, 900, 200) for m in range(1, 5000)).encode())
        (self.place / "gc.log.gz").write_bytes(whole[:len(whole) * 2 // 3])
        document = self.answer("gc.log.gz", code=5)
        self.assertGreater(document["events"], 1000)
        self.assertEqual(len(document["warnings"]), 1)

    def test_a_triage_takes_a_log_beside_telemetry(self):
        def stamp(second):
            return f"[2026-11-23T00:{second // 60:02}:{second % 60:02}.000+0000]"
        young = "".join(f"{stamp(s)}[info][gc] GC({s}) Pause Young (Normal) (G1 Evacuation Pause) 90M->40M(100M) 2.5ms\n" for s in range(0, 410, 5))
        full = "".join(f"{stamp(s)}[info][gc] GC({s}) Pause Full (G1 Compaction Pause) 100M->99M(100M) 1900.5ms\n" for s in range(410, 660, 2))
        self.log(young + full)
        words = ["triage", "--otlp", SOURCE / "examples/shop/incidents/cache-growth", "--baseline", SOURCE / "examples/shop/incidents/baseline",
                 "--at", "2026-11-23T00:06:50Z", "--store", "none", "--format", "json"]
        counts = []
        for more in ([], ["--gc-log", "orders=gc.log"]):
            done = subprocess.run([FAULTLINE, *words, *more], capture_output=True, cwd=self.place, timeout=TIMEOUT_S)
            self.assertIn(done.returncode, (0, 6), done.stderr)
            seen = json.loads(done.stdout)["modalities"]
            counts.append((seen["metrics"]["series"], seen["logs"]["records"], seen["logs"]["templates"]))
        self.assertEqual([b - a for a, b in zip(*counts)], [2, 125, 1])
        done = subprocess.run([FAULTLINE, *words, "--gc-log", "gc.log"], capture_output=True, cwd=self.place, timeout=TIMEOUT_S)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn("say --gc-log SERVICE=gc.log", done.stderr.decode())

    def test_bad_input_is_refused_with_a_sentence(self):
        for text, message in (("", "no garbage collection log"), ("hello\n", "no garbage collection log"),
                              ("GC(1) Pause Full 6X->2M(9M) 1ms\n", "is not as a Java virtual machine writes it")):
            done = self.run_it(self.log(text), code=1)
            self.assertEqual(done.stdout, b"")
            self.assertIn(message, done.stderr.decode())
        self.assertIn("cannot open", self.run_it("missing.log", code=1).stderr.decode())
        self.run_it(code=2)

    def test_hostile_names_reach_no_terminal(self):
        page = self.run_it(self.log("GC(1) Pause \x1b[JFull (\u202ex) 6M->2M(9M) 1ms\n")).stdout.decode()
        self.assertNotIn("\x1b", page)
        self.assertNotIn("\u202e", page)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
