#!/usr/bin/env python3
"""rank-report counts what drill counts: on the recordings of the example, and on the labelled ones where they are there.

usage: test_rank_report.py FAULTLINE SOURCE
"""
import json
import os
import pathlib
import subprocess
import sys

KS = ("1", "3", "5")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def reported(program, source, cases):
    """{system: (n, AC@k, n of fine ones, AIS@k)} of the first table."""
    command = [sys.executable, str(source / "tests/bench/rank_report"), "--cases", str(cases), "--faultline", program, "--only", "exact"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    rows = [cells(line) for line in done.stdout.split("\n\n")[1].splitlines()[2:]]
    return {row[0]: row[1:9] for row in rows}


def drilled(program, cases):
    done = subprocess.run([program, "drill", "--cases", str(cases), "--format", "json"], stdout=subprocess.PIPE, check=True)
    out = {}
    for system in json.loads(done.stdout)["systems"]:
        row = [str(system["n"]), *(f"{system['ac'][k]:.3f}" for k in KS)]
        fine = system["ais"]
        row += [str(fine["n"]), *(f"{fine[k]:.3f}" for k in KS)] if fine else ["0", "", "", ""]
        out[system["system"]] = row
    return out


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    folders = [source / "examples/shop/incidents"]
    shared = pathlib.Path(os.environ.get("FL_SHARED", source.parent / "shared")) / "cases"
    if shared.is_dir():
        folders.append(shared)
    else:
        print(f"skipped: no labelled recordings in {shared}")
    for folder in folders:
        own, theirs = reported(program, source, folder), drilled(program, folder)
        if own != theirs:
            sys.exit(f"{folder}: rank-report says {own}, drill says {theirs}")
    print(f"ok: {len(folders)} folders")


if __name__ == "__main__":
    main()
