"""scripts/record: the moving picture of the README is one, and shows what the commands print now.

usage: test_record.py FAULTLINE SOURCE [unittest options]
"""
import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
SCRIPT, PICTURE = SOURCE / "scripts/record", SOURCE / "docs/demo.svg"


def load(path):
    loader = importlib.machinery.SourceFileLoader("record", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("record", loader))
    sys.modules["record"] = module
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
record = load(SCRIPT)


def run(*words):
    return subprocess.run([sys.executable, SCRIPT, FAULTLINE, *map(str, words)], capture_output=True, text=True, timeout=300)


class Kept(unittest.TestCase):
    def test_it_shows_what_the_commands_print_now(self):
        done = run("--check", PICTURE)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_it_is_small_and_holds_no_script_and_nothing_from_elsewhere(self):
        text = PICTURE.read_text()
        self.assertLess(len(text.encode()), 150_000)
        tree = xml.dom.minidom.parseString(text)
        names = {node.tagName for node in tree.getElementsByTagName("*")}
        self.assertEqual(names, {"svg", "title", "style", "defs", "text", "tspan", "rect", "g", "use"})
        for node in tree.getElementsByTagName("*"):
            for name, value in node.attributes.items():
                self.assertFalse(name.startswith("on"), name)
                if name.endswith("href"):
                    self.assertTrue(value.startswith("#r"), value)
        self.assertNotRegex(text, r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)")

    def test_it_moves_for_about_half_a_minute_and_stands_still_at_its_last_frame(self):
        text = PICTURE.read_text()
        self.assertTrue(20 < float(re.search(r"play ([0-9.]+)s", text).group(1)) < 45)
        frames = [int(x) for x in re.findall(r'<g transform="translate\((\d+) 0\)">', text)]
        self.assertEqual(int(re.search(r'class="f" transform="translate\(-(\d+) 0\)"', text).group(1)), frames[-1])
        self.assertIn("prefers-reduced-motion:reduce", text)
        self.assertIn("prefers-color-scheme:dark", text)
        self.assertIn("Seen before in 1 incident", record.last_frame(text))

    def test_a_picture_of_other_output_is_refused_with_the_row(self):
        with tempfile.NamedTemporaryFile("w", suffix=".svg") as file:
            file.write(PICTURE.read_text().replace(">Seen before<", ">Seen behind<"))
            file.flush()
            done = run("--check", file.name)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"row \d+ of the last frame is\n  Seen behind in 1 incident\nand the program now prints\n  Seen before in 1 incident\n")

    def test_two_recordings_differ_in_times_only(self):
        made = [re.sub(r"<style>.*</style>", "", record.svg(record.record(FAULTLINE)), flags=re.S) for _ in range(2)]
        self.assertEqual(made[0], made[1])


class Terminal(unittest.TestCase):
    def shown(self, text, columns=10, rows=3):
        screen = record.Screen(columns, rows)
        screen.feed(text)
        return ["".join(cell.text for cell in row) for row in screen.shown()]

    def test_lines_end_wrap_and_scroll(self):
        self.assertEqual(self.shown("one\ntwo\nthree\nfour"), ["two", "three", "four"])
        self.assertEqual(self.shown("0123456789ab"), ["0123456789", "ab"])
        self.assertEqual(self.shown("0123456789\nab"), ["0123456789", "ab"])
        self.assertEqual(self.shown("abc\rx  \n"), ["x", ""])

    def test_colours_are_runs(self):
        screen = record.Screen()
        screen.feed("a\x1b[1mb\x1b[0m\x1b[32mc\x1b[0md ")
        self.assertEqual(screen.shown()[0], (record.Cell("a"), record.Cell("b", "b"), record.Cell("c", "g"), record.Cell("d")))

    def test_what_it_does_not_understand_is_an_error(self):
        for text in ("\x1b[2J", "\x1b[35mx", "\a", "\u202e"):
            with self.assertRaises(ValueError):
                self.shown(text)

    def test_pieces_stand_at_their_columns(self):
        row = (record.Cell("  ab  cd <&> "), record.Cell("x\u2581\u2582", "b"))
        self.assertEqual(record.svg_row(row), '<tspan x="16" textLength="16">ab</tspan><tspan x="48" textLength="48">cd &lt;&amp;&gt;</tspan>'
                                              '<tspan x="104" class="b">x</tspan><tspan x="112" textLength="16" class="b">\u2581\u2582</tspan>')


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
