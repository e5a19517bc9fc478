"""How good is `faultline learn`? Compare what it proposes with what a person read out of the same documents.

usage: learn_report --faultline PROGRAM [--fixtures DIR] [--seed FILE] [--every] [--least PRECISION RECALL]

Prints a Markdown table. The form of the .edges files and the rule by which two edges are the same stand in
tests/fixtures/learn/README.md. --every also prints what is wrong and what is missing; --least fails below the figures.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

# Words that carry no meaning when two phrases are compared.
STOP = set("a an the of to in on at by for with from and or is was were are be been being had has have it its this that which as so we our they".split())
STOP_CHINESE = set("的了在是为和与及将会被把其该也都就")
DICE = 0.5  # half of what both say together


def words(text):
    """Latin words in small letters without plural s and without varying numbers; a Chinese character is a word."""
    out = set()
    for token in re.findall(r"[a-z_][a-z0-9_]*|[0-9]+[a-z]*|[\u4e00-\u9fff]", text.lower()):
        if token in STOP or token in STOP_CHINESE or token.isdigit():
            continue
        out.add(token[:-1] if len(token) > 3 and token.endswith("s") and token.isascii() else token)
    return out


def dice(left, right):
    a, b = words(left), words(right)
    if not a or not b:
        return 1.0 if left.strip().lower() == right.strip().lower() else 0.0
    return 2 * len(a & b) / (len(a) + len(b))


def is_same_end(wanted, proposed):
    """`wanted`: wordings with // between, or "component NAME RANGE", or "config KEY=VALUE"."""
    kind, _, rest = wanted.partition(" ")
    if kind in ("component", "config"):
        return proposed == wanted.lower().replace("spring boot", "spring-boot")
    return any(dice(text, proposed) >= DICE for text in wanted.split(" // "))


class Edge:
    def __init__(self, line):
        mark, self.optional, self.against = line, False, False
        while mark[0] in "?-":
            self.optional |= mark[0] == "?"
            self.against |= mark[0] == "-"
            mark = mark[1:]
        self.kind, self.source, self.target = (part.strip() for part in mark.split(" | "))
        self.line, self.found = line, False

    def is_same(self, proposal):
        target = proposal["to"]["title"]
        if proposal["to"]["kind"] == "component":
            target = f"component {target} {re.sub(r'^(semver|go|maven|debian) ', '', proposal['qualifier'] or '*')}".lower()
        elif proposal["to"]["kind"] == "config":
            target = f"config {target}".lower()
        return (self.kind == proposal["kind"] and self.against != proposal["supports"]
                and is_same_end(self.source, proposal["from"]["title"]) and is_same_end(self.target, target))


def truth_of(path):
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [Edge(line) for line in lines if line and not line.startswith("#")]


def ask(faultline, path):
    run = subprocess.run([faultline, "learn", "--dry-run", "--format", "json", str(path)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"{path}: {run.stderr.strip()}")
    # A plan's implements a fix by construction; no reader judges it.
    return [p for p in json.loads(run.stdout)["proposals"] if p["kind"] != "implements"]


def measure(faultline, document, truth, every):
    edges, proposals = truth_of(truth), ask(faultline, document)
    right = 0
    for proposal in proposals:
        same = [edge for edge in edges if edge.is_same(proposal)]
        for edge in same:
            edge.found = True
        right += bool(same)
        if every and not same:
            sign = "" if proposal["supports"] else "-"
            print(f"  wrong    {sign}{proposal['kind']} | {proposal['from']['title']} | {proposal['to']['title']} {proposal['qualifier'] or ''}   [{proposal['rule']}]")
    wanted = [edge for edge in edges if not edge.optional]
    if every:
        for edge in wanted:
            if not edge.found:
                print(f"  missing  {edge.line}")
    return len(proposals), right, len(wanted), sum(edge.found for edge in wanted)


def ratio(part, whole):
    return part / whole if whole else 1.0


def row(name, sums):
    proposed, right, wanted, found = sums
    print(f"| {name} | {proposed} | {right} | {ratio(right, proposed):.2f} | {wanted} | {found} | {ratio(found, wanted):.2f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--faultline", required=True)
    parser.add_argument("--fixtures", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=pathlib.Path)
    parser.add_argument("--only", help="a part of the document's name")
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--least", nargs=2, type=float, metavar=("PRECISION", "RECALL"))
    options = parser.parse_args()
    print("| document | proposed | right | precision | wanted | found | recall |\n| --- | --- | --- | --- | --- | --- | --- |")
    cases = [(path.with_name(path.name[:-len(".edges")]), path) for path in sorted(options.fixtures.glob("*.edges"))]
    sums = {"tuned on": [0] * 4, "held out": [0] * 4}
    for document, truth in cases:
        if truth.name == "seed.edges":
            document = options.seed
        if document is None or not document.exists() or (options.only and options.only not in truth.name):
            continue
        figures = measure(options.faultline, document, truth, options.every)
        part = "held out" if truth.name.startswith("held-") else "tuned on"
        sums[part] = [a + b for a, b in zip(sums[part], figures)]
        row(truth.name[:-len(".edges")], figures)
    for part, figures in sums.items():
        row(f"**{part}**", figures)
    total = [a + b for a, b in zip(*sums.values())]
    row("**all**", total)
    if options.least and (ratio(total[1], total[0]) < options.least[0] or ratio(total[3], total[2]) < options.least[1]):
        print(f"below precision {options.least[0]} or recall {options.least[1]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
