#!/usr/bin/env python3
"""faultline profile against what go tool pprof prints, byte for byte, and from outside.

usage: test_profile.py FAULTLINE SOURCE_DIR [--record]

tests/golden/profile holds small profiles and what go tool pprof 1.26 printed for them; --record asks it again.
Where go is installed, and the recordings are there (FL_SHARED, or ../shared beside the tree), the same is done
with those. The heaps' totals are compared with what the recorded programs said of themselves.
"""
import gzip
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
GOLDEN = SOURCE / "tests/golden/profile"
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE.parent / "shared"))
PROGRAMS = sorted((SHARED / "profiles/go").glob("*/*"))
GO = shutil.which("go")
RATE = 524288
# A gap of this many standard deviations of the sampled total is met once in 10^5 snapshots.
DEVIATIONS = 4.5

# name -> options of faultline and of go tool pprof; files are in GOLDEN.
GOLDENS = {
    "heap-top": (["top", "heap-2.pb.gz"], ["-top", "heap-2.pb.gz"]),
    "heap-tree": (["tree", "heap-2.pb.gz"], ["-tree", "heap-2.pb.gz"]),
    "heap-alloc-cum": (["top", "--sample-type", "alloc_objects", "--sort", "cum", "-n", "6", "heap-2.pb.gz"],
                       ["-top", "-cum", "-nodecount=6", "-sample_index=alloc_objects", "heap-2.pb.gz"]),
    "heap-diff": (["diff", "heap-1.pb.gz", "heap-2.pb.gz"], ["-top", "-diff_base=heap-1.pb.gz", "heap-2.pb.gz"]),
    "heap-sum-ignore": (["top", "--ignore", "pprof", "heap-1.pb.gz", "heap-2.pb.gz"],
                        ["-top", "-ignore=pprof", "heap-1.pb.gz", "heap-2.pb.gz"]),
    "cpu-top": (["top", "cpu.pb.gz"], ["-top", "cpu.pb.gz"]),
    "cpu-tree-focus": (["tree", "-n", "9", "--focus", "map", "cpu.pb.gz"],
                       ["-tree", "-nodecount=9", "-focus=map", "cpu.pb.gz"]),
    "mutex-top": (["top", "mutex.pb.gz"], ["-top", "mutex.pb.gz"]),
    "node-heap-tree": (["tree", "node-heap.pb.gz"], ["-tree", "node-heap.pb.gz"]),
}


