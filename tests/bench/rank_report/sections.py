"""The tables over labelled cases: at the exact time, at other times, from fewer modalities."""
import itertools

import alarm
import onset
from cases import KS, MODALITIES, SECOND_NS, accuracy, by_system, fine_accuracy, score, share, table, telemetry


def ask(program, cases, questions):
    return [score(answer, case) for answer, case in zip(program.answers(questions), cases)]


def figures(cases, scores):
    """AC@k, AIS@k, and how sure the answers were: a row from n on."""
    fine = [c for c in cases if c.is_fine]
    misses = [s for s in scores if s.service != 1]
    return [len(cases), *(accuracy(scores, k) for k in KS), len(fine), *(fine_accuracy(cases, scores, k) for k in KS),
            share(s.confident for s in scores), f"{sum(s.confident for s in misses)} of {len(misses)}"]


FIGURES = ("n", *(f"AC@{k}" for k in KS), "n (fine)", *(f"AIS@{k}" for k in KS), "confident", "misses that were confident")


def groups_of(cases, scores):
    """(system, its cases, their scores)."""
    for system, own in by_system(cases).items():
        yield system, own, [s for c, s in zip(cases, scores) if c.system == system]


def describe(hypothesis):
    """A hypothesis in one line."""
    locus = hypothesis["locus"]
    where = locus["name"] or ""
    if locus["before"]:
        where = f"{locus['before'][:60]} … {locus['after'][:60]}"
    return f"{hypothesis['service']}, {hypothesis['cause']}, {hypothesis['probability']:.2f}, {where}"


def truth_of(case):
    texts = []
    for truth in case.causes:
        finer = truth.get("resource") or " … ".join(truth.get("code_region") or ())
        texts.append(f"{truth['service']}, {finer}" if finer else truth["service"])
    return "; ".join(texts) or "nothing"


def exact(program, cases):
    """Returns the answers, for the calibration."""
    answers = program.answers([case.question() for case in cases])
    scores = [score(answer, case) for answer, case in zip(answers, cases)]
    print("### At the incident's time\n")
    table(["system", *FIGURES], [[system, *figures(own, s)] for system, own, s in groups_of(cases, scores)])
    kinds = {"resource": "a resource", "code_region": "a code region"}
    rows = [[system, kinds[kind], len(kept), *(fine_accuracy([c for c, _ in kept], [s for _, s in kept], k) for k in KS),
             accuracy([s for _, s in kept], 1)]
            for system, own, of in groups_of(cases, scores) for kind in kinds
            if (kept := [(c, s) for c, s in zip(own, of) if c.is_fine and c.causes[0].get(kind)])]
    if rows:
        table(["system", "the cause is", "n", *(f"AIS@{k}" for k in KS), "AC@1"], rows)
    misses = [[c.name, truth_of(c), s.service or "-", (s.cause or "-") if c.is_fine else "",
               describe(a["hypotheses"][0]) if a is not None and a["hypotheses"] else "none", "yes" if s.confident else "no"]
              for c, s, a in zip(cases, scores, answers) if s.service != 1 or (c.is_fine and s.cause != 1)]
    if misses:
        print("Not first:\n")
        table(["case", "true", "rank of the service", "of the cause", "first hypothesis", "confident"], misses)
    return answers


def scenarios(made_up, answers):
    """A row for each scenario; `answers` are those to the exact time."""
    rows = {}
    for case, answer in zip(made_up, answers):
        rows.setdefault((case.system, case.scenario), []).append((case, score(answer, case)))
    print("### Made-up scenarios\n")
    table(["system", "scenario", "n", "AC@1", "AC@3", "n (fine)", "AIS@1", "AIS@3", "confident"],
          [[*key, len(own), accuracy(of, 1), accuracy(of, 3), sum(c.is_fine for c in own), fine_accuracy(own, of, 1),
            fine_accuracy(own, of, 3), share(s.confident for s in of)]
           for key, kept in rows.items() for own, of in [([c for c, _ in kept], [s for _, s in kept])]])


def at(program, cases):
    print("### When the time is not exact\n")
    rows, began, alarms = [], [], [alarm.first_alarm(case) for case in cases]
    times = [(f"{shift:+d} s", [case.at_ns + shift * SECOND_NS for case in cases]) for shift in (0, -60, 60, 120)]
    times.append(("first alarm", [time if time is not None else case.at_ns for case, time in zip(cases, alarms)]))
    times.append(("first alarm + 60 s", [time + 60 * SECOND_NS if time is not None else case.at_ns for case, time in zip(cases, alarms)]))
    for name, moments in times:
        answers = program.answers([case.question(at_ns=moment) for case, moment in zip(cases, moments)])
        scores = [score(answer, case) for answer, case in zip(answers, cases)]
        began += [[system, name if name != "+0 s" else "exact", *onset.figures(own, [a for a, c in zip(answers, cases) if c.system == system], s)]
                  for system, own, s in groups_of(cases, scores)]
        rows += [[system, name if name != "+0 s" else "exact", *figures(own, s)] for system, own, s in groups_of(cases, scores)]
    table(["system", "time", *FIGURES], sorted(rows, key=lambda row: row[0]))
    print("\nWhen it began, as the answer says, against the stated time of the injection:\n")
    table(["system", "time", *onset.HEADS], sorted(began, key=lambda row: row[0]))
    for system, own in by_system(cases).items():
        shifts = [(time - case.at_ns) / SECOND_NS for case, time in zip(cases, alarms) if case.system == system and time is not None]
        told = f": {min(shifts):+.0f} to {max(shifts):+.0f} s" if shifts else ""
        print(f"- {system}: the entry alarms in {len(shifts)} of {len(own)} cases{told}; the others count with the exact time.")
    print(flush=True)


def subsets(cases):
    """What each system has at all, and each part of it, the largest first."""
    there = {kind for case in cases for kind in (*telemetry(case.folder), *telemetry(case.baseline))}
    kinds = [kind for kind in MODALITIES if kind in there]
    return [subset for size in range(len(kinds), 0, -1) for subset in itertools.combinations(kinds, size)]


def modalities(program, cases):
    print("### From fewer modalities\n")
    rows = []
    for system, own in by_system(cases).items():
        for subset in subsets(own):
            scores = ask(program, own, [case.question(kinds=subset) for case in own])
            without = sum(not case.question(kinds=subset).files for case in own)
            rows.append([system, "+".join(subset), *figures(own, scores), without])
    table(["system", "modalities", *FIGURES, "cases without any file"], rows)
