"""Times at which nothing was injected: how often is a cause found that is none?

Three sources of them, none of which asks the ranking's opinion:
- minutes of a baseline folder, each in turn the incident and the others its baseline, from each part
  of its modalities. A recording without a gap of more than 90 s is one window; one longer than three
  minutes is cut into minutes. Folders of more than 200 windows give every n-th.
- the metrics' history in a case's folder: two minutes that begin at least four minutes after a labelled
  incident and end a minute before the next, after at least eight minutes of history.
- the first recorded minute of a case, where it ends before the incident's time, from each part of its
  modalities.
A fault lasts about three minutes, and its label is up to a minute late: windows that overlap the four
minutes from a labelled incident of the same system on are left out. There may be incidents that
nobody labelled: windows of metrics count only between two labelled incidents that follow each other
closely (at most 1.5 times the lower quartile of the gaps), so that there was no room for another; the others
  are told apart.
"""
import dataclasses
import itertools
import re

from cases import MODALITIES, Question, SECOND_NS, by_system, content, format_time, is_confident, table, telemetry
from sections import describe

GAP_NS, LONG_NS = 90 * SECOND_NS, 180 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS
FAULT_NS = 240 * SECOND_NS
SHORT_NS = 120 * SECOND_NS
AFTERMATH_NS = 600 * SECOND_NS
MOST_WINDOWS = 200
TIMES = {"traces": re.compile(rb'"startTimeUnixNano":\s*"?(\d+)'), "logs": re.compile(rb'"timeUnixNano":\s*"?(\d+)'),
         "metrics": re.compile(rb'"timeUnixNano":\s*"?(\d+)')}


@dataclasses.dataclass
class Window:
    system: str
    source: str
    modalities: str
    name: str
    end_ns: int
    question: Question
    sure: bool = True


def times_of(files):
    """Sorted times of all records of {modality: paths}."""
    return sorted(int(t) for kind, paths in files.items() for path in paths for t in TIMES[kind].findall(content(path)))


