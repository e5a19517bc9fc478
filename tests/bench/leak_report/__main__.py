"""How good is `faultline leak`? Markdown tables over folders of labelled recordings DIR/<version>/<program>/.

The built binary answers every question; this only asks, counts and prints. Nothing is kept between runs.

  verdicts   all files of each program: accepted verdict, accepted function first, the wrong ones; the growth
  fewer      every second and third snapshot, the first half and third, the last few: unsaid, wrong, wrong with confidence over 0.8
             and, over both, how often what is said with some confidence is right
  windows    healthy programs, each run of 4 or more neighbouring snapshots alone: false alarms
"""
import argparse
import itertools
import pathlib
import statistics
import sys

import recordings as lab
import score

SECTIONS = ("verdicts", "fewer", "windows")
SHORTEST_WINDOW = 4


def table(head, rows):
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")


def by_version(found, values):
    pairs = sorted(zip(found, values), key=lambda pair: [int(n) for n in pair[0].version.split(".") if n.isdigit()])
    for version, group in itertools.groupby(pairs, key=lambda pair: pair[0].version):
        yield version, list(group)


def remark(recording, answer):
    if not score.accepted(recording, answer):
        return "unsaid" if answer.verdict == lab.UNSAID else ("WRONG, sure" if score.wrong_and_sure(recording, answer) else "wrong")
    if score.named(recording, answer) is False:
        return "other function"
    return "other kind" if score.kind(recording, answer) == "other" else "ok"


def verdicts(program, found, every):
    """Returns the answers; prints a row a version, then what is not right, or every program."""
    answers = program.ask_all([r.files() for r in found])
    rows, detail = [], []
    for version, group in by_version(found, answers):
        ok = [score.accepted(r, a) for r, a in group]
        names = [n for n in (score.named(r, a) for r, a in group) if n is not None]
        held = [n for n in (score.held(r, a) for r, a in group) if n is not None]
        kinds = [k for k in (score.kind(r, a) for r, a in group) if k]
        alarms = [score.false_alarm(a) for r, a in group if r.healthy]
        rows.append((version, score.share(sum(ok), len(ok)), score.share(sum(names), len(names)), score.share(sum(held), len(held)),
                     score.share(kinds.count("right"), len(kinds)), kinds.count("other"),
                     score.share(sum(alarms), len(alarms)), sum(score.wrong_and_sure(r, a) for r, a in group)))
        detail += [(f"{version}/{r.name}", remark(r, a), a.text, f"{' '.join(sorted(r.accepted))}: {' '.join(r.functions)}; {' '.join(r.kinds)}", a.where)
                   for r, a in group if every or remark(r, a) != "ok"]
    print("\n## Verdicts")
    table(("Go", "accepted verdict", "function first", "function or holder", "right kind", "other kind", "false alarms", "wrong over 0.8"), rows)
    if detail:
        table(("program", "", "said", "accepted", "at"), detail)
    return answers


def growth(pairs):
    """Is the rate that is known within the interval that is said?"""
    known = [(r, a) for r, a in pairs if r.growth and a.growth and a.verdict == lab.LEAK]
    if not known:
        return
    inside = sum(a.growth[0] <= r.growth <= a.growth[2] for r, a in known)
    ratios = [a.growth[1] / r.growth for r, a in known]
    print("\n## Growth, of leaks whose rate is known")
    table(("leaks", "within the interval", "said over true: median", "least", "most"),
          [(len(known), score.share(inside, len(known)), *(f"{f(ratios):.2f}" for f in (statistics.median, min, max)))])


def counted(found, answers):
    return (len(answers), sum(score.accepted(r, a) for r, a in zip(found, answers)),
            sum(a.verdict == lab.UNSAID for a in answers), sum(score.wrong(r, a) for r, a in zip(found, answers)),
            sum(score.wrong_and_sure(r, a) for r, a in zip(found, answers)))


