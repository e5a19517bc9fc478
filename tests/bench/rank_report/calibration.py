"""Does a probability mean what it says?

Observations are the first hypothesis of each case (right where it is the true service, ties
against) and of each healthy window (never right). An answer without a hypothesis claims nothing and is
no observation. How often somebody asks about a healthy time is not known, so errors are told twice: each
observation counting the same, and faults and healthy windows counting half each. Fits take the former.

The model is a logistic regression, found by iteratively reweighted least squares. Where scores tell right
from wrong without error its slopes have no maximum: a normal prior so wide that nothing else feels it (standard deviation 30 on
standardised features) keeps them finite.
"""
import collections
import dataclasses
import math
import random
import re

from cases import content, score, table

BINS = 10
PRIOR_DEVIATION = 30.0
SERVICE = re.compile(rb'"service\.name",\s*"value":\s*\{"stringValue":\s*"([^"]*)"')
GRAPH = re.compile(rb'"(?:client|server|caller|callee|source|target)":\s*"([^"]*)"')
FEATURES = ("constant", "S - ln services", "S - max(S2, gate)")
GATE = 3.0  # nats; that nothing is wrong competes at the gate, in the program as here


@dataclasses.dataclass
class Observation:
    system: str
    right: bool
    is_case: bool
    probability: float
    features: tuple
    weight: float = 1.0


class Services:
    """How many services a question's files speak of."""

    def __init__(self):
        self.known = {}

    def of(self, path, pattern):
        if path not in self.known:
            self.known[path] = set(pattern.findall(content(path)))
        return self.known[path]

    def count(self, question):
        names = set()
        for path in question.files + question.baseline:
            names |= self.of(path, SERVICE)
        if question.topology is not None:
            names |= self.of(question.topology, GRAPH)
        return max(len(names), 1)


def observe(system, answer, question, right, is_case, services):
    hypotheses = answer["hypotheses"] if answer is not None else []
    if not hypotheses:
        return None
    first = hypotheses[0]
    second = next((h["score"] for h in hypotheses if h["service"] != first["service"]), 0.0)
    features = (1.0, first["score"] - math.log(services.count(question)), first["score"] - max(second, GATE))
    return Observation(system, right, is_case, first["probability"], features)


def weigh(observations):
    """Cases and healthy windows weigh the same in all."""
    for is_case in (False, True):
        own = [o for o in observations if o.is_case == is_case]
        for o in own:
            o.weight = 1 / len(own)
    return observations


