"""Does memory help? Markdown tables over folders of labelled cases.

The cases of a system are put into the order of their times. The earlier half is triaged with a store and judged: the hypothesis that
names the true cause is confirmed, or, where none does, the truth in words. The later half is then triaged with what was learnt and without it, each from a copy of
the store, so that no question is told of another. That is done with all data and with parts of them, from which the ranking is less sure; and once more confirming
whatever came first, right or wrong: a careless team.
"""
import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rank_report"))
import cases as lab


RUNS = (("The true cause is confirmed", False, lab.MODALITIES),
        ("The same from metrics alone", False, ("metrics",)),
        ("The same from traces alone", False, ("traces",)),
        ("The first hypothesis is confirmed, whatever it is", True, lab.MODALITIES),
        ("The same from metrics alone", True, ("metrics",)))


class Program(lab.Program):
    """The built binary with a store."""

    def run(self, *words):
        return subprocess.run([self.path, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, question, store, *more):
        if not question.files:
            return None
        words = ["triage", "--format", "json", "--store", store, "--at", lab.format_time(question.at_ns), *more]
        for option, paths in (("--otlp", question.files), ("--baseline", question.baseline)):
            for path in paths:
                words += [option, path]
        for option, value in (("--service", question.service), ("--topology", question.topology)):
            if value is not None:
                words += [option, value]
        done = self.run(*words)
        if done.returncode not in (0, 5, 6):
            sys.exit(f"no answer ({done.returncode}): {done.stderr.decode(errors='replace').strip()}")
        return json.loads(done.stdout)


def is_true(hypothesis, cause):
    """Of the service alone, where no more is known of the case."""
    fine = cause.get("resource") or cause.get("code_region")
    return lab.names_cause(hypothesis, cause) if fine else hypothesis["service"] == cause["service"]


def judge(program, case, answer, store, careless):
    """What somebody says of an incident afterwards."""
    if answer is None or not answer["hypotheses"]:
        return
    words = ["confirm", answer["incident"]["id"], "--store", store, "--author", "ada", "--format", "json"]
    right = [i for i, h in enumerate(answer["hypotheses"], 1) if any(is_true(h, cause) for cause in case.causes)]
    if careless:
        words += ["--hypothesis", 1]
    elif right:
        words += ["--hypothesis", right[0]]
    elif case.causes:
        words += ["--cause", f"{case.causes[0]['service']}: {case.causes[0].get('resource') or 'a fault of its code'}"]
    else:
        return
    done = program.run(*words)
    if done.returncode != 0 and b"there is nothing to learn" not in done.stderr:
        sys.exit(f"{case.name}: {done.stderr.decode(errors='replace').strip()}")


@dataclasses.dataclass
class Outcome:
    case: lab.Case
    without: dict
    with_memory: dict

    @property
    def told(self):
        return any(e["modality"] == "memory" for h in self.with_memory["hypotheses"] for e in h["evidence"])


def key_of(case):
    return {json.dumps(cause, sort_keys=True) for cause in case.causes}


def replay(program, found, careless, kinds, folder):
    """Outcomes of the later half."""
    ordered = sorted(found, key=lambda case: (case.at_ns, case.name))
    half = (len(ordered) + 1) // 2
    store = folder / "learnt.db"
    store.unlink(missing_ok=True)
    for case in ordered[:half]:
        judge(program, case, program.ask(case.question(kinds=kinds), store), store, careless)
    out = []
    for case in ordered[half:]:
        if not store.exists():
            break
        copy = folder / "asked.db"
        shutil.copyfile(store, copy)
        without = program.ask(case.question(kinds=kinds), copy, "--no-memory")
        if without is not None:
            shutil.copyfile(store, copy)
            out.append(Outcome(case, without, program.ask(case.question(kinds=kinds), copy)))
    seen = set().union(*(key_of(case) for case in ordered[:half]))
    return out, sum(bool(key_of(outcome.case) & seen) for outcome in out)


def belief_in_truth(case, answer):
    """The probability that goes to the true services."""
    true = {cause["service"] for cause in case.causes}
    return sum(h["probability"] for h in answer["hypotheses"] if h["service"] in true)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else None


def row(system, found, outcomes, recurring):
    kinds = [[lab.score(answer, o.case) for o, answer in ((o, getattr(o, kind)) for o in outcomes)] for kind in ("without", "with_memory")]
    asked = [o.case for o in outcomes]
    cells = [system, len(found) - len(outcomes), len(outcomes), recurring, sum(o.told for o in outcomes)]
    cells += [lab.accuracy(scores, 1) for scores in kinds]
    cells += [sum(case.is_fine for case in asked)]
    cells += [lab.fine_accuracy(asked, scores, 1) for scores in kinds]
    cells += [mean(belief_in_truth(o.case, getattr(o, kind)) for o in outcomes if o.case.causes) for kind in ("without", "with_memory")]
    cells += [lab.share(score.confident for score in scores) for scores in kinds]
    return cells


def main():
    parser = argparse.ArgumentParser(prog="memory-report", description=__doc__)
    parser.add_argument("--cases", type=pathlib.Path, required=True, action="append", metavar="DIR", help="labelled cases; may be repeated")
    parser.add_argument("--faultline", required=True, metavar="BINARY", help="the program to ask")
    options = parser.parse_args()
    systems = lab.by_system([case for folder in options.cases for case in lab.find(folder)])
    if not systems:
        sys.exit(f"memory-report: no folder with a truth.json below {', '.join(map(str, options.cases))}")
    program, began = Program(options.faultline), time.monotonic()
    heads = ["system", "learnt", "asked", "same cause before", "with a prior", "AC@1 without", "AC@1 with", "n fine", "AIS@1 without", "AIS@1 with",
             "P(truth) without", "P(truth) with", "confident without", "confident with"]
    for title, careless, kinds in RUNS:
        rows = []
        for system, found in sorted(systems.items()):
            with tempfile.TemporaryDirectory() as folder:
                outcomes, recurring = replay(program, found, careless, kinds, pathlib.Path(folder))
            if outcomes:
                rows.append(row(system, found, outcomes, recurring))
        print(f"## {title}\n")
        lab.table(heads, rows)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