def fewer(program, found, bare):
    """Returns all answers, each with its recording; prints a row a way of leaving snapshots out."""
    found = [r for r in found if r.numbers()]
    ways = (("every second", lambda n: score.thinned(n, 2), bare), ("every third", lambda n: score.thinned(n, 3), bare),
            ("first half", lambda n: score.prefix(n, 2), bare), ("first third", lambda n: score.prefix(n, 3), bare),
            ("last 3, nothing else", lambda n: n[-3:], True), ("last 2, nothing else", lambda n: n[-2:], True),
            ("last one, nothing else", lambda n: n[-1:], True))
    rows, sure, asked = [], [], []
    for name, choose, alone in ways:
        answers = program.ask_all([r.of_snapshots(set(choose(r.numbers())), alone) for r in found])
        rows.append((name, *counted(found, answers)))
        asked += zip(found, answers)
        sure += [(f"{r.version}/{r.name}", name, a.text, " ".join(sorted(r.accepted)))
                 for r, a in zip(found, answers) if score.wrong_and_sure(r, a)]
    print("\n## Fewer snapshots")
    table(("snapshots", "programs", "accepted", "unsaid", "wrong", "wrong over 0.8"), rows)
    if sure:
        table(("program", "snapshots", "said", "accepted"), sure)
    return asked


def confidence(pairs):
    """Is what is said with 0.9 right nine times in ten? Over all questions with an answer."""
    rows = []
    for low, high in zip((0.0, 0.5, 0.6, 0.7, 0.8, 0.9), (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)):
        own = [score.accepted(r, a) for r, a in pairs if a.verdict != lab.UNSAID and low <= a.confidence < high]
        if own:
            rows.append((f"{low:.1f} to {min(high, 1.0):.1f}", len(own), score.share(sum(own), len(own))))
    print("\n## Confidence")
    table(("said with", "answers", "accepted"), rows)


def windows(program, found):
    healthy = [r for r in found if r.healthy and r.numbers()]
    cuts = [(r, w) for r in healthy for w in score.windows(r.numbers(), SHORTEST_WINDOW)]
    answers = program.ask_all([r.of_snapshots(set(w), bare=True) for r, w in cuts])
    rows = []
    for recording in healthy:
        own = [(w, a) for (r, w), a in zip(cuts, answers) if r is recording]
        alarms = [(w, a) for w, a in own if score.false_alarm(a)]
        if alarms:
            w, a = max(alarms, key=lambda pair: pair[1].confidence)
            rows.append((f"{recording.version}/{recording.name}", score.share(len(alarms), len(own)), f"{w[0]}-{w[-1]}: {a.text}"))
    print("\n## Windows of healthy programs")
    alarms = sum(map(score.false_alarm, answers))
    table(("programs", "windows", "false alarms", "over 0.8", "unsaid"),
          [(len(healthy), len(cuts), score.share(alarms, len(cuts)),
            sum(score.false_alarm(a) and a.confidence > lab.CONFIDENT for a in answers), sum(a.verdict == lab.UNSAID for a in answers))])
    if rows:
        table(("program", "false alarms", "the surest"), rows)


def options_of():
    parser = argparse.ArgumentParser(prog="leak-report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, action="append", required=True, metavar="DIR", help="may be repeated")
    parser.add_argument("--faultline", required=True, metavar="BINARY", help="the program to ask")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION", help=f"one of {', '.join(SECTIONS)}; may be repeated")
    parser.add_argument("--program", action="append", metavar="NAME", help="only recordings of this name; may be repeated")
    parser.add_argument("--go", action="append", metavar="MINOR", help="only recordings of this version; may be repeated")
    parser.add_argument("--bare", action="store_true", help="fewer: leave the files out that belong to no single snapshot")
    parser.add_argument("--every", action="store_true", help="verdicts: show every program")
    parser.add_argument("--option", action="append", default=[], metavar="ARG", help="passed on to `faultline leak`")
    return parser.parse_args()


def main():
    options = options_of()
    found = [r for folder in options.corpus for r in lab.find(folder)
             if (not options.program or r.name in options.program) and (not options.go or r.version in options.go)]
    if not found:
        sys.exit(f"leak-report: no recording <version>/<program>/truth.json below {' '.join(map(str, options.corpus))}")
    wanted = options.only or SECTIONS
    program = lab.Program(options.faultline, options.option)
    asked = []
    if "verdicts" in wanted:
        asked += zip(found, verdicts(program, found, options.every))
        growth(asked)
    if "fewer" in wanted:
        asked += fewer(program, found, options.bare)
    if asked:
        confidence(asked)
    if "windows" in wanted:
        windows(program, found)
    for text in program.failures[:10]:
        print(f"leak-report: no answer: {text}", file=sys.stderr)
    print(f"\n{program.asked} questions, {1000 * program.seconds / max(1, program.asked):.0f} ms each", file=sys.stderr)


if __name__ == "__main__":
    main()