def logistic(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def solve(matrix, vector):
    """Gauss with pivots; small systems."""
    n = len(vector)
    rows = [list(matrix[i]) + [vector[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(n):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def fit(observations):
    """Coefficients for the features as they are. The weights add up to the number of observations."""
    count, width = len(observations), len(observations[0].features)
    total = sum(o.weight for o in observations)
    weights = [o.weight * count / total for o in observations]
    means, scales = [0.0], [1.0]
    for j in range(1, width):
        values = [o.features[j] for o in observations]
        means.append(sum(w * v for w, v in zip(weights, values)) / count)
        scales.append(math.sqrt(sum(w * (v - means[j]) ** 2 for w, v in zip(weights, values)) / count) or 1.0)
    rows = [[(v - m) / s for v, m, s in zip(o.features, means, scales)] for o in observations]
    beta = [0.0] * width
    for _ in range(100):
        gradient = [0.0 if j == 0 else -beta[j] / PRIOR_DEVIATION**2 for j in range(width)]
        hessian = [[(1e-9 if j == 0 else 1 / PRIOR_DEVIATION**2) if i == j else 0.0 for i in range(width)] for j in range(width)]
        for o, w, x in zip(observations, weights, rows):
            p = logistic(sum(b * v for b, v in zip(beta, x)))
            for j in range(width):
                gradient[j] += w * (o.right - p) * x[j]
                for i in range(width):
                    hessian[j][i] += w * p * (1 - p) * x[j] * x[i]
        step = solve(hessian, gradient)
        longest = max(abs(s) for s in step)
        beta = [b + s / max(longest, 1) for b, s in zip(beta, step)]
        if longest < 1e-9:
            break
    slopes = [beta[j] / scales[j] for j in range(1, width)]
    return [beta[0] - sum(s * m for s, m in zip(slopes, means[1:])), *slopes]


def predict(coefficients, observation):
    return logistic(sum(c * v for c, v in zip(coefficients, observation.features)))


def bins_of(observations, probabilities):
    out = collections.defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for o, p in zip(observations, probabilities):
        bin_ = out[min(int(p * BINS), BINS - 1)]
        bin_[0] += 1
        bin_[1] += o.weight
        bin_[2] += o.weight * p
        bin_[3] += o.weight * o.right
    return out


def calibration_error(observations, probabilities):
    total = sum(o.weight for o in observations)
    return sum(abs(p - right) for _, _, p, right in bins_of(observations, probabilities).values()) / total


def evenly(observations):
    return [dataclasses.replace(o, weight=1.0) for o in observations]


def brier(observations, probabilities):
    return sum(o.weight * (p - o.right) ** 2 for o, p in zip(observations, probabilities)) / sum(o.weight for o in observations)


def error_by_chance(observations, probabilities, times=400):
    """The calibration error to expect of this many observations if the probabilities were exact."""
    dice, total = random.Random(1), 0.0
    for _ in range(times):
        drawn = [dataclasses.replace(o, right=dice.random() < p) for o, p in zip(observations, probabilities)]
        total += calibration_error(drawn, probabilities)
    return total / times


def row(name, tested, observations, probabilities):
    return [name, tested, sum(o.is_case for o in observations), sum(not o.is_case for o in observations),
            brier(evenly(observations), probabilities), calibration_error(evenly(observations), probabilities),
            error_by_chance(evenly(observations), probabilities), calibration_error(observations, probabilities)]


def reliability(observations, probabilities):
    rows = []
    for bin_, (n, weight, p, right) in sorted(bins_of(observations, probabilities).items()):
        rows.append([f"{bin_ / BINS:.1f} to {(bin_ + 1) / BINS:.1f}", n, p / weight, right / weight])
    table(["probability said", "n", "mean said", "share right"], rows)


def calibration(cases, answers, healthy):
    """`answers` at the exact time, in the order of `cases`; `healthy`: (window, answer)."""
    services, observations = Services(), []
    for case, answer in zip(cases, answers):
        right = score(answer, case).service == 1
        observations.append(observe(case.system, answer, case.question(), right, True, services))
    for window, answer in healthy:
        observations.append(observe(window.system, answer, window.question, False, False, services))
    observations = [o for o in observations if o is not None]
    systems = {system: weigh([o for o in observations if o.system == system]) for system in sorted({o.system for o in observations})}
    print("### Calibration of the first hypothesis\n")
    for system, own in systems.items():
        print(f"{system}, as the program says:\n")
        reliability(evenly(own), [o.probability for o in own])
    rows = [row("as the program says", system, own, [o.probability for o in own]) for system, own in systems.items()]
    fitted = {}
    for system, own in systems.items():
        if len({o.right for o in own}) < 2:
            continue
        fitted[system] = fit(evenly(own))
        rows += [row(f"fitted on {system}", other, of, [predict(fitted[system], o) for o in of]) for other, of in systems.items()]
    pooled = [o for own in systems.values() for o in own]
    if len({o.right for o in pooled}) == 2:
        fitted["all"] = fit(evenly(pooled))
    rows += [row("fitted on all", system, own, [predict(fitted["all"], o) for o in own]) for system, own in systems.items() if "all" in fitted]
    table(["probability", "tested on", "cases", "healthy", "Brier", "calibration error", "expected by chance alone", "error, half each"], rows)
    if fitted:
        table(["fitted on", *FEATURES], [[name, *(f"{c:.4g}" for c in coefficients)] for name, coefficients in fitted.items()])