def runs_of(times):
    """(first, last, records) of each recording without a gap, those of few records left out."""
    runs = []
    for t in times:
        if runs and t - runs[-1][1] <= GAP_NS:
            runs[-1][1], runs[-1][2] = t, runs[-1][2] + 1
        else:
            runs.append([t, t, 1])
    usual = sorted(run[2] for run in runs)[len(runs) // 2] if runs else 0
    return [run for run in runs if 2 * run[2] >= usual]


def slices_of(run):
    """(from, to, window option)."""
    first, last, _ = run
    if last - first <= LONG_NS:
        return [(first, last, None)]
    return [(first + i * MINUTE_NS, first + (i + 1) * MINUTE_NS, "60s") for i in range((last - first) // MINUTE_NS)]


def is_clear(begin, end, incidents, lead_ns=0):
    return not any(begin < at + FAULT_NS and end > at - lead_ns for at in incidents)


def subsets(kinds):
    kinds = [kind for kind in MODALITIES if kind in kinds]
    return [subset for size in range(len(kinds), 0, -1) for subset in itertools.combinations(kinds, size)]


def paths(files, subset):
    return tuple(path for kind in subset for path in files.get(kind, ()))


def from_baselines(system, cases):
    incidents = [case.at_ns for case in cases]
    for folder in sorted({case.baseline for case in cases if case.baseline}):
        files, example = telemetry(folder), next(case for case in cases if case.baseline == folder)
        slices = [s for run in runs_of(times_of(files)) for s in slices_of(run) if is_clear(s[0], s[1], incidents)]
        kept = slices[::-(-len(slices) // MOST_WINDOWS) or 1]
        for subset in subsets(files):
            for begin, end, window in kept:
                own = paths(files, subset)
                yield Window(system, "baseline against itself", "+".join(subset), folder.name, end,
                             Question(files=own, baseline=own, at_ns=begin, window=window, topology=example.topology,
                                      service=example.symptom["node"] if example.symptom else None))


def is_between(begin, end, incidents):
    """No room for another incident between the labelled ones before and after, going by how close they come."""
    gaps = sorted(b - a for a, b in zip(incidents, incidents[1:]))
    before, after = [at for at in incidents if at <= begin], [at for at in incidents if at >= end]
    return bool(before and after) and min(after) - max(before) <= 1.5 * gaps[len(gaps) // 4]


def from_history(system, cases):
    incidents, taken = sorted(case.at_ns for case in cases), []
    for case in cases:
        files = telemetry(case.folder).get("metrics", ())
        times = times_of({"metrics": files})
        end = case.at_ns - MINUTE_NS
        while times and end - SHORT_NS - times[0] >= 8 * MINUTE_NS:
            begin = end - SHORT_NS
            if is_clear(begin, end, incidents, MINUTE_NS) and not any(begin < b + SHORT_NS and end > b for b in taken):
                taken.append(begin)
                sure = is_between(begin, end, incidents)
                source = "metrics between incidents" if sure else "metrics where an unlabelled incident may be"
                yield Window(system, source, "metrics", case.name, end,
                             Question(files=tuple(files), at_ns=begin, window="120s", topology=case.topology), sure)
            end -= MINUTE_NS


def before_injections(system, cases):
    incidents = [case.at_ns for case in cases]
    for case in cases:
        times = times_of({kind: files for kind, files in telemetry(case.folder).items() if kind != "metrics"})
        if times and times[0] + MINUTE_NS <= case.at_ns and is_clear(times[0], times[0] + MINUTE_NS, incidents):
            for subset in subsets(telemetry(case.folder)):
                yield Window(system, "minute before an injection", "+".join(subset), case.name, times[0] + MINUTE_NS,
                             dataclasses.replace(case.question(at_ns=times[0], kinds=subset), window="60s"))


def windows(cases):
    return [window for system, own in by_system(cases).items()
            for source in (from_baselines, from_history, before_injections) for window in source(system, own)]


def is_the_fault_itself(window, answer, cases):
    """The answer names the service into which a fault is injected within 90 s after the window (labels are up to a
    minute late), or was within ten minutes before it (what it left behind goes on, such as memory)."""
    near = [case for case in cases if case.system == window.system and
            (0 <= case.at_ns - window.end_ns <= GAP_NS or 0 <= window.question.at_ns - case.at_ns <= AFTERMATH_NS)]
    return bool(answer["hypotheses"]) and any(answer["hypotheses"][0]["service"] == c.truth["root_cause"]["service"] for c in near)


def healthy(program, cases):
    """Returns (window, answer) of the windows that are healthy as far as is known, for the calibration."""
    asked = windows(cases)
    answered = [(w, a) for w, a in zip(asked, program.answers([w.question for w in asked])) if a is not None]
    print("### Healthy windows\n")
    groups, alarms, kept = {}, [], []
    for window, answer in answered:
        counts = groups.setdefault((window.system, window.source, window.modalities), [0, 0, 0])
        of_fault = is_the_fault_itself(window, answer, cases)
        counts[0] += not of_fault
        counts[1] += is_confident(answer) and not of_fault
        counts[2] += of_fault
        if window.sure and not of_fault:
            kept.append((window, answer))
        if is_confident(answer):
            alarms.append([window.system, window.name, window.end_ns, window.modalities, describe(answer["hypotheses"][0]),
                           "no" if window.sure and not of_fault else "yes"])
    table(["system", "windows", "modalities", "n", "cause found", "share", "left out: a labelled fault before or after"],
          [[*key, n, found, found / n if n else None, of_fault] for key, (n, found, of_fault) in groups.items()])
    sure = [answer for window, answer in answered if window.sure]
    for what, of in (("In all", [answer for _, answer in kept]), ("With those left out as a labelled fault's", sure)):
        found = sum(is_confident(answer) for answer in of)
        print(f"{what}, but not where an unlabelled incident may be: {found} of {len(of)} ({found / max(len(of), 1):.1%}).\n")
    if alarms:
        print("Causes found there:\n")
        table(["system", "window of", "until", "modalities", "first hypothesis", "left out"],
              [[*row[:2], format_time(row[2])[:19], *row[3:]] for row in alarms])
    return kept
