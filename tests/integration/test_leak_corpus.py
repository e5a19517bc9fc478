#!/usr/bin/env python3
"""`faultline leak` says of small recordings of known programs what is true: verdict and function.

usage: test_leak_corpus.py FAULTLINE SOURCE

The recordings in tests/fixtures/profiles/go/ are a part of what tests/corpus/go-leaks/ records. The larger ones are for
scripts/leak-report. Prints a table of what was said.
"""
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(SOURCE / "tests/bench/leak_report"))
import recordings  # noqa: E402
import score  # noqa: E402

# The least number of recordings, so that a test without input cannot pass.
RECORDINGS = 10


def report(program, files):
    done = subprocess.run([program, "leak", "--format", "json", *map(str, files)], stdout=subprocess.PIPE, timeout=120)
    return done.stdout


def problem(recording, answer):
    if not score.accepted(recording, answer):
        return f"accepted is {' '.join(sorted(recording.accepted))}"
    if score.named(recording, answer) is False:
        return f"the function is one of {' '.join(recording.functions)}"
    return ""


def check_order(program, recording):
    """The order of the files is no part of the input."""
    files = recording.files()
    if report(program, files) != report(program, files[::-1]):
        sys.exit(f"{recording.folder}: another order of files gives another report")


def main():
    found = recordings.find(SOURCE / "tests/fixtures/profiles/go")
    if len(found) < RECORDINGS:
        sys.exit(f"only {len(found)} recordings in tests/fixtures/profiles/go")
    program = recordings.Program(sys.argv[1])
    wrong = []
    for recording, answer in zip(found, program.ask_all([r.files() for r in found])):
        text = problem(recording, answer)
        print(f"{recording.version:5} {recording.name:24} {answer.text:70} {text or 'ok'}")
        if text:
            wrong.append(f"{recording.version}/{recording.name}")
    for recording in (found[0], found[-1]):
        check_order(sys.argv[1], recording)
    if wrong or program.failures:
        sys.exit(f"wrong: {' '.join(wrong)}; {program.failures}")
    print(f"ok: {len(found)} recordings")


if __name__ == "__main__":
    main()
