#!/usr/bin/env python3
"""Keep the documents true: links lead somewhere, and the commands shown work as shown.

usage: check_docs.py ROOT                          links, markers, script names; runs nothing
       check_docs.py ROOT --run FAULTLINE [--man DIR]   runs each command in a copy of the tree
       check_docs.py ROOT --update FAULTLINE      writes today's output into the `console` blocks

A fenced block of kind `sh` holds commands; one of kind `console` holds `$ command` lines, each
followed by its output, in which a line of three dots stands for any lines. A comment on the line
before the fence says what else to expect:
    <!-- test: exit 6 -->              the exit code, where it is not 0
    <!-- test: skip WHY -->            do not run; the scripts it names must still exist
    <!-- test: varies -->              the output shown is an example and is not compared
The examples of manual pages name made-up folders and times; they run with the shipped incident in
their place (STAND_INS).

The commands of one document run in order in one place, so that a later one sees what an earlier one
wrote. A document that still says `<!-- fill: ... -->` fails.
"""
import argparse
import dataclasses
import functools
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading

TIMEOUT_S = 120
SERVE_S = 2  # so long a daemon runs that an example starts, on any free port; then it is told to end
ANSWERS = (0, 5, 6, 7)
MAX_LINES = {"CONTRIBUTING.md": 150}
NEEDED = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "docs/README.md", "docs/benchmarks.md", "docs/correlation.md")
INCIDENTS = "examples/shop/incidents"
WAITING = "3f2a"  # the id of a proposal, in examples of reviews
SHIPPED = INCIDENTS + "/pool-exhaustion"
PROFILES = INCIDENTS + "/cache-growth/profiles/orders"
FENCE = re.compile(r"^\s*```\s*(\w*)\s*$")
MARKER = re.compile(r"^\s*<!--\s*test:\s*(exit|skip|varies)\s*(.*?)\s*-->\s*$")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
SCRIPT = re.compile(r"(?<![\w/.-])((?:scripts|\.ci|examples)/[\w./-]+)")


@dataclasses.dataclass
class Command:
    line: int
    text: str
    exit_code: int = 0  # None: any that answers (ANSWERS)
    output: list = None  # expected lines; None: not compared
    skip: str = None


def joined(lines):
    """(number, text) of logical lines: a backslash or a pipe at the end continues."""
    pending = None
    for number, line in lines:
        pending = (pending[0], pending[1] + "\n" + line) if pending else (number, line)
        if not line.rstrip().endswith(("\\", "|", "&&")):
            yield pending
            pending = None
    if pending:
        yield pending


def commands_of(text):
    """The commands that a Markdown document shows."""
    lines, found, at = text.split("\n"), [], 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == "```"), len(lines))
        marker = MARKER.match(lines[at - 1]) if at else None
        body = [(i + 1, lines[i]) for i in range(at + 1, end)]
        found += block_commands(fence.group(1), body, marker)
        at = end + 1
    return found


def block_commands(kind, body, marker):
    what, value = marker.groups() if marker else (None, "")
    extra = {"exit_code": int(value) if what == "exit" else 0, "skip": (value or None) if what == "skip" else None}
    if kind == "sh":
        return [Command(n, t, **extra) for n, t in joined(body) if t.strip() and not t.lstrip().startswith("#")]
    found = []
    if kind == "console":
        for number, line in joined([(n, t) for n, t in body]):
            if line.startswith("$ "):
                found.append(Command(number, line[2:], output=None if what == "varies" else [], **extra))
            elif found and found[-1].output is not None:
                found[-1].output += line.split("\n")
    return found


