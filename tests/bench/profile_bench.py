#!/usr/bin/env python3
"""Time faultline profile and go tool pprof on the same profiles, one after the other.

usage: profile_bench.py FAULTLINE FOLDER [--rounds N]

FOLDER gets the profiles of profile_inputs.py unless they are there. Each job runs N times (5 unless told), the
programs in turn; printed is the median of CPU seconds (user and system), of wall seconds, and the largest resident
set. Where go is missing the peer's columns are.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def measure(command, folder):
    """CPU seconds, wall seconds, MB of one run whose output is thrown away."""
    environment = dict(os.environ, PPROF_TMPDIR=str(folder))
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss * 1024 / 1e6


def summary(runs):
    cpu, wall, resident = zip(*runs)
    return statistics.median(cpu), statistics.median(wall), max(resident)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faultline", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    folder, go = arguments.folder, shutil.which("go")
    if not (folder / "small-09.pb.gz").is_file() or not (folder / "full-2.pb.gz").is_file():
        subprocess.run([sys.executable, HERE / "profile_inputs.py", folder], check=True)
    one, two, full, other = (str(folder / f"{name}-{at}.pb.gz") for name in ("big", "full") for at in (1, 2))
    small = sorted(map(str, folder.glob("small-*.pb.gz")))
    ours, theirs = [arguments.faultline, "profile"], [go, "tool", "pprof"]
    jobs = [
        ("top, 375,000 samples", [*ours, "top", one], [*theirs, "-top", one]),
        ("top of its alloc_space", [*ours, "top", "--sample-type", "alloc_space", one], [*theirs, "-top", "-sample_index=alloc_space", one]),
        ("top where all are in use", [*ours, "top", full], [*theirs, "-top", full]),
        ("tree of the first", [*ours, "tree", one], [*theirs, "-tree", one]),
        ("diff of two such", [*ours, "diff", one, two], [*theirs, "-top", f"-diff_base={one}", two]),
        ("diff where all are in use", [*ours, "diff", full, other], [*theirs, "-top", f"-diff_base={full}", other]),
        ("top, sum of 10 small ones", [*ours, "top", *small], [*theirs, "-top", *small]),
    ]
    print(f"{'':26}{'faultline: CPU s':>17}{'wall s':>8}{'MB':>6}{'go: CPU s':>12}{'wall s':>8}{'MB':>7}{'CPU x':>8}{'wall x':>8}")
    for name, mine, peer in jobs:
        runs = [(measure(mine, folder), measure(peer, folder) if go else None) for _ in range(arguments.rounds)]
        cpu, wall, resident = summary([run[0] for run in runs])
        line = f"{name:26}{cpu:17.3f}{wall:8.3f}{resident:6.0f}"
        if go:
            go_cpu, go_wall, go_resident = summary([run[1] for run in runs])
            line += f"{go_cpu:12.3f}{go_wall:8.3f}{go_resident:7.0f}{go_cpu / cpu:8.1f}{go_wall / wall:8.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
