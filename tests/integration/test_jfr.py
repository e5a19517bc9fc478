#!/usr/bin/env python3
"""faultline jfr from outside: real recordings of JDK 11 to 25, damaged ones, and against the JDK's own "jfr" where it is.

usage: test_jfr.py FAULTLINE SOURCE_DIR
"""
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
RECORDINGS = SOURCE / "tests/fixtures/jfr"
JFR = shutil.which("jfr")
TIMEOUT_S = 120


def run(*words, stdin=None):
    return subprocess.run([FAULTLINE, *map(str, words)], capture_output=True, input=stdin, check=False, timeout=TIMEOUT_S)


def seconds_of(period):
    """Of a Duration as Java writes it: PT1M0.5S."""
    hours, minutes, seconds = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", period).groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def spelled(name):
    """A class as the sources have it: [Ljava/lang/String; is java.lang.String[]."""
    base = name.lstrip("[")
    if base != name:
        base = {"B": "byte", "C": "char", "I": "int", "J": "long"}.get(base, base.removeprefix("L").removesuffix(";"))
    return base.replace("/", ".") + "[]" * (len(name) - len(name.lstrip("[")))


def owner_of(thing):
    described = thing["description"] or ""
    return described.removeprefix("Class Name: ") if described.startswith("Class Name: ") else spelled(thing["type"]["name"])


def chain_of(sample):
    """The steps of an old object's chain from its root, as the page has them."""
    steps, thing, held = [], sample["object"], None
    while thing is not None:
        via = "" if held is None else f"[{held['array']['index']} of {held['array']['size']}]" if held["array"] else "." + held["field"]["name"]
        steps.append(owner_of(thing) + via)
        held = thing["referrer"]
        thing = held["object"] if held else None
    root = sample["root"]
    if root is not None:
        steps.append(root["system"] if root["type"].startswith("<") else root["type"])
    return " > ".join(reversed(steps))


