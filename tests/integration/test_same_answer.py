#!/usr/bin/env python3
"""The same records give the same answer, byte for byte, however they reach the program.

usage: test_same_answer.py FAULTLINE SOURCE_DIR

Takes the shipped incident and, where they are (FL_SHARED, or ../shared beside the tree), a case of each
recorded system; deals their lines anew to files of other names, in another order, some of them twice.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE / ".." / "shared"))
SHIPPED = SOURCE / "examples/shop/incidents/pool-exhaustion"
FILES, REPEATED = 3, 0.2


def triage(folder, baseline, truth):
    command = [FAULTLINE, "triage", "--otlp", folder, "--at", truth["incident_time"], "--store", "none", "--format", "json"]
    if baseline is not None:
        command += ["--baseline", baseline]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode not in (0, 5, 6):
        raise AssertionError(f"exit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def finding(answer):
    """All but the warnings at the end, which name files and lines, and count what was unreadable."""
    return answer.split('"warnings"')[0]


def lines_of(folder):
    for path in sorted(folder.glob("*.otlp.jsonl.zst")):
        yield from subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout.splitlines(keepends=True)


def deal_anew(source, target, chance):
    """The lines of `source` in random order into a few files of random names, a part of them twice."""
    target.mkdir()
    lines = list(lines_of(source))
    lines += chance.sample(lines, int(len(lines) * REPEATED))
    chance.shuffle(lines)
    for i in range(FILES):
        (target / f"{chance.randrange(10**6):06}-{i}.jsonl").write_bytes(b"".join(lines[i::FILES]))


class SameAnswer(unittest.TestCase):
    maxDiff = 2000

    def check(self, case):
        truth = json.loads((case / "truth.json").read_text())
        baseline = case.parent / truth["baseline"] if truth.get("baseline") else None
        first = triage(case, baseline, truth)
        self.assertEqual(first, triage(case, baseline, truth), "the second run")
        for seed in (1, 2, 3):
            with tempfile.TemporaryDirectory() as place:
                chance, folders = random.Random(seed), [pathlib.Path(place) / "incident", pathlib.Path(place) / "baseline"]
                deal_anew(case, folders[0], chance)
                if baseline is not None:
                    deal_anew(baseline, folders[1], chance)
                again = triage(folders[0], folders[1] if baseline is not None else None, truth)
                self.assertEqual(finding(first), finding(again), f"{case.name}, dealt anew with seed {seed}")

    def test_the_shipped_incident(self):
        self.check(SHIPPED)

    def test_a_recorded_case_of_each_system(self):
        systems = sorted(p for p in (SHARED / "cases").glob("*") if p.is_dir())
        if not systems:
            self.skipTest(f"no recordings in {SHARED}")
        for system in systems:
            with self.subTest(system=system.name):
                self.check(min(system.rglob("truth.json")).parent)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
