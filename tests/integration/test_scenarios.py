#!/usr/bin/env python3
"""Made-up incidents, two seeds of each scenario of tests/scenarios: the table of drill and of each scenario, and floors for
what the ranking can do. A floor is a share of hits at 1; what is known to be missed has none, and docs/correlation.md says why.

usage: test_scenarios.py FAULTLINE SOURCE
"""
import json
import pathlib
import subprocess
import sys
import tempfile

SEEDS = 2
# Of all scenarios of a system, and of single ones that must not be lost to a gain elsewhere.
SYSTEMS = {"made-up": 0.8, "made-up-healthy": 0.7}
SCENARIOS = {name: 0.5 for name in (
    "slow-operation", "exception", "cpu", "network", "memory-leak", "two-faults", "node-neighbour", "innocent-deploy", "guilty-deploy",
    "service-down", "surge-and-fault", "clock-skew", "sampling-begins", "quiet", "surge", "deploy", "usual-errors", "traces-lost", "recovered")}


def make(source, out, *options):
    subprocess.run([sys.executable, str(source / "tests/scenarios"), str(out), *options], check=True)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check_same(source, folder):
    """The same name and seed, the same bytes; another seed, others."""
    options = ("--only", "two-faults", "--only", "deploy")
    for name, first in (("one", "1"), ("again", "1"), ("other", "2")):
        make(source, folder / name, "--seeds", "1", "--first", first, *options)
    one, again = contents(folder / "one"), contents(folder / "again")
    if one != again:
        sys.exit("the same seeds gave different files: " + ", ".join(name for name in one if one[name] != again.get(name)))
    if set(one.values()) & set(contents(folder / "other").values()):
        sys.exit("another seed gave the same file")


def tally(cases, misses):
    """{scenario: [hits at 1, cases]}."""
    out = {}
    for truth in sorted(cases.rglob("truth.json")):
        row = out.setdefault(json.loads(truth.read_text())["scenario"], [0, 0])
        row[0] += str(truth.parent.relative_to(cases)) not in misses
        row[1] += 1
    return out


def drill(program, cases):
    done = subprocess.run([program, "drill", "--cases", str(cases), "--format", "json"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"drill ended with {done.returncode}")
    return json.loads(done.stdout)


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        check_same(source, folder)
        make(source, folder / "cases", "--seeds", str(SEEDS))
        found = drill(program, folder / "cases")
        scenarios = tally(folder / "cases", {miss["case"] for miss in found["misses"] if miss["service_rank"] != 1})
    wanted = [(system["system"], system["ac"]["1"], SYSTEMS[system["system"]]) for system in found["systems"]]
    wanted += [(name, hits / n, SCENARIOS.get(name, 0)) for name, (hits, n) in scenarios.items()]
    for name, share, floor in wanted:
        print(f"{name:26}{share:6.2f}   {f'at least {floor}' if floor else 'no floor'}")
    lost = [name for name, share, floor in wanted if share < floor] + sorted(SCENARIOS.keys() - scenarios.keys())
    if lost or len(found["systems"]) != len(SYSTEMS):
        sys.exit("below the floor: " + ", ".join(lost))


if __name__ == "__main__":
    main()