def run(*arguments, cwd=GOLDEN):
    done = subprocess.run([FAULTLINE, "profile", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                          check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def peer(*arguments, cwd=GOLDEN):
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, TZ="UTC", PPROF_TMPDIR=folder, PPROF_BINARY_PATH=folder)
        return subprocess.run([GO, "tool", "pprof", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                              check=True, env=environment, timeout=120).stdout


def record():
    for name, (_, theirs) in GOLDENS.items():
        (GOLDEN / f"{name}.txt").write_text(peer(*theirs))


class Goldens(unittest.TestCase):
    def test_views_are_those_of_go_tool_pprof(self):
        for name, (ours, _) in GOLDENS.items():
            with self.subTest(name):
                code, out, err = run(*ours)
                self.assertEqual((code, err), (0, ""))
                self.assertEqual(out, (GOLDEN / f"{name}.txt").read_text())

    @unittest.skipUnless(GO and PROGRAMS, "skipped: no go, or no recordings")
    def test_recordings_give_what_go_tool_pprof_gives(self):
        for program in PROGRAMS[::6]:
            files = [program / f"{name}.pb.gz" for name in ("heap-07", "allocs-03", "goroutine-05", "cpu-mid")]
            for path in filter(pathlib.Path.is_file, files):
                with self.subTest(path):
                    self.assertEqual(run("top", path)[1], peer("-top", path))
                    self.assertEqual(run("tree", path)[1], peer("-tree", path))


class Formats(unittest.TestCase):
    def test_json_sums_to_the_total(self):
        code, out, _ = run("top", "--format", "json", "heap-2.pb.gz")
        answer = json.loads(out)
        self.assertEqual((code, answer["schema"], answer["view"]), (0, "faultline.profile/1", "top"))
        self.assertEqual(sum(row["flat"] for row in answer["rows"]), answer["shown"])
        self.assertEqual(answer["unit"], "bytes")

    def test_diff_is_the_difference(self):
        flats = []
        for arguments in (["top", "heap-1.pb.gz"], ["top", "heap-2.pb.gz"], ["diff", "heap-1.pb.gz", "heap-2.pb.gz"]):
            answer = json.loads(run(*arguments, "--format", "json")[1])
            flats.append({row["function"]: row["flat"] for row in answer["rows"] if row["flat"]})
        for name, flat in flats[2].items():
            self.assertEqual(flat, flats[1].get(name, 0) - flats[0].get(name, 0), name)

    def test_flame_is_one_picture_that_fetches_nothing(self):
        for arguments in (["flame", "cpu.pb.gz"], ["flame", "--base", "heap-1.pb.gz", "heap-2.pb.gz"]):
            code, out, err = run(*arguments)
            self.assertEqual((code, err), (0, ""))
            root = xml.etree.ElementTree.fromstring(out)
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
            self.assertGreater(len(root.findall(".//{*}title")), 10)
            self.assertEqual([e.tag for e in root.iter() if e.tag.endswith(("script", "image", "use"))], [])
            self.assertEqual(out.count("://"), 1)

    def test_folded_stacks_sum_to_the_total(self):
        _, folded, _ = run("flame", "--format", "text", "heap-2.pb.gz")
        total = json.loads(run("top", "--format", "json", "heap-2.pb.gz")[1])["total"]
        self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in folded.splitlines()), total)
        tree = json.loads(run("flame", "--format", "json", "heap-2.pb.gz")[1])
        self.assertEqual(tree["root"]["value"], total)


class Inputs(unittest.TestCase):
    def test_standard_input_is_a_file_however_it_is_packed(self):
        packed = (GOLDEN / "heap-2.pb.gz").read_bytes()
        plain = gzip.decompress(packed)
        inputs = [packed, plain, gzip.compress(plain[:1000]) + gzip.compress(plain[1000:])]
        if shutil.which("zstd"):
            inputs.append(subprocess.run(["zstd", "-q"], input=plain, capture_output=True, check=True).stdout)
        for view in ("top", "tree", "flame"):
            expected = run(view, "heap-2.pb.gz")[1].replace("heap-2.pb.gz", "-")
            for bytes_ in inputs:
                done = subprocess.run([FAULTLINE, "profile", view, "-"], input=bytes_, capture_output=True, timeout=60, check=True)
                self.assertEqual(done.stdout.decode(), expected)
        done = subprocess.run([FAULTLINE, "profile", "diff", "heap-1.pb.gz", "-"], cwd=GOLDEN, input=packed, capture_output=True,
                              timeout=60, check=True)
        self.assertEqual(done.stdout.decode(), run("diff", "heap-1.pb.gz", "heap-2.pb.gz")[1])

    def test_goroutines_one_by_one_are_a_profile_from_everywhere(self):
        text = "".join(f"goroutine {i} [select]:\nmain.wait()\n\t/m.go:9 +0x1\n\n" for i in range(1, 8))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "dump.txt.gz"
            path.write_bytes(gzip.compress(text.encode()))
            answers = [json.loads(run("top", "--format", "json", path)[1])]
            done = subprocess.run([FAULTLINE, "profile", "top", "--format", "json", "-"], input=text.encode(), capture_output=True,
                                  timeout=60, check=True)
            answers.append(json.loads(done.stdout))
            self.assertEqual(run("diff", path, path)[0], 0)
        for answer in answers:
            self.assertEqual((answer["total"], answer["rows"][0]["function"]), (7, "main.wait"))


