"""Labelled recordings of Go programs, the files of each, and one question to the program about them."""
import concurrent.futures
import dataclasses
import json
import pathlib
import re
import subprocess
import threading
import time

NUMBERED = re.compile(r"^(heap|allocs|goroutine)-(\d+)\.")
UNSAID = "not-enough-data"
LEAK = "leak"
# Above this a wrong verdict is not a guess any more.
CONFIDENT = 0.8
TIMEOUT_S = 120


@dataclasses.dataclass(frozen=True)
class Recording:
    version: str
    name: str
    folder: pathlib.Path
    accepted: frozenset
    functions: tuple
    kinds: tuple = ()
    growth: float = 0.0  # bytes an hour, where the label says it

    @property
    def healthy(self):
        """Nothing leaks: churn may be said, but not a leak."""
        return "no-leak" in self.accepted and LEAK not in self.accepted

    def files(self):
        """What a user would hand in: all but the labels and the recorder's own notes."""
        return sorted(p for p in self.folder.iterdir() if p.is_file() and p.name not in ("truth.json", "index.json"))

    def numbers(self):
        return sorted({int(m.group(2)) for m in (NUMBERED.match(p.name) for p in self.files()) if m})

    def of_snapshots(self, numbers, bare=False):
        """The files of these snapshots; those that belong to no single one too, but where `bare`."""
        out = []
        for path in self.files():
            match = NUMBERED.match(path.name)
            if (int(match.group(2)) in numbers) if match else not bare:
                out.append(path)
        return out


@dataclasses.dataclass(frozen=True)
class Answer:
    verdict: str
    kind: str
    confidence: float
    function: str
    holder: str
    where: str = ""
    growth: tuple = ()  # low, value, high

    @property
    def text(self):
        return f"{self.verdict} {self.confidence:.2f} {self.kind or '-'} {self.function or '-'}"


FAILED = Answer("failed", "", 0.0, "", "")


def find(folder):
    """The recordings of DIR/<version>/<program>/truth.json; what is just being recorded has no version yet."""
    out = []
    for path in sorted(pathlib.Path(folder).glob("[0-9]*/*/truth.json")):
        truth = json.loads(path.read_text())
        out.append(Recording(path.parent.parent.name, path.parent.name, path.parent, frozenset(truth["accepted"]),
                             tuple(truth["functions"]), tuple(truth.get("kinds", ())),
                             truth.get("growth_bytes_per_hour", 0.0)))
    return out


def answer_of(report):
    first = report["findings"][0] if report["findings"] else {}
    where = f"{first['file']}:{first.get('line')}" if first.get("file") else ""
    growth = first.get("growth_bytes_per_hour") or {}
    said = tuple(growth.get(key) for key in ("low", "value", "high"))
    return Answer(report["verdict"], report["kind"] or "", float(report["confidence"] or 0), first.get("function") or "",
                  first.get("holder") or "", where, () if None in said else said)


class Program:
    """`faultline leak --format json`, asked from two threads at most."""

    def __init__(self, path, options=(), jobs=2):
        self.path, self.options, self.jobs = str(path), list(options), jobs
        self.asked, self.seconds, self.failures = 0, 0.0, []
        self.lock = threading.Lock()

    def ask(self, files):
        began = time.monotonic()
        command = [self.path, "leak", "--format", "json", *self.options, *map(str, files)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S)
            answer, said = answer_of(json.loads(done.stdout)), ""
        except (ValueError, KeyError, subprocess.TimeoutExpired) as error:
            answer = FAILED
            said = str(error) if isinstance(error, subprocess.TimeoutExpired) else done.stderr.decode(errors="replace").strip()
        with self.lock:
            self.asked += 1
            self.seconds += time.monotonic() - began
            if said and said not in self.failures:
                self.failures.append(said)
        return answer

    def ask_all(self, questions):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self.ask, questions))
