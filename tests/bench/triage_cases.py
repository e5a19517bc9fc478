#!/usr/bin/env python3
"""CPU time and peak memory of triaging labelled cases, each by a process of its own.

usage: triage_cases.py FAULTLINE CASES

CASES holds, at any depth, a folder per case with a truth.json, of which only the time, the baseline and the symptom are used.
Prints one line per system, for docs/benchmarks.md.
"""
import json
import os
import pathlib
import subprocess
import sys


def triage(program, case):
    """(CPU seconds, peak resident bytes, exit code) of one triage."""
    truth = json.loads((case / "truth.json").read_text())
    command = [program, "triage", "--otlp", str(case), "--at", truth["incident_time"], "--store", "none", "--format", "json"]
    if truth.get("baseline"):
        baseline = case.parent / truth["baseline"]
        command += ["--baseline", str(baseline)]
        if (baseline / "service_graph.json").is_file():
            command += ["--topology", str(baseline / "service_graph.json")]
    if truth.get("symptom"):
        command += ["--service", truth["symptom"]["node"]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    cases = sorted(p.parent for p in folder.rglob("truth.json"))
    if not cases:
        sys.exit(f"triage_cases.py: no case under {folder}")
    results = [(case.name, *triage(program, case)) for case in cases]
    broken = [f"{name} (exit code {code})" for name, _, _, code in results if code not in (0, 5, 6)]
    if broken:
        sys.exit("triage_cases.py: failed: " + ", ".join(broken))
    cpu, peak = sum(r[1] for r in results), max(r[2] for r in results)
    slowest = max(results, key=lambda r: r[1])
    print(f"{folder.name}: {len(results)} cases, {cpu:.2f} s CPU in all, the slowest {slowest[0]} {slowest[1]:.2f} s, peak memory {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