class Mistakes(unittest.TestCase):
    def test_each_is_said_in_one_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "heap"
            page.write_text("<!DOCTYPE html><title>Sign in</title>")
            cut = pathlib.Path(folder) / "cut.pb.gz"
            cut.write_bytes((GOLDEN / "heap-1.pb.gz").read_bytes()[:900])
            cases = [
                (["top", page], 1, f"{page}: this is a web page (text/html), not a profile"),
                (["top", cut], 1, f"{cut} is truncated: it ends inside a gzip member"),
                (["top", "no-such-file"], 1, "cannot open no-such-file: No such file or directory"),
                (["top"], 2, "FILE is missing, as in: faultline profile top heap.pb.gz"),
                (["diff", "heap-1.pb.gz"], 2, "diff compares two files: FROM and TO"),
                (["spin", "heap-1.pb.gz"], 2, "VIEW is 'spin'; choose one of: top, tree, diff, flame"),
                (["top", "--format", "svg", "heap-1.pb.gz"], 2, "--format svg is for flame; choose text or json"),
                (["top", "--sample-type", "delay", "heap-1.pb.gz"], 1,
                 "heap-1.pb.gz has no sample type 'delay': it has alloc_objects, alloc_space, inuse_objects,"
                 " inuse_space"),
                (["top", "heap-1.pb.gz", "mutex.pb.gz"], 1,
                 "mutex.pb.gz has no sample type 'inuse_space': it has contentions, delay"),
            ]
            for arguments, code, message in cases:
                with self.subTest(arguments):
                    found, out, err = run(*arguments)
                    self.assertEqual((found, out), (code, ""))
                    self.assertIn(message, err)

    def test_a_pattern_that_finds_nothing_is_said(self):
        code, _, err = run("top", "--focus", "nowhere", "heap-1.pb.gz")
        self.assertEqual((code, err), (0, "faultline: --focus 'nowhere' matches nothing\n"))


@unittest.skipUnless(PROGRAMS, "skipped: no recordings")
class Recordings(unittest.TestCase):
    def test_every_profile_is_read(self):
        for program in PROGRAMS:
            for path in sorted(program.glob("*.pb.gz")) + sorted(program.glob("*.debug1.txt.zst")):
                code, _, err = run("top", path)
                self.assertEqual((code, err), (0, ""), path)

    def test_totals_are_those_of_the_program_itself(self):
        """After a forced collection (gc=1) the heap profile is of now, and so is memstats' heap_alloc."""
        for program in PROGRAMS:
            seen = [json.loads(line) for line in (program / "memstats.jsonl").read_text().splitlines()]
            for snapshot in json.loads((program / "index.json").read_text())["snapshots"]:
                near = [row["heap_alloc"] for row in seen if abs(row["t"] - snapshot["t"]) < 0.5]
                if not snapshot["path"].startswith("heap?gc=1") or not near:
                    continue
                total = json.loads(run("top", "--format", "json", program / snapshot["file"])[1])["total"]
                gap = max(0, min(near) - total, total - max(near))
                self.assertLess(gap / math.sqrt(RATE * max(max(near), RATE)), DEVIATIONS, snapshot["file"])

    def test_text_and_protobuf_of_one_moment_agree(self):
        """debug=1 and protobuf were asked for one after the other: the same stacks but for the askers' own."""
        for program in PROGRAMS[::4]:
            flats = []
            for name in ("goroutine-05.pb.gz", "goroutine-05.debug1.txt.zst"):
                rows = json.loads(run("top", "--format", "json", program / name)[1])["rows"]
                flats.append({row["function"] for row in rows if "leaklab" in row["function"]})
            self.assertEqual(flats[0], flats[1], program)


if __name__ == "__main__":
    if sys.argv[3:] == ["--record"]:
        record()
    else:
        unittest.main(argv=sys.argv[:1])