def man_commands_of(page):
    """The `$ ` lines and example blocks of a manual page's EXAMPLES section."""
    found, inside, verbatim = [], False, False
    for number, line in enumerate(page.split("\n"), 1):
        if line.startswith(".SH"):
            inside = "EXAMPLE" in line
        elif line.startswith((".EX", ".nf")):
            verbatim = True
        elif line.startswith((".EE", ".fi")):
            verbatim = False
        elif inside and verbatim:
            plain = re.sub(r"\\f[A-Z]|\\&", "", line).replace("\\-", "-").replace("\\e", "\\").replace("\\(aq", "'").replace("\\(ti", "~").strip()
            plain = plain[2:] if plain.startswith("$ ") else plain
            if plain.startswith("faultline"):
                found.append(Command(number, plain))
    return found


def output_matches(wanted, got):
    """Whether `got` is `wanted`, in which a line "..." stands for any number of lines."""
    pattern = "".join(r"(?:[^\n]*\n)*?" if w.strip() == "..." else re.escape(w.rstrip()) + r"[ \t]*\n" for w in wanted)
    return re.fullmatch(pattern, "".join(g.rstrip() + "\n" for g in got)) is not None


def abridged(shown, got):
    """`got` cut as `shown` was: as many lines before and after its first line of three dots."""
    if "..." not in shown:
        return got
    before = shown.index("...")
    after = len(shown) - before - 1
    return got if len(got) <= before + after else got[:before] + ["..."] + (got[-after:] if after else [])


def documents(root):
    return sorted(p for p in root.rglob("*.md") if not {"build", ".git", "node_modules"} & set(p.relative_to(root).parts))


def unlisted(root):
    """Pages under docs/ that the index does not link; decisions are found by their folder."""
    index = root / "docs/README.md"
    listed = LINK.findall(index.read_text()) if index.is_file() else []
    for path in documents(root / "docs"):
        name = path.relative_to(root / "docs").as_posix()
        if path != index and not name.startswith("adr/") and name not in listed:
            yield f"docs/README.md: does not list {name}"


def lint(root):
    problems = [f"{name}: missing" for name in NEEDED if not (root / name).is_file()] + list(unlisted(root))
    for path in documents(root):
        where, text = path.relative_to(root).as_posix(), path.read_text()
        lines = text.split("\n")
        if len(lines) - 1 > MAX_LINES.get(where, 10**6):
            problems.append(f"{where}: {len(lines) - 1} lines, limit {MAX_LINES[where]}")
        for number, line in enumerate(lines, 1):
            for target in LINK.findall(line):
                file = target.split("#")[0]
                if not re.match(r"[a-z]+:", target) and file and not (path.parent / file).exists():
                    problems.append(f"{where}:{number}: link to {file}, which is not there")
            for name in re.findall(r"`((?:scripts|\.ci)/[\w-]+)", line):
                if not os.access(root / name, os.X_OK):
                    problems.append(f"{where}:{number}: {name} is no script that can be run")
            if "<!-- fill:" in line:
                problems.append(f"{where}:{number}: a place still to be filled")
            if "<!-- test:" in line and not (MARKER.match(line) and number < len(lines) and FENCE.match(lines[number])):
                problems.append(f"{where}:{number}: a test marker that is not right before a fence, or says nothing known")
        for command in commands_of(text):
            for name in SCRIPT.findall(command.text):
                if not name.startswith("examples/") and not os.access(root / name, os.X_OK):
                    problems.append(f"{where}:{command.line}: {name} is no script that can be run")
                elif not (root / name).exists():
                    problems.append(f"{where}:{command.line}: {name} is not there")
    return problems


