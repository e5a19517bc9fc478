"""How good is the ranking? Markdown tables over folders of labelled cases.

The built binary answers every question (`triage --format json --store none`); this only asks,
counts and prints. Nothing is kept between runs.
"""
import argparse
import pathlib
import sys
import time

import alerts
import calibration
import cases as lab
import healthy
import sections

SECTIONS = ("exact", "at", "modalities", "healthy", "calibration", "alerts")


def main():
    parser = argparse.ArgumentParser(prog="rank-report", description=__doc__)
    parser.add_argument("--cases", type=pathlib.Path, required=True, action="append", metavar="DIR",
                        help="labelled cases, as drill reads them; may be repeated")
    parser.add_argument("--faultline", required=True, metavar="BINARY", help="the program to ask")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION",
                        help=f"one of {', '.join(SECTIONS)}; may be repeated")
    options = parser.parse_args()
    found = [case for folder in options.cases for case in lab.find(folder)]
    if not found:
        sys.exit(f"rank-report: no folder with a truth.json below {', '.join(map(str, options.cases))}")
    recorded = [case for case in found if case.scenario is None]
    made_up = [case for case in found if case.scenario is not None]
    wanted = options.only or SECTIONS
    program, began = lab.Program(options.faultline), time.monotonic()
    answers = dict(zip(map(id, found), sections.exact(program, found))) if {"exact", "calibration", "alerts"} & set(wanted) else {}
    if made_up and answers:
        sections.scenarios(made_up, [answers[id(case)] for case in made_up])
    if "alerts" in wanted:
        alerts.alerts(program, found, answers)
    if "at" in wanted:
        sections.at(program, found)
    if "modalities" in wanted:
        sections.modalities(program, found)
    quiet = healthy.healthy(program, recorded) if recorded and ("healthy" in wanted or "calibration" in wanted) else None
    if recorded and "calibration" in wanted:
        calibration.calibration(recorded, [answers[id(case)] for case in recorded], quiet)
    print(f"\n{program.asked} triages, {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
