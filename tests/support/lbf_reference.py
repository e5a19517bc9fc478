#!/usr/bin/env python3
"""Reference values for correlate/stat/lbf.c, from the formulas of docs/correlation.md alone.

    lbf_reference.py SOURCE_DIR          compare with the table in tests/support/lbf_cases.h
    lbf_reference.py SOURCE_DIR --write  compute the table's figures anew

The table holds the input; this program computes the result in the plainest way (math.lgamma, no
sharing of sums between spans). The C test compares lbf.c with the same table.
"""

import itertools
import math
import pathlib
import re
import statistics
import sys

GRID = [(s, a) for s in (8, 128) for a in (0.5, 0.02)]
NU = 4
FLOOR = 0.2
ALTERNATIVE = math.log(10)
NORMAL_MEDIAN = statistics.NormalDist().inv_cdf(0.75)
TOLERANCE = 1e-6


def log_sum_exp(xs):
    top = max(xs)
    return top + math.log(sum(math.exp(x - top) for x in xs))


def log_dirichlet_multinomial(counts, alpha):
    total = sum(alpha)
    return (math.lgamma(total) - math.lgamma(total + sum(counts))
            + sum(math.lgamma(a + x) - math.lgamma(a) for a, x in zip(alpha, counts)))


def null_alpha(pooled, s, a):
    seen, k = sum(pooled), len(pooled)
    precision = 1 / (1 / s + 1 / (seen + a))
    return [precision * (n + a / k) / (seen + a) for n in pooled]


def average_over_spans(windows, score):
    spans = list(itertools.combinations(range(windows + 1), 2))
    scores = [score(onset, end) for onset, end in spans]
    best = max(range(len(spans)), key=lambda i: (scores[i], -i))
    return log_sum_exp(scores) - math.log(len(spans)), spans[best]


def counts_lbf(outcomes, baseline, incident):
    """Windows are lists of counts; one outcome more, never seen, is added here."""
    baseline = [row + [0] for row in baseline]
    incident = [row + [0] for row in incident]
    pooled = [sum(column) for column in zip(*baseline)]
    weights = []
    for s, a in GRID:
        left_out = [log_dirichlet_multinomial(row, null_alpha([n - x for n, x in zip(pooled, row)], s, a))
                    for row in baseline] if len(baseline) > 1 else [0.0]
        weights.append(sum(left_out))
    total = log_sum_exp(weights)
    usual = [log_sum_exp([w - total + log_dirichlet_multinomial(row, null_alpha(pooled, s, a))
                          for w, (s, a) in zip(weights, GRID)]) if sum(row) else 0.0 for row in incident]

    def score(onset, end):
        run = [sum(column) for column in zip(*incident[onset:end])]
        return log_dirichlet_multinomial(run, [1.0] * (outcomes + 1)) - sum(usual[onset:end])

    return average_over_spans(len(incident), score)


def log_student(z, nu):
    return (math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - math.log(nu * math.pi) / 2
            - (nu + 1) / 2 * math.log1p(z * z / nu))


def values_lbf(baseline, incident, prior_scale, rises_only):
    there = [i for i, y in enumerate(incident) if not math.isnan(y)]
    history = [y for y in baseline if not math.isnan(y)]
    y = [incident[i] for i in there]
    center = statistics.median(history)
    scale = statistics.median(abs(h - center) for h in history) / NORMAL_MEDIAN
    n = len(history)
    if n == 1:
        scale = prior_scale
    variance = (NU * prior_scale ** 2 + (n - 1) * scale ** 2) / (NU + n - 1)
    sigma = math.sqrt(variance * (1 + 1 / n) + FLOOR ** 2)

    def score(onset, end):
        run = y[onset:end]
        shift = statistics.median(run) - center
        spread = math.hypot(ALTERNATIVE, sigma)
        result = log_student(shift / spread, 1) - math.log(spread)
        result -= sum(log_student((v - center) / sigma, NU) - math.log(sigma) for v in run)
        if len(run) > 1:
            result += sum(log_student((v - center - shift) / sigma, NU) - math.log(sigma) for v in run)
            result += math.log(sigma * math.sqrt(2 * math.pi / len(run)))
        return result

    lbf, (onset, end) = average_over_spans(len(y), score)
    if rises_only and statistics.median(y[onset:end]) <= center:
        lbf = min(lbf, 0.0)
    return lbf, (there[onset], there[end - 1] + 1)


# ---- the table ----

COUNTS = re.compile(r'\{"(?P<name>[^"]+)", (?P<k>\d+), (?P<past>\d+), (?P<now>\d+), \{(?P<base>[^}]*)\},'
                    r' \{(?P<inc>[^}]*)\}, (?P<lbf>[-\d.]+), (?P<onset>\d+), (?P<end>\d+)\}')
VALUES = re.compile(r'\{"(?P<name>[^"]+)", (?P<prior>[\d.]+), (?P<rises>true|false), (?P<past>\d+), (?P<now>\d+), \{(?P<base>[^}]*)\},'
                    r' \{(?P<inc>[^}]*)\}, (?P<lbf>[-\d.]+), (?P<onset>\d+), (?P<end>\d+)\}')


def numbers(text):
    return [math.nan if word.strip() == "NAN" else float(word) for word in text.split(",")]


def rows(flat, width):
    return [flat[i:i + width] for i in range(0, len(flat), width)]


def compute(match):
    base, inc = numbers(match["base"]), numbers(match["inc"])
    if match.re is COUNTS:
        k = int(match["k"])
        if len(base) != k * int(match["past"]) or len(inc) != k * int(match["now"]):
            raise ValueError(f'{match["name"]}: the counts do not fill the windows')
        return counts_lbf(k, rows(base, k), rows(inc, k))
    if len(base) != int(match["past"]) or len(inc) != int(match["now"]):
        raise ValueError(f'{match["name"]}: not one value a window')
    return values_lbf(base, inc, float(match["prior"]), match["rises"] == "true")


def main():
    table = pathlib.Path(sys.argv[1]) / "tests/support/lbf_cases.h"
    lines, wrong, seen = [], 0, 0
    for line in table.read_text(encoding="utf-8").splitlines(keepends=True):
        match = VALUES.search(line) or COUNTS.search(line)
        if match:
            seen += 1
            lbf, (onset, end) = compute(match)
            if abs(lbf - float(match["lbf"])) > TOLERANCE or (onset, end) != (int(match["onset"]), int(match["end"])):
                wrong += 1
                print(f'{match["name"]}: the table says {match["lbf"]} in [{match["onset"]}, {match["end"]}), '
                      f'the formulas {lbf:.8f} in [{onset}, {end})')
            line = line[:match.start("lbf")] + f"{lbf:.8f}, {onset}, {end}" + line[match.end("end"):]
        elif line.lstrip().startswith('{"'):
            raise ValueError(f"cannot read this row of the table: {line}")
        lines.append(line)
    if "--write" in sys.argv[2:]:
        table.write_text("".join(lines), encoding="utf-8")
        return 0
    if seen < 20:
        print(f"only {seen} rows found in {table}")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