def stand_ins_of(root):
    """What the words of a manual page's examples stand for when they are run."""
    truth = json.loads((root / SHIPPED / "truth.json").read_text())
    at = truth["incident_time"]
    heaps, others = (sorted(p.relative_to(root).as_posix() for p in (root / PROFILES).glob(f"{kind}-*")) for kind in ("heap", "goroutine"))
    return {"incident/": SHIPPED, "quiet/": f"{INCIDENTS}/{truth['baseline']}", "cases/": INCIDENTS, "-2h": at, "2023-01-29T09:34:00Z": at,
            "later/": SHIPPED, "2023-01-29T10:00:00Z": truth["recorded"]["to"],
            "profiles/": PROFILES, "heap.pb.gz": heaps[0], "rec.jfr": "tests/fixtures/jfr/17-leak.jfr.gz", "early.hprof": "tests/fuzz/corpus/hprof/sample-8", "app.hprof": "tests/fuzz/corpus/hprof/sample-8", "app.hprof.gz": "tests/fuzz/corpus/hprof/sample-4", "heap-1.pb.gz": heaps[0], "heap-2.pb.gz": heaps[-1], "cpu.pb.gz": others[0],
            "heap-*.pb.gz": heaps[0], "goroutine-*.pb.gz": others[0], "own.yaml": "schemas/signatures/coarse.yaml", "/etc/faultline/faultline.yaml": "examples/faultline.yaml", "checkout.yaml": "examples/checkout.yaml",
            "trace.out": "tests/fixtures/gotrace/small-1.26.trace.zst", "postmortems/": "examples/tickets", "issues.json": "examples/tickets/issues.json", "issue.json": "examples/tickets/issues.json", "10m": "300ms", "1m": "200ms",
            "127.0.0.1:4318": "127.0.0.1:0", "/var/lib/faultline": "faultline-data"}


