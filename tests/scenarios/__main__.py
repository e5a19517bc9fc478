"""Write made-up incidents as folders of labelled cases, as `faultline drill --cases` reads them.

usage: python3 tests/scenarios OUT [--seeds N] [--first SEED] [--only NAME]... [--before S] [--after S]

OUT/made-up/NAME-SEED holds telemetry (OTLP JSON lines, gzip), truth.json, and events.jsonl where something was deployed;
OUT/made-up-healthy/NAME-SEED the same where nothing is wrong. The same name and seed give the same bytes. table.py says what is
wrong in each.
"""
import argparse
import datetime
import json
import pathlib
import sys

import table
from load import Load, MINUTE_NS
from system import Chance, make_system

FIRST_DAY = datetime.datetime(2026, 1, 12, tzinfo=datetime.timezone.utc)


def time_text(at_ns):
    moment = datetime.datetime.fromtimestamp(at_ns // 10**9, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % 10**9:09d}Z"


# Of the kinds of faults those that are a cause; the others are circumstances, or come with one.
HARM = {"slow", "throws", "cpu", "network", "leak", "down", "neighbour"}


def moment_of(chance):
    """Any minute of four weeks."""
    return int(FIRST_DAY.timestamp()) * 10**9 + chance.whole(0, 28 * 24 * 60) * MINUTE_NS


def write(folder, name, seed, make, longer):
    """`longer`: seconds before and after at least, where a scenario is not about having few."""
    system, chance = make_system(f"{name}/{seed}"), Chance("incident", name, seed)
    incident, at_ns = make(system, chance), moment_of(chance)
    load = Load(system, at_ns, Chance("load", name, seed), incident.faults, max(incident.before_s, longer[0]),
                max(incident.after_s, longer[1]))
    load.run().write(folder)
    truth = {"case": f"{folder.parent.name}/{folder.name}", "scenario": name, "seed": seed, "incident_time": time_text(at_ns),
             "root_cause": incident.causes[0] if incident.causes else None}
    began_s = [fault.begin_s for fault in incident.faults if fault.kind in HARM]
    if incident.causes and began_s:
        truth["began"] = time_text(at_ns + int(min(began_s) * 10**9))
    if len(incident.causes) > 1:
        truth["further_causes"] = incident.causes[1:]
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    if incident.events:
        lines = [{"time": time_text(at_ns + int(second * 10**9)), "kind": "deploy", "service": service, "version": version}
                 for second, service, version in incident.events]
        (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def main():
    parser = argparse.ArgumentParser(prog="scenarios", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path, metavar="OUT")
    parser.add_argument("--seeds", type=int, default=6, metavar="N", help="cases a scenario (6)")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first seed (1)")
    parser.add_argument("--only", action="append", metavar="NAME", help="one scenario; may be repeated")
    parser.add_argument("--before", type=int, default=0, metavar="S", help="at least so many seconds before the incident (720 for most)")
    parser.add_argument("--after", type=int, default=0, metavar="S", help="and after it (240)")
    options = parser.parse_args()
    groups = {"made-up": table.FAULTY, "made-up-healthy": table.HEALTHY}
    known = [name for group in groups.values() for name in group]
    for name in options.only or ():
        if name not in known:
            sys.exit(f"scenarios: no {name}; there are {', '.join(known)}")
    for group, scenarios in groups.items():
        for name, make in scenarios.items():
            for seed in range(options.first, options.first + options.seeds):
                if not options.only or name in options.only:
                    write(options.out / group / f"{name}-{seed:02d}", name, seed, make, (options.before, options.after))


if __name__ == "__main__":
    main()
