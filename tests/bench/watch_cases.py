#!/usr/bin/env python3
"""How many labelled incidents open by themselves: their spans are told to the watch as they would have come.

usage: watch_cases.py --cases DIR [--cases DIR]... --bench BINARY     (build/release/tests/bench_watch_cases)

An incident opens where the watch tells of a break that begins no more than two minutes before the fault did. A break
that begins earlier, or where nothing is wrong, is a false one. The watch wants ten minutes of past beside the ten that it looks
at: cases with fewer are passed over and said so. The entry is right where the broken service has spans without a parent.
"""
import argparse
import collections
import gzip
import json
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "rank_report"))
import cases as lab  # noqa: E402

EARLY_S, FEWEST_PAST_S = 120, 1260


def entries(paths):
    """Services of most roots of traces: those with a tenth of them or more."""
    roots = collections.Counter()
    for path in paths:
        opened = gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8")
        with opened as lines:
            for line in lines:
                for resource in json.loads(line).get("resourceSpans", ()):
                    names = {a["key"]: a["value"].get("stringValue") for a in resource["resource"]["attributes"]}
                    roots[names["service.name"]] += sum(not s.get("parentSpanId") for scope in resource["scopeSpans"] for s in scope["spans"])
    return {name for name, count in roots.items() if count >= 0.1 * sum(roots.values()) and count > 0}


def ask(bench, paths):
    done = subprocess.run([bench, *map(str, paths)], stdout=subprocess.PIPE, text=True, check=True)
    breaks, seen = [], None
    for line in done.stdout.splitlines():
        words = line.split()
        if words[0] == "seen":
            seen = float(words[1]), float(words[2])
        else:
            breaks.append((words[0], words[1], float(words[2]), float(words[3])))
    return breaks, seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=pathlib.Path, required=True, action="append", metavar="DIR")
    parser.add_argument("--bench", required=True, metavar="BINARY")
    options = parser.parse_args()
    rows, short, hours = {}, 0, 0.0
    for case in (c for folder in options.cases for c in lab.find(folder)):
        paths = lab.telemetry(case.folder).get("traces", [])
        breaks, seen = ask(options.bench, paths) if paths else ([], None)
        began = case.began_ns / 1e9
        if seen is None or began - seen[0] < FEWEST_PAST_S:
            short += 1
            continue
        hours += (seen[1] - seen[0]) / 3600
        row = rows.setdefault(case.scenario or case.system, {"n": 0, "delays": [], "right": 0, "kinds": set(), "false": 0, "faulty": bool(case.causes)})
        row["n"] += 1
        found = [b for b in breaks if case.causes and b[2] >= began - EARLY_S]
        row["false"] += len(breaks) - len(found)
        if found:
            row["delays"].append(min(b[3] for b in found) - began)
            row["kinds"] |= {b[0] for b in found}
            row["right"] += min(found, key=lambda b: b[3])[1] in entries(paths)
    lab.table(["case", "n", "open", "the entry is right", "after (median)", "after (worst)", "by", "false breaks"],
              [[name, r["n"], len(r["delays"]) if r["faulty"] else "", r["right"] if r["delays"] else "",
                f"{statistics.median(r['delays']):.0f} s" if r["delays"] else "", f"{max(r['delays']):.0f} s" if r["delays"] else "",
                ", ".join(sorted(r["kinds"])), r["false"]] for name, r in sorted(rows.items())])
    print(f"\n{short} cases with too little of a past are passed over; {hours:.1f} hours of spans in all")


if __name__ == "__main__":
    main()
