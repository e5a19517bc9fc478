"""What triage and show print for people: at 80 and 200 columns, on terminals and off them, of the shop and of the recordings.

usage: test_pages.py FAULTLINE SOURCE [unittest options]
"""
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import unicodedata
import unittest

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
INCIDENTS = SOURCE / "examples/shop/incidents"
SHARED = pathlib.Path(os.environ.get("FL_SHARED", SOURCE.parent / "shared")) / "cases"
ROW = re.compile(r"[▁▂▃▄▅▆▇█·│▸]{4,}|\[[.:=+*#@ |>-]{4,}\]")
UNICODE = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def on_terminal(width, *words, **environment):
    """All that a terminal of this width shows."""
    main, side = pty.openpty()
    own = {**{key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "LC_ALL", "LANG")}, **environment}
    process = subprocess.Popen([FAULTLINE, *map(str, words)], stdin=side, stdout=side, stderr=subprocess.DEVNULL, env={**own, "COLUMNS": str(width)})
    os.close(side)
    shown = b""
    while select.select([main], [], [], 120)[0]:
        try:
            shown += os.read(main, 65536)
        except OSError:
            break
    os.close(main)
    process.wait()
    return shown.decode().replace("\r\n", "\n")


def in_pipe(*words):
    return subprocess.run([FAULTLINE, *map(str, words)], capture_output=True, text=True, timeout=120).stdout


class Pages(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.store = pathlib.Path(self.folder.name) / "pages.db"

    def tearDown(self):
        self.folder.cleanup()

    def triage(self, case):
        """The id under which the answer is kept."""
        truth = json.loads((case / "truth.json").read_text())
        options = ["--baseline", case.parent / truth["baseline"]] if "baseline" in truth else []
        answer = in_pipe("triage", "--otlp", case, "--at", truth["incident_time"], "--store", self.store, "--no-memory", "--format", "json", *options)
        return json.loads(answer)["incident"]["id"]

    def check(self, case):
        name = self.triage(case)
        show = "show", name, "--store", self.store
        words = lambda page: "".join(ROW.sub("", line) for line in re.sub(r"(?m)^Rows .*\n( .*\n)*", "", page).split("\n")).replace(" ", "")
        bars = lambda text: re.sub("[█░]", "", text)
        pages = {width: on_terminal(width, *show, **UNICODE) for width in (80, 200)}
        for width, page in pages.items():
            self.assertNotIn("\x1b", page)
            for line in page.split("\n"):
                if " see  " not in line:  # a query is there to be copied, and is not wrapped
                    self.assertLessEqual(columns(line), width, line)
        # Rows and captions stand elsewhere, and both have the same of them.
        self.assertEqual(sorted(ROW.findall(pages[80])) != [], sorted(ROW.findall(pages[200])) != [])
        self.assertEqual(sorted(bars(words(pages[80]))), sorted(bars(words(pages[200]))))
        rows = [line.index(found.group()) for line in pages[200].split("\n") if (found := ROW.search(line)) and re.match(r" {6}[+-] ", line)]
        self.assertLessEqual(len(set(rows)), 1, "rows of a wide page stand in one column")
        coloured = on_terminal(80, *show, **{**UNICODE, "NO_COLOR": ""})
        self.assertEqual(re.sub(r"\x1b\[[0-9;]*m", "", coloured), pages[80])
        self.assertEqual(on_terminal(80, *show, TERM="dumb", LC_ALL="C.UTF-8"), pages[80])
        piped = in_pipe(*show)
        self.assertTrue(all(c == "\n" or " " <= c <= "~" for c in piped) or not case.is_relative_to(INCIDENTS))
        self.assertEqual(on_terminal(100, *show, TERM="xterm", LC_ALL="C", NO_COLOR="1"), piped)
        self.assertEqual(bool(re.search(r"\[[.:=+*#@ |>-]{4,}\]", re.sub(r"\[[#.]+\] +[<>]?\d+ %", "", piped))), "Rows " in pages[80])
        return name, piped, pages

    def test_the_shop_is_shown_at_any_width_and_without_colours(self):
        name, piped, pages = self.check(INCIDENTS / "pool-exhaustion")
        self.assertIn("[...........|>@@@@ ]  usual 0 {request}, highest 30.2 {request}\n", piped)
        self.assertRegex(pages[200], r"(?m)^      \+ metrics   ▁{11}│▸█{4}· +db\.client")
        self.assertRegex(pages[80], r"(?m)^ {18}▁{11}│▸█{4}·  usual 0 \{request\}, highest 30\.2 \{request\}$")

    def test_what_triage_prints_is_what_show_prints_again(self):
        case = INCIDENTS / "pool-exhaustion"
        given = "triage", "--otlp", case, "--baseline", INCIDENTS / "baseline", "--at", "2026-11-22T23:58:48Z", "--store", self.store, "--no-memory"
        for width in (80, 200):
            page = on_terminal(width, *given, **UNICODE)
            self.assertEqual(page.rpartition("\nStored as ")[0], on_terminal(width, "show", "2026", "--store", self.store, **UNICODE))

    def test_recordings_are_shown_at_any_width(self):
        cases = [sorted(found)[0] for found in ([path.parent for path in group.rglob("truth.json")] for group in SHARED.glob("*")) if found]
        if not cases:
            self.skipTest("no recordings here")
        for case in cases:
            with self.subTest(case=case.name):
                self.check(case)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
