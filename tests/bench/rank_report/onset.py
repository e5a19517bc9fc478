"""When it began, against the stated time of an injection (of made-up incidents against the time when they began): how often
the interval of 90 % holds it.

Counted are answers that name the right service with confidence. A stated time that is later than the interval by up to a
minute may be the label's fault (they are written down when somebody has seen to it), so that is a column of its own.
"""
import statistics

from cases import SECOND_NS, parse_time

HEADS = ("n", "in the interval", "or up to a minute after it", "median width, s", "median of onset - stated, s")


def onset_of(answer):
    """(low, at, high) in nanoseconds; None where it is not told."""
    onset = (answer or {}).get("incident", {}).get("onset") or {}
    if onset.get("at") is None:
        return None
    return tuple(parse_time(onset[key]) for key in ("low", "at", "high"))


def figures(cases, answers, scores):
    told = [(case.began_ns, onset) for case, answer, score in zip(cases, answers, scores)
            if score.service == 1 and score.confident and (onset := onset_of(answer)) is not None]
    if not told:
        return [0, None, None, None, None]
    held = [low <= truth <= high for truth, (low, _, high) in told]
    late = [low <= truth <= high + 60 * SECOND_NS for truth, (low, _, high) in told]
    return [len(told), sum(held) / len(told), sum(late) / len(told),
            statistics.median((high - low) / SECOND_NS for _, (low, _, high) in told),
            statistics.median((at - truth) / SECOND_NS for truth, (_, at, _) in told)]
