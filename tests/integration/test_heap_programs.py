#!/usr/bin/env python3
"""faultline on Java programs that have one known leak each, and on their healthy twins.

usage: test_heap_programs.py FAULTLINE SOURCE_DIR [JAVA...]

tests/corpus/heap-leaks/HeapLeaks.java is compiled and each of its programs run with each JAVA ("java"); heap dumps of three moments are
given to `faultline heap` and `faultline leak`, class histograms of the same moments to `faultline leak`. Prints a table of the verdicts; fails where one is wrong. Skipped where there is no javac.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
DUMPS = 3
# program -> (kind, holders of which one is named); a twin is healthy
LEAKS = {
    "static-map": ("map-grows", ["Sessions.OPEN"]),
    "thread-local": ("thread-local-in-pool", ["Context.VALUES"]),
    "compute-if-absent": ("lambda-captures", ["Lazy.CACHE"]),
    "listeners": ("listeners-never-removed", ["Bus.BUS", "Bus.listeners"]),
    "keys": ("keys-without-equals", ["Grid.CELLS"]),
    "mutable-keys": ("keys-changed", ["Orders.ACTIVE"]),
    "lost-keys": ("map-grows", ["Jobs.RUNNING"]),  # all of them: none says how hashes are made
    "left-behind": ("keys-changed", ["Visits.OPEN"]),
    "class-loaders": ("class-loaders-stay", ["Plugins.LOADED"]),
    "queue": ("queue-unbounded", ["Mailer.MAILER", "Mailer.sender"]),
    "inner": ("inner-class-holds-outer", ["Rows.SELECTED"]),
    "threads": ("threads-never-end", ["Poller"]),
    "texts": ("collection-grows", ["Table.COUNTRIES"]),
    "shared": ("map-grows", ["Index.BY_NAME", "Index.IN_ORDER"]),
    "field": ("collection-grows", ["Server.history"]),
}
# leaks of which a class histogram has no class of the program's own that grows
UNNAMED_BY_HISTOGRAM = ("thread-local", "mutable-keys", "texts")
# no leak, and yet something to say
FAULTS = {"collisions": ("hashes-collide", "Users.BY_ID")}
HEALTHY = [name + "-twin" for name in [*LEAKS, *FAULTS, "soft", "weak", "drains", "warm-up"]]


def record(java, classes, name, folder):
    subprocess.run([java, "-Xmx200m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, "HeapLeaks", name, str(DUMPS), folder],
                   check=True, timeout=300)
    return sorted(folder.glob("heap-*.hprof")), sorted(folder.glob("histo-*.txt"))


def ask(command, files):
    done = subprocess.run([FAULTLINE, command, *files, "--format", "json"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, 6), (command, done.returncode, done.stderr)
    answer = json.loads(done.stdout)
    if jsonschema is not None:
        jsonschema.validate(answer, json.loads((SOURCE / f"schemas/json/{command}.schema.json").read_text()))
    return answer


def is_named(holder, names):
    return any(holder == f"HeapLeaks${name}" for name in names)


def wrong_about(name, dumps):
    """What is wrong with the answers about one program; "" where nothing is."""
    heap, leak = ask("heap", dumps), ask("leak", dumps)
    told = [(row["kind"], row["holder"]) for row in heap["growths"]]
    if name not in LEAKS:
        if told or heap["verdict"] != "no-leak" or leak["verdict"] not in ("no-leak", "latency"):
            return f"{heap['verdict']}, {leak['verdict']}: {told}"
        faults = [(row["kind"], row["holder"]) for row in heap["findings"] if row["kind"] != "repeated-texts"]
        wanted = [(FAULTS[name][0], "HeapLeaks$" + FAULTS[name][1])] if name in FAULTS else []
        return "" if faults == wanted else str(faults)
    kind, holders = LEAKS[name]
    if heap["verdict"] != "leak" or leak["verdict"] != "leak" or len(told) != 1:
        return f"{heap['verdict']}, {leak['verdict']}: {told}"
    if told[0][0] != kind or not is_named(told[0][1], holders):
        return str(told)
    finding = leak["findings"][0]
    same = finding["holder"] == told[0][1] and finding["kind"].startswith("java-") and len(finding["evidence"]) >= 2
    return "" if same else str(finding)


def wrong_about_histograms(name, texts):
    """A class of the program's own where there is one, and nothing of healthy programs."""
    answer = ask("leak", texts)
    wanted = "no-leak" if name not in LEAKS else "not-enough-data" if name in UNNAMED_BY_HISTOGRAM else "leak"
    named = [finding["function"] for finding in answer["findings"]]
    if answer["verdict"] != wanted or any(not function.startswith("HeapLeaks$") for function in named):
        return f"histograms: {answer['verdict']}: {named}"
    return ""


def main():
    javas = sys.argv[3:] or ["java"]
    if shutil.which("javac") is None or any(shutil.which(java) is None for java in javas):
        print("skipped: no JDK")
        return 0
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        subprocess.run(["javac", "--release", "17", "-d", base, SOURCE / "tests/corpus/heap-leaks/HeapLeaks.java"], check=True, timeout=300)
        for java in javas:
            version = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=60).stderr
            print("Java", re.search(r'"([^"]+)"', version).group(1))
            for name in [*LEAKS, *FAULTS, *HEALTHY]:
                here = base / "run"
                here.mkdir()
                dumps, texts = record(java, base, name, here)
                what = wrong_about(name, dumps) or wrong_about_histograms(name, texts)
                print(f"  {name:24}{'right' if what == '' else 'WRONG: ' + what}", flush=True)
                wrong += what != ""
                shutil.rmtree(here)
    print(f"{wrong} of {len(javas) * (len(LEAKS) + len(FAULTS) + len(HEALTHY))} answers are wrong")
    return wrong > 0


sys.exit(main())
