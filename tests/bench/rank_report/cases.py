"""Labelled cases, the questions that are asked about them, and how an answer is scored.

A case is a folder with a truth.json; its system is the first folder below the root, or the root
where there is only one. What is true of a case is looked at when an answer is scored, never when a
question is made: a question has files, a time, perhaps a symptom's service and a call graph.
"""
import concurrent.futures
import dataclasses
import datetime
import functools
import gzip
import json
import pathlib
import re
import subprocess
import sys
import threading

PROCESSES = 2
KS = (1, 3, 5)
MODALITIES = ("logs", "traces", "metrics")
MARKS = {b"resourceLogs": "logs", b"resourceSpans": "traces", b"resourceMetrics": "metrics"}
NOT_TELEMETRY = ("truth.json", "service_graph.json")
SECOND_NS = 10**9


def parse_time(text):
    """RFC 3339 in UTC to nanoseconds since the epoch."""
    found = re.fullmatch(r"(\d+-\d+-\d+T\d+:\d+:\d+)(\.\d+)?Z", text)
    if found is None:
        raise ValueError(f"not a time in UTC: {text}")
    moment = datetime.datetime.fromisoformat(found.group(1)).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * SECOND_NS + int(float(found.group(2) or 0) * 1e9)


def format_time(time_ns):
    moment = datetime.datetime.fromtimestamp(time_ns // SECOND_NS, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{time_ns % SECOND_NS:09d}Z"


def content(path):
    """The bytes of a telemetry file, decompressed."""
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@functools.lru_cache(maxsize=None)
def modality_of(path):
    """What a file holds, by its first message; a protobuf file by its name. None: cannot tell."""
    if ".json" in path.name:
        head = content(path)[:4096]
        return next((kind for mark, kind in MARKS.items() if mark in head), None)
    return next((kind for kind in MODALITIES if kind in path.name), None)


def telemetry(folder):
    """{modality: files} of a folder, sorted."""
    out = {}
    for path in sorted(folder.iterdir()) if folder is not None else []:
        if path.is_file() and path.name not in NOT_TELEMETRY:
            kind = modality_of(path)
            if kind is not None:
                out.setdefault(kind, []).append(path)
    return out


@dataclasses.dataclass(frozen=True)
class Question:
    files: tuple
    at_ns: int
    baseline: tuple = ()
    service: str = None
    topology: pathlib.Path = None
    window: str = None
    events: tuple = ()


@dataclasses.dataclass
class Case:
    system: str
    name: str
    folder: pathlib.Path
    truth: dict

    @property
    def at_ns(self):
        return parse_time(self.truth["incident_time"])

    @property
    def began_ns(self):
        """When the fault began, where that is known to differ from the stated time."""
        return parse_time(self.truth["began"]) if "began" in self.truth else self.at_ns

    @property
    def baseline(self):
        name = self.truth.get("baseline")
        return self.folder.parent / name if name else None

    @property
    def topology(self):
        graph = self.baseline / "service_graph.json" if self.baseline else None
        return graph if graph is not None and graph.is_file() else None

    @property
    def symptom(self):
        return self.truth.get("symptom")

    @property
    def causes(self):
        """All that was wrong: none, one, or several."""
        first = self.truth["root_cause"]
        return [first, *self.truth.get("further_causes", ())] if first is not None else []

    @property
    def is_fine(self):
        return len(self.causes) == 1 and bool(self.causes[0].get("resource") or self.causes[0].get("code_region"))

    @property
    def scenario(self):
        """The name of what was made up, or None: it was recorded."""
        return self.truth.get("scenario")

    def question(self, at_ns=None, kinds=MODALITIES):
        """The question as a drill asks it, at another time or from only some modalities."""
        own, past = telemetry(self.folder), telemetry(self.baseline)
        return Question(files=tuple(p for kind in kinds for p in own.get(kind, ())),
                        baseline=tuple(p for kind in kinds for p in past.get(kind, ())),
                        at_ns=self.at_ns if at_ns is None else at_ns,
                        service=self.symptom["node"] if self.symptom else None, topology=self.topology)


def find(root):
    folders = sorted(path.parent for path in root.rglob("truth.json"))
    ways = [folder.relative_to(root).parts for folder in folders]
    several = len({way[0] for way in ways if len(way) > 1}) > 1
    return [Case(system=way[0] if several and len(way) > 1 else root.resolve().name, name="/".join(way) or root.name,
                 folder=folder, truth=json.loads((folder / "truth.json").read_text()))
            for folder, way in zip(folders, ways)]


def by_system(cases):
    out = {}
    for case in cases:
        out.setdefault(case.system, []).append(case)
    return out


# ---- asking ----


class Program:
    """The built binary. Answers come as documents; None where there is none (no file, exit code 1)."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.asked = 0

    def answer(self, question):
        with self.lock:
            self.asked += 1
            if self.asked % 100 == 0:
                print(f"{self.asked} triages", file=sys.stderr, flush=True)
        if not question.files:
            return None
        command = [self.path, "triage", "--format", "json", "--store", "none", "--at", format_time(question.at_ns)]
        for option, paths in (("--otlp", question.files), ("--baseline", question.baseline), ("--events", question.events)):
            for path in paths:
                command += [option, str(path)]
        for option, value in (("--service", question.service), ("--topology", question.topology), ("--window", question.window)):
            if value is not None:
                command += [option, str(value)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in (0, 5, 6):
            print(f"no answer ({done.returncode}): {done.stderr.decode(errors='replace').strip()}", file=sys.stderr)
            return None
        return json.loads(done.stdout)

    def answers(self, questions):
        with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
            return list(pool.map(self.answer, questions))


# ---- scoring ----


def is_confident(answer):
    return answer is not None and answer["verdict"] == "cause-found"


def names_cause(hypothesis, truth):
    if hypothesis["service"] is None or hypothesis["service"] != truth["service"]:
        return False
    if truth.get("resource") and hypothesis["resource"] == truth["resource"]:
        return True
    region, locus = truth.get("code_region"), hypothesis["locus"]
    return bool(region) and locus["kind"] == "code-region" and region[0] in (locus["before"] or "") and \
        region[1] in (locus["after"] or "")


@dataclasses.dataclass(frozen=True)
class Score:
    """Ranks of the true service and of the true cause, the worst among equals; None: not in the ranking. Of several causes the
    first and the last that is named. Where nothing was wrong, 1 or None."""
    service: int
    cause: int
    confident: bool
    last: int = None
    causes: int = 1

    def is_hit(self, k):
        """The first k services name min(k, causes) of the causes."""
        rank = self.last if k >= self.causes else self.service
        return rank is not None and rank <= k


def rank_of(service, hypotheses):
    best = min((h["rank"] for h in hypotheses if h["service"] == service), default=None)
    return None if best is None else len({h["service"] for h in hypotheses if h["rank"] <= best})


def score(answer, case):
    all_of, confident = answer["hypotheses"] if answer is not None else [], is_confident(answer)
    if not case.causes:
        rank = None if answer is None or confident else 1
        return Score(service=rank, cause=None, confident=confident, last=rank)
    ranks = [rank_of(cause["service"], all_of) for cause in case.causes]
    cause = min((h["rank"] for h in all_of if names_cause(h, case.causes[0])), default=None)
    return Score(service=min((rank for rank in ranks if rank is not None), default=None),
                 cause=None if cause is None else sum(h["rank"] <= cause for h in all_of),
                 confident=confident, last=None if None in ranks else max(ranks), causes=len(ranks))


def share(values):
    """Of booleans; None for none."""
    values = list(values)
    return sum(values) / len(values) if values else None


def accuracy(scores, k):
    return share(s.is_hit(k) for s in scores)


def fine_accuracy(cases, scores, k):
    return share(s.cause is not None and s.cause <= k for c, s in zip(cases, scores) if c.is_fine)


# ---- Markdown ----


def cell(value):
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def table(heads, rows):
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for row in rows:
        print("| " + " | ".join(cell(value).replace("|", "\\|") for value in row) + " |")
    print(flush=True)