class Server:
    """The running program of the examples: it serves one profile and one trace as net/http/pprof does."""

    def __init__(self, profile, trace):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                found = {"/debug/pprof/": b"<html><title>/debug/pprof/</title><a href='heap?debug=1'>heap</a></html>", "/debug/pprof/heap": profile, "/debug/pprof/trace": trace}
                body = found.get(self.path.split("?")[0])
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write(body or b"no such page\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@functools.cache
def sources_address(root):
    """The Prometheus, Loki and Tempo of the examples; they end with this process, whose pipe they read."""
    stand_in = subprocess.Popen([sys.executable, root / "tests/support/sources_server.py", "1795380000"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
    return f"http://127.0.0.1:{stand_in.stdout.readline().strip()}"


class Place:
    """A copy of what the documents speak of, with a home folder of its own."""

    def __init__(self, root, program):
        self.folder = tempfile.TemporaryDirectory()
        self.tree, home = pathlib.Path(self.folder.name) / "tree", pathlib.Path(self.folder.name) / "home"
        for folder in (self.tree, home):
            folder.mkdir()
        for name in ("examples", "docs", "schemas", "tests/fixtures/gotrace"):
            if (root / name).is_dir():
                shutil.copytree(root / name, self.tree / name, ignore=shutil.ignore_patterns("node_modules"))
        self.environment = {"PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        # Sanitizers and coverage are steered by variables that must reach the program.
        self.environment |= {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k.startswith("GCOV_")}

    def run(self, text):
        if text.startswith(("faultline serve", "faultline web")):
            text = f"timeout --preserve-status -s TERM {SERVE_S} {text}" + ("" if "--listen" in text else " --listen 127.0.0.1:0")
        return subprocess.run(["bash", "-o", "pipefail", "-c", text], cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIMEOUT_S)

    def problem_of(self, command):
        """One sentence, or None when the command does what the document says."""
        try:
            done = self.run(command.text)
        except subprocess.TimeoutExpired:
            return f"not done after {TIMEOUT_S} s: {command.text}"
        wanted = ANSWERS if command.exit_code is None else (command.exit_code,)
        if done.returncode not in wanted:
            return f"exit code {done.returncode}, not {' or '.join(map(str, wanted))}: {command.text}\n{done.stderr[-2000:]}"
        if command.output and not output_matches(command.output, done.stdout.splitlines()):
            return f"the output is not the one shown (where today's is right: check_docs.py --update): {command.text}\n{done.stdout}"
        return None


class Daemon:
    """The running daemon of the examples that ask one."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--data", self.folder.name + "/data"],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        port = next(line.rsplit(" ", 1)[1].strip() for line in self.process.stderr if ", port " in line)
        self.address = f"http://127.0.0.1:{port}"

    def stop(self):
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()


def update_documents(root, program):
    """Write what the commands say today into the documents; names of those that changed."""
    changed = []
    for path in documents(root):
        lines, place = path.read_text().split("\n"), Place(root, program)
        fresh = list(lines)
        edits = [(c, place.run(c.text).stdout.splitlines()) for c in commands_of(path.read_text()) if c.skip is None]
        for command, got in reversed(edits):
            if command.output and not output_matches(command.output, got):
                first = command.line + command.text.count("\n")
                fresh[first:first + len(command.output)] = abridged(command.output, got)
        if fresh != lines:
            path.write_text("\n".join(fresh))
            changed.append(path.relative_to(root).as_posix())
    return changed


def run_documents(root, program):
    """(how many ran, problems) of the Markdown documents."""
    ran, problems = 0, []
    for path in documents(root):
        todo = [c for c in commands_of(path.read_text()) if c.skip is None]
        place = Place(root, program) if todo else None
        for command in todo:
            ran += 1
            problem = place.problem_of(command)
            if problem:
                problems.append(f"{path.relative_to(root).as_posix()}:{command.line}: {problem}")
    return ran, problems


def run_manual(root, program, man):
    """(how many ran, problems) of the manual pages' examples."""
    pages = [(p.name, c) for p in sorted(man.glob("*.1")) for c in man_commands_of(p.read_text())]
    if not pages:
        return 0, [f"{man}: no examples in any manual page"]
    words, place, problems = stand_ins_of(root), Place(root, program), []
    for port in (9090, 3100, 3200):
        words[f"http://localhost:{port}"] = sources_address(root)
    daemon = Daemon(program)
    program_address = Server(*((root / words[name]).read_bytes() for name in ("heap.pb.gz", "trace.out"))).address
    words["http://localhost:6060"] = program_address
    words["http://localhost:6060/debug/pprof/trace?seconds=5"] = program_address + "/debug/pprof/trace?seconds=5"
    # Whatever id of an incident stands in an example, the stored one is meant.
    kept = place.run(f"faultline triage --otlp {words['incident/']} --baseline {words['quiet/']} --at {words['-2h']} --format json")
    if kept.returncode not in (0, 5, 6):
        return 1, [f"triage of the shipped incident: exit code {kept.returncode}\n{kept.stderr}"]
    stored = json.loads(kept.stdout)["incident"]["id"]
    for name, command in pages:
        given = shlex.split(command.text)
        if WAITING in given:
            words[WAITING] = json.loads(place.run("faultline review --list --format json").stdout)["proposals"][0]["id"]
        if "--server" in given:  # the stored incident is followed where it is
            at = given.index("--server")
            given = given[:at] + given[at + 2:]
        words.update({word: stored for word in given if re.fullmatch(r"[0-9]{8}T[0-9]{4}", word)})
        command.text = " ".join(word if word in "<>" else shlex.quote(words.get(word, word)) for word in given)
        command.text += f" --url {daemon.address}" if given[1] in ("status", "tail") else ""
        command.exit_code = None
        problem = place.problem_of(command)
        if problem:
            problems.append(f"{name}:{command.line}: {problem}")
    daemon.stop()
    return len(pages), problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--run", type=pathlib.Path, metavar="FAULTLINE")
    parser.add_argument("--man", type=pathlib.Path)
    parser.add_argument("--update", type=pathlib.Path, metavar="FAULTLINE")
    arguments = parser.parse_args()
    root, problems = arguments.root.resolve(), []
    if arguments.update:
        print("\n".join(update_documents(root, arguments.update.resolve())) or "nothing to change")
    elif arguments.run:
        ran, problems = run_documents(root, arguments.run.resolve())
        if arguments.man:
            more, found = run_manual(root, arguments.run.resolve(), arguments.man)
            ran, problems = ran + more, problems + found
        print("\n".join(problems) or f"{ran} commands work as shown")
    else:
        problems = lint(root)
        print("\n".join(problems) or f"{len(documents(root))} documents, no problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
