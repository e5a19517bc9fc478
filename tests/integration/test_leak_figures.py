#!/usr/bin/env python3
"""`faultline leak` on the labelled recordings of Go programs: the figures of docs/leaks-method.md, with floors.

usage: test_leak_figures.py FAULTLINE SOURCE

Skipped where the recordings are not there: FL_SHARED, else ../shared beside the tree.
"""
import os
import pathlib
import sys

# By Go version. One label of the recordings contradicts its own recording (docs/leaks-method.md, "Figures"), which is
# one program in 19: the floor of the verdicts is that much below the goal of 0.95, and the answers about that program
# are counted as they are.
FLOORS = {"accepted verdict": 0.94, "function first": 0.90, "windows without a false alarm": 0.97}
MOST_WRONG_AND_SURE = 1  # of all programs with all, half and a third of their snapshots: that one
SKIPPED = 77


def share(part, whole):
    return part / whole if whole else 1.0


def main():
    source = pathlib.Path(sys.argv[2])
    sys.path.insert(0, str(source / "tests/bench/leak_report"))
    import recordings
    import score

    folder = pathlib.Path(os.environ.get("FL_SHARED", source / "../shared")) / "profiles/go"
    found = recordings.find(folder) if folder.is_dir() else []
    if not found:
        print(f"skipped: no recordings in {folder}")
        return SKIPPED
    program, problems = recordings.Program(sys.argv[1]), []

    def hold(name, what, part, whole):
        print(f"{name}: {what} {part}/{whole} = {share(part, whole):.3f}, at least {FLOORS[what]}")
        if share(part, whole) < FLOORS[what]:
            problems.append(f"{name}: {what} {share(part, whole):.3f}")

    answers = program.ask_all([r.files() for r in found])
    sure = {}
    for version in sorted({r.version for r in found}):
        own = [(r, a) for r, a in zip(found, answers) if r.version == version]
        named = [(r, a) for r, a in own if r.functions and score.accepted(r, a)]
        hold(version, "accepted verdict", sum(score.accepted(r, a) for r, a in own), len(own))
        hold(version, "function first", sum(score.named(r, a) for r, a in named), len(named))
    snapped = [r for r in found if r.numbers()]
    for step in (1, 2, 3):
        cut = [r.of_snapshots(set(score.thinned(r.numbers(), step))) for r in snapped]
        for recording, answer in zip(snapped, program.ask_all(cut)):
            if score.wrong_and_sure(recording, answer):
                sure.setdefault((recording.version, recording.name), []).append(f"1/{step}: {answer.text}")
    for (version, name), said in sorted(sure.items()):
        print(f"wrong and sure: {version}/{name}: {', '.join(said)}")
    if len(sure) > MOST_WRONG_AND_SURE:
        problems.append(f"{len(sure)} programs with a wrong verdict over {recordings.CONFIDENT}")
    healthy = [r for r in snapped if r.healthy]
    windows = [r.of_snapshots(set(w), bare=True) for r in healthy for w in score.windows(r.numbers(), 4)]
    quiet = sum(not score.false_alarm(a) for a in program.ask_all(windows))
    hold("healthy", "windows without a false alarm", quiet, len(windows))
    problems += program.failures
    print("\n".join(problems) or f"{program.asked} questions, {1000 * program.seconds / program.asked:.0f} ms each")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
