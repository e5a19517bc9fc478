"""How good is the ranking? Markdown tables over folders of labelled cases.

The built binary answers every question (`triage --format json --store none`); this only asks,
counts and prints. Nothing is kept between runs.
"""
import argparse
import pathlib
import sys
import time

import calibration
import cases as lab
import healthy
import sections

SECTIONS = ("exact", "at", "modalities", "healthy", "calibration")


def main():
    parser = argparse.ArgumentParser(prog="rank-report", description=__doc__)
    parser.add_argument("--cases", type=pathlib.Path, required=True, metavar="DIR", help="labelled cases, as drill reads them")
    parser.add_argument("--faultline", required=True, metavar="BINARY", help="the program to ask")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION",
                        help=f"one of {', '.join(SECTIONS)}; may be repeated")
    options = parser.parse_args()
    found = lab.find(options.cases)
    if not found:
        sys.exit(f"rank-report: no folder with a truth.json below {options.cases}")
    wanted = options.only or SECTIONS
    program, began = lab.Program(options.faultline), time.monotonic()
    answers = sections.exact(program, found) if "exact" in wanted or "calibration" in wanted else None
    if "at" in wanted:
        sections.at(program, found)
    if "modalities" in wanted:
        sections.modalities(program, found)
    quiet = healthy.healthy(program, found) if "healthy" in wanted or "calibration" in wanted else None
    if "calibration" in wanted:
        calibration.calibration(found, answers, quiet)
    print(f"\n{program.asked} triages, {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