class Jfr(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def text(self, *words, code=0):
        done = run("jfr", *words)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode()

    def answer(self, *words, code=0):
        document = json.loads(self.text(*words, "--format", "json", code=code))
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/jfr.schema.json").read_text()))
        return document

    def test_answers_of_every_jdk_have_the_form_of_the_schema(self):
        for path in sorted(RECORDINGS.glob("*.jfr.*")):
            with self.subTest(path.name):
                document = self.answer(path, "--rows", "0")
                self.assertEqual(document["warnings"], [])
                self.assertEqual(document["unresolved"], 0)
                self.assertEqual(sum(kind["events"] for kind in document["events"]), document["event_count"])
                self.assertEqual(sum(site["events"] for site in document["exceptions"]["sites"]), 46 if "mixed" in path.name else 60)

    def test_the_holder_of_what_stays_is_on_the_page(self):
        page = self.text(RECORDINGS / "17-leak.jfr.gz")
        self.assertIn("kept by Recorded.OPEN (java.util.concurrent.ConcurrentHashMap)", page)
        self.assertIn("Recorded.parse:", page)
        self.assertIn("format 2.1", page)
        self.assertNotIn("Warning", page)

    def test_each_view_shows_its_own(self):
        for view, shown in {"allocations": "Recorded$Session.<init>", "execution": "Execution:", "native": "Native code:",
                            "exceptions": "NumberFormatException", "locks": "Recorded.hold", "gc": "Allocation Failure",
                            "load": "machine", "old": "Recorded.OPEN", "objects": "Live objects", "events": "jdk.CPULoad"}.items():
            with self.subTest(view):
                self.assertIn(shown, self.text(RECORDINGS / "17-leak.jfr.gz", "--view", view))

    def test_rows_that_are_left_out_are_counted(self):
        self.assertIn("12 more (--rows 0)", self.text(RECORDINGS / "17-leak.jfr.gz", "--view", "events", "-n", "1"))

    def test_a_cut_recording_is_read_as_far_as_it_goes(self):
        whole = gzip.decompress((RECORDINGS / "17-leak.jfr.gz").read_bytes())
        (self.place / "cut.jfr").write_bytes(whole[:-1])
        self.assertIn("it was not finished", self.text(self.place / "cut.jfr", code=5))
        (self.place / "cut.jfr.gz").write_bytes((RECORDINGS / "17-leak.jfr.gz").read_bytes()[:20000])
        self.text(self.place / "cut.jfr.gz", code=5)

    def test_leaks_are_told_from_caches_by_jfr_and_by_leak(self):
        for path in sorted(RECORDINGS.glob("*-[lh]*.jfr.*")):  # 25-mixed is too short to say
            verdict = "not-enough-data" if "healthy" in path.name else "leak"
            with self.subTest(path.name):
                self.assertEqual(self.answer(path)["verdict"], verdict)
                done = run("leak", path, "--format", "json")
                document = json.loads(done.stdout)
                self.assertEqual((done.returncode, document["verdict"]), (6 if verdict == "not-enough-data" else 0, verdict))
                if jsonschema is not None:
                    jsonschema.validate(document, json.loads((SOURCE / "schemas/json/leak.schema.json").read_text()))
        self.assertIn(b"Recorded.OPEN", run("leak", RECORDINGS / "25-leak.jfr.gz").stdout)

    def test_a_recording_is_looked_at_as_a_profile(self):
        for kind, shown in {"alloc_space": "Recorded.churn", "exceptions": "Integer.parseInt", "cpu_samples": "Recorded."}.items():
            done = run("profile", "top", "--sample-type", kind, RECORDINGS / "17-leak.jfr.gz")
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(shown, done.stdout.decode())
        both = [RECORDINGS / "17-healthy.jfr.gz", RECORDINGS / "17-leak.jfr.gz"]
        done = run("profile", "diff", "--sample-type", "alloc_space", *both)
        self.assertIn(b"Recorded.login", done.stdout)
        self.assertIn(b"<svg", run("profile", "flame", "--sample-type", "alloc_space", both[0]).stdout)

    def test_standard_input_is_a_file(self):
        done = run("jfr", "-", stdin=(RECORDINGS / "11-leak.jfr.gz").read_bytes())
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Recorded.OPEN", done.stdout)

    def test_what_is_no_recording_is_said(self):
        for path, message in {SOURCE / "README.md": "this is not a JFR recording", self.place / "none": "cannot open"}.items():
            done = run("jfr", path)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(message, done.stderr.decode())

    @unittest.skipUnless(JFR, "skipped: no jfr")
    def test_samples_are_those_that_the_jdk_prints(self):
        path = self.place / "rec.jfr"
        path.write_bytes(gzip.decompress((RECORDINGS / "17-leak.jfr.gz").read_bytes()))
        done = subprocess.run([JFR, "print", "--json", "--stack-depth", "64", "--events", "ObjectAllocationSample", path], capture_output=True,
                              check=True, timeout=TIMEOUT_S)
        theirs = [event["values"] for event in json.loads(done.stdout)["recording"]["events"]]
        tlabs = subprocess.run([JFR, "print", "--json", "--events", "ObjectAllocationInNewTLAB", path], capture_output=True,
                               check=True, timeout=TIMEOUT_S)
        buffers = [event["values"] for event in json.loads(tlabs.stdout)["recording"]["events"]]
        ours = self.answer(path, "--rows", "0")["allocations"]
        self.assertEqual(ours["events"], len(theirs) + len(buffers))
        self.assertEqual(ours["bytes"], sum(e["weight"] for e in theirs) + sum(e["tlabSize"] for e in buffers))
        leaves = {f["method"]["type"]["name"].replace("/", ".") + "." + f["method"]["name"] + f":{f['lineNumber']}"
                  for e in theirs for f in e["stackTrace"]["frames"][:1]}
        self.assertTrue(leaves >= {site["stack"][0] for site in ours["sites"] if site["events"] > len(buffers)})

    def events_of(self, path, *names):
        """What the JDK says of some events, by their names."""
        done = subprocess.run([JFR, "print", "--json", "--stack-depth", "64", "--events", ",".join(names), path], capture_output=True, check=True,
                              timeout=TIMEOUT_S)
        found = {name: [] for name in names}
        for event in json.loads(done.stdout)["recording"]["events"]:
            found[event["type"].removeprefix("jdk.")].append(event["values"])
        return found

    @unittest.skipUnless(JFR, "skipped: no jfr")
    def test_collections_load_exceptions_and_locks_are_those_that_the_jdk_prints(self):
        for path in self.plain_recordings():
            theirs = self.events_of(path, "GarbageCollection", "GCHeapSummary", "CPULoad", "JavaExceptionThrow", "JavaErrorThrow",
                                    "JavaMonitorEnter", "ExecutionSample", "NativeMethodSample")
            ours = self.answer(path, "--rows", "0")
            with self.subTest(path.name):
                pauses = [seconds_of(e["sumOfPauses"]) for e in theirs["GarbageCollection"]]
                self.assertEqual(ours["gc"]["collections"], len(pauses))
                self.assertAlmostEqual(ours["gc"]["pause_seconds"], sum(pauses), places=6)
                after = {e["gcId"]: e["heapUsed"] for e in theirs["GCHeapSummary"] if e["when"].startswith("After")}
                self.assertEqual({gc["number"]: gc["after_bytes"] for gc in ours["gc"]["items"]}, after)
                self.assertEqual(len(ours["load"]), len(theirs["CPULoad"]))
                for name, field in {"user": "jvmUser", "system": "jvmSystem", "machine": "machineTotal"}.items():
                    self.assertAlmostEqual(sum(e[name] for e in ours["load"]), sum(e[field] for e in theirs["CPULoad"]), places=4)
                self.assertEqual(ours["exceptions"]["events"], len(theirs["JavaExceptionThrow"]) + len(theirs["JavaErrorThrow"]))
                self.assertEqual(ours["execution"]["events"], len(theirs["ExecutionSample"]))
                self.assertEqual(ours["native"]["events"], len(theirs["NativeMethodSample"]))
                self.assertEqual(ours["locks"]["events"], len(theirs["JavaMonitorEnter"]))
                waits = sum(seconds_of(e["duration"]) for e in theirs["JavaMonitorEnter"])
                self.assertAlmostEqual(ours["locks"]["seconds"] or 0, waits, places=6)

    @unittest.skipUnless(JFR, "skipped: no jfr")
    def test_the_chains_of_old_objects_are_those_that_the_jdk_prints(self):
        for path in self.plain_recordings():
            theirs = [e for e in self.events_of(path, "OldObjectSample")["OldObjectSample"] if "jdk.jfr." not in chain_of(e)]
            ours = self.answer(path, "--rows", "0")["old_objects"]
            with self.subTest(path.name):
                self.assertEqual(ours["objects"], len(theirs))
                self.assertEqual(ours["without_chain"], sum(e["object"]["referrer"] is None for e in theirs))
                chains = {chain_of(e) for e in theirs}
                for holder in ours["holders"]:
                    self.assertIn(holder["chain"], chains)

    def plain_recordings(self):
        """The recordings without their compression, which the JDK's own tool does not undo."""
        for path in sorted(RECORDINGS.glob("*.jfr.gz")):
            plain = self.place / path.name.removesuffix(".gz")
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            yield plain


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
