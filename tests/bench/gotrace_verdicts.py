#!/usr/bin/env python3
"""What `faultline trace` says of programs with one known fault each, and of healthy ones that look like them.

usage: gotrace_verdicts.py FAULTLINE SECONDS TOOLCHAIN...

Builds tests/bench/gotrace-cases with each toolchain (go1.22.12 ...; the Go that is installed fetches what is missing), runs each case for
so long (where the machine starves it and a fault is missed, once more for four times as long), and prints a row a case: how much of the processor time that it seemed to run it got (below 0.8 the machine was short of processors),
what was found, where, and how sure that is. Exit code 1 where a fault was missed, or health was blamed with more than even odds.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent / "gotrace-cases"
# From Go 1.24 on maps grow table by table: what is a fault before is none then.
CASES = [("pointers", "trace-gc-pointers"), ("flat", None), ("storm", "trace-assist-storm"), ("steady", None), ("copies", "trace-stw-tail"),
         ("pieces", None), ("halts", "trace-stw-tail"), ("brief", None), ("grow", "trace-map-spike"), ("presized", None), ("convoy", "trace-lock-convoy"), ("polite", None),
         ("leak", "trace-goroutine-leak"), ("burst", None)]

STARVED = 0.8


def findings(program, faultline, case, seconds, place):
    trace = place / f"{case}.trace"
    with trace.open("wb") as out:
        subprocess.run([program, "-case", case, "-seconds", seconds], stdout=out, check=True, timeout=300)
    done = subprocess.run([faultline, "trace", trace, "--format", "json"], capture_output=True, check=True, timeout=300)
    trace.unlink()
    document = json.loads(done.stdout)
    ran_ns = sum(use["running_ns"] + use["marking_ns"] for use in document["processor_use"])
    return [(f["signature"], (f["place"] or {"function": "the program"})["function"], f["confidence"]) for f in document["findings"]], (
        document["samples"] * 1e7 / max(ran_ns, 1))


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    faultline, seconds, wrong = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], 0
    for toolchain in sys.argv[3:]:
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            program = place / "cases"
            subprocess.run(["go", "build", "-o", program, SOURCE / "main.go"], check=True, timeout=600,
                           env={**os.environ, "GOTOOLCHAIN": toolchain, "GOFLAGS": "-mod=mod", "GO111MODULE": "off"})
            for case, expected in CASES:
                if case == "grow" and int(toolchain.split(".")[1]) >= 24:
                    expected = None
                found, cpu = findings(program, faultline, case, seconds, place)
                if cpu < STARVED and expected not in {None, *(name for name, _, _ in found)}:  # it did a part of its work only
                    found, cpu = findings(program, faultline, case, str(4 * float(seconds)), place)
                names = {name for name, _, _ in found}  # a storm over many pointers is both
                good = expected in names if expected else all(sure < 0.5 for _, _, sure in found)
                wrong += not good
                said = ", ".join(f"{name} in {where} ({sure:.2f})" for name, where, sure in found)
                print(f"| {toolchain} | {case} | {cpu:.2f} | {said or 'nothing'} | {'' if good else 'wrong'} |", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
