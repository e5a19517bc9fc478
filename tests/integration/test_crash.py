#!/usr/bin/env python3
"""`faultline crash` as its users meet it: reports of several versions, standard input, bad input, the contract.

usage: test_crash.py FAULTLINE SOURCE_DIR [unittest options]
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

try:
    import jsonschema
except ImportError:  # the package python3-jsonschema
    jsonschema = None

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
FIXTURES = SOURCE / "tests/fixtures/hserr"
TIMEOUT_S = 120


def library(function, build_id, link=b""):
    """An ELF file of few tables: one function at 0x1000, the id of its build, a link to the file with its DWARF."""
    names = b"\0.symtab\0.strtab\0.note.gnu.build-id\0.shstrtab\0.gnu_debuglink\0"
    note = struct.pack("<III4s", 4, len(build_id), 3, b"GNU\0") + build_id
    parts = [(1, 2, bytes(24) + struct.pack("<IBBHQQ", 1, 2, 0, 1, 0x1000, 64), 2, 24), (9, 3, b"\0" + function + b"\0", 0, 0),
             (17, 7, note, 0, 0), (36, 3, names, 0, 0), (46, 1, link, 0, 0)]
    body, table = b"", bytes(64)
    for name, kind, data, link, entry in parts:
        table += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, 64 + len(body), len(data), link, 1, 4, entry)
        body += data + bytes(-len(data) % 8)
    return b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, 64 + len(body), 0, 64, 56, 0, 64, 6, 4) + body + table


class Crash(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def run_it(self, *words, code=0, stdin=b""):
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
        done = subprocess.run([FAULTLINE, "crash", *map(str, words)], capture_output=True, input=stdin, cwd=self.place,
                              env={**kept, "HOME": str(self.place)}, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, code, done.stderr.decode() + done.stdout.decode()[:2000])
        return done

    def answer(self, *words, **options):
        document = json.loads(self.run_it(*words, "--format", "json", **options).stdout)
        if jsonschema is not None:
            jsonschema.validate(document, json.loads((SOURCE / "schemas/json/crash.schema.json").read_text()))
        return document

    def test_reports_of_every_version_say_who_crashed_and_who_called(self):
        expected = {"java17.log.zst": ("the virtual machine", "GcLab.crash()V"), "java25.log.zst": ("the virtual machine", "GcLab.crash()V"),
                    "java8-native.log": ("native code of libimage.so", "com.example.image.Scaler.scale(Ljava/nio/ByteBuffer;II)I"),
                    "memory.log": ("the machine had no memory for the virtual machine", None),
                    "internal.log": ("the virtual machine found itself in a state that cannot be", None)}
        memory, java = "the machine had no memory for the virtual machine", "the Java heap was full"
        expected.update({"memory11.log.zst": (memory, "Crash.main([Ljava/lang/String;)V"), "memory17.log.zst": (memory, None),
                         "memory21.log.zst": (memory, None), "memory25.log.zst": (memory, "Crash.main([Ljava/lang/String;)V"),
                         "java-heap11.log.zst": (java, "Crash.main([Ljava/lang/String;)V"), "java-heap21.log.zst": (java, "Crash.main([Ljava/lang/String;)V"),
                         "killed21.log.zst": ("another process sent a signal", None), "java11.log.zst": ("the virtual machine", "Crash.unsafe()V"),
                         "java21.log.zst": ("the virtual machine", "Crash.unsafe()V")})
        self.assertEqual({path.name for path in FIXTURES.iterdir()}, set(expected))
        for name, (verdict, called_by) in expected.items():
            with self.subTest(name):
                document = self.answer(FIXTURES / name)
                self.assertEqual((document["verdict"], document["called_by"]), (verdict, called_by))
                self.assertIn(verdict, self.run_it(FIXTURES / name).stdout.decode())

    def test_standard_input_is_read_and_a_cut_report_is_partial(self):
        whole = (FIXTURES / "java8-native.log").read_bytes()
        self.assertEqual(self.answer("-", stdin=whole), self.answer(FIXTURES / "java8-native.log"))
        cut = self.answer("-", stdin=whole[:2500], code=5)
        self.assertEqual(cut["what"], "SIGSEGV (0xb)")
        self.assertEqual(len(cut["warnings"]), 1)

    def test_a_signal_from_outside_of_a_container_is_no_crash_of_code(self):
        text = subprocess.run(["zstd", "-dc", FIXTURES / "killed21.log.zst"], capture_output=True, check=True).stdout
        document = self.answer("-", stdin=text.replace(b"si_pid: 23719", b"si_pid: 0"))
        self.assertEqual((document["verdict"], document["sender_pid"]), ("another process sent a signal", 0))
        self.assertIn("a process that is not of its container sent it", document["meaning"])

    def test_a_call_over_a_null_pointer_blames_no_library(self):
        text = (FIXTURES / "java8-native.log").read_text()
        frame = next(line for line in text.splitlines() if line.startswith("# C  ["))
        document = self.answer("-", stdin=text.replace(frame, "# C  0x0000000000000000").encode())
        self.assertEqual(document["verdict"], "native code outside of every library")
        self.assertNotIn("a library of the system", document["meaning"])

    def test_a_mapping_gives_java_frames_their_names_back(self):
        maps = SOURCE / "tests/fixtures/mapping"
        for name in ("proguard", "r8"):
            expected = (maps / f"{name}.expected").read_bytes()
            self.assertEqual(self.run_it(maps / f"{name}.stack", "--mapping", maps / f"{name}.txt").stdout, expected)
            self.assertEqual(self.run_it("-", "--mapping", maps / f"{name}.txt", stdin=(maps / f"{name}.stack").read_bytes()).stdout, expected)
        (self.place / "short.txt").write_text("org.acme.Scaler -> com.example.image.Scaler:\n    int resize(java.nio.ByteBuffer,int,int) -> scale\n")
        document = self.answer(FIXTURES / "java8-native.log", "--mapping", "short.txt")
        self.assertEqual(document["called_by"], "org.acme.Scaler.resize(java.nio.ByteBuffer,int,int)")
        self.assertIn(document["called_by"], [frame["plain_method"] for frame in document["native_frames"]])
        self.assertIn("org.acme.Scaler.resize", self.run_it(FIXTURES / "java8-native.log", "--mapping", "short.txt").stdout.decode())

    def test_leak_reads_a_crash_report_for_what_memory_had_to_do_with_it(self):
        def leak(name, code):
            done = subprocess.run([FAULTLINE, "leak", FIXTURES / name, "--format", "json"], capture_output=True, cwd=self.place, timeout=TIMEOUT_S)
            self.assertEqual(done.returncode, code, done.stderr.decode())
            return json.loads(done.stdout)

        answer = leak("memory.log", 0)
        self.assertEqual(answer["verdict"], "crash")
        self.assertIn("Native memory allocation", json.dumps(answer["findings"][0]["evidence"]))
        answer = leak("java17.log.zst", 6)
        self.assertEqual((answer["verdict"], answer["findings"]), ("not-enough-data", []))
        self.assertIn("no leak seen in a crash report; faultline crash tells what crashed", json.dumps(answer["warnings"]))

    def test_what_a_mapping_says_steers_no_terminal(self):
        (self.place / "evil.txt").write_text("org.acme.Re\x1b]0;x\x07sizer -> S:\n    1:1:void a\x1b[2J():5:5 -> b\n")
        (self.place / "evil.stack").write_text("x\x1b[31m\n\tat S.b(S:1)\n")
        shown = self.run_it("evil.stack", "--mapping", "evil.txt").stdout
        self.assertNotIn(b"\x1b", shown)
        self.assertNotIn(b"\x07", shown)
        self.assertIn(b"\n\tat org.acme.Re", shown)

    def test_a_mapping_that_is_none_is_refused(self):
        stack = SOURCE / "tests/fixtures/mapping/r8.stack"
        self.assertIn("no mapping file of ProGuard or R8", self.run_it(stack, "--mapping", stack, code=1).stderr.decode())
        self.assertIn("cannot open", self.run_it(stack, "--mapping", "missing.txt", code=1).stderr.decode())
        done = self.run_it(stack, "--mapping", stack.with_suffix(".txt"), "--format", "json", code=1)
        self.assertIn("answered as text only", done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def test_a_debug_file_of_another_build_names_nothing(self):
        text = "# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=1\n#\n"
        text += "# Problematic frame:\n# C  [libx.so+0x1008]\n#\n\nNative frames:\nC  [libx.so+0x1008]\n\nEND.\n"
        (self.place / "libx.so").write_bytes(library(b"own", b"12345678"))
        for build_id, expected in ((b"87654321", "own"), (b"12345678", "beside")):
            (self.place / "libx.so.debug").write_bytes(library(b"beside", build_id))
            document = self.answer("-", "--symbols", ".", stdin=text.encode())
            self.assertIn(expected, json.dumps(document))
        (self.place / "libx.so").unlink()
        self.assertIn("beside", json.dumps(self.answer("-", "--symbols", ".", stdin=text.encode())))

    REPORT = b"""# A fatal error has been detected by the Java Runtime Environment:
#
#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=1
#
# Problematic frame:
# C  [libx.so+0x1008]
#

Native frames:
C  [libx.so+0x1008]
C  [liby.so+0x10]  _ZN2os12signal_raiseEi+0x4

END.
"""

    def symbols_of(self, *words):
        document = self.answer("-", *words, stdin=self.REPORT)
        self.assertEqual(document["frame"]["symbol"], document["native_frames"][0]["symbol"])
        return document["frame"]["symbol"], document["warnings"]

    def test_names_of_compilers_are_told_as_their_sources_have_them(self):
        (self.place / "libx.so").write_bytes(library(b"_ZNK3geo3Box4areaERKS0_i", b"12345678"))
        document = self.answer("-", "--symbols", ".", stdin=self.REPORT)
        self.assertEqual(document["frame"]["symbol"], "geo::Box::area(geo::Box const&, int) const")
        self.assertEqual(document["native_frames"][1]["symbol"], "os::signal_raise(int)")
        self.assertIn("geo::Box::area(geo::Box const&, int) const", self.run_it("-", "--binary", "libx.so", stdin=self.REPORT).stdout.decode())

    def test_a_debug_link_is_followed_where_the_bytes_are_those_it_names(self):
        debug = library(b"linked", b"")
        link = b"x.debug\0" + struct.pack("<I", zlib.crc32(debug))
        for where in ("", ".debug/"):
            folder = self.place / f"case{where.strip('./')}"
            (folder / where).mkdir(parents=True)
            (folder / "libx.so").write_bytes(library(b"own", b"", link))
            (folder / where / "x.debug").write_bytes(debug)
            for words in (("--symbols", folder), ("--binary", folder / "libx.so")):
                self.assertEqual(self.symbols_of(*words), ("linked", []))
            (folder / where / "x.debug").write_bytes(debug + b"\0")
            symbol, warnings = self.symbols_of("--symbols", folder)
            self.assertEqual(symbol, "own")
            self.assertIn("x.debug is not the debug file of its library: its CRC32 is another", warnings[0])

    def test_a_file_that_a_debug_link_refused_is_not_taken_for_its_name(self):
        link = b"libx.so.debug" + bytes(3) + struct.pack("<I", 1)
        for own, others, expected in ((b"", b"", "own"), (b"", b"87654321", "own"), (b"12345678", b"", "own"), (b"12345678", b"12345678", "beside")):
            (self.place / "libx.so").write_bytes(library(b"own", own, link))
            (self.place / "libx.so.debug").write_bytes(library(b"beside", others))
            symbol, warnings = self.symbols_of("--symbols", ".")
            self.assertEqual(symbol, expected)
            self.assertEqual(["its CRC32 is another" in w for w in warnings], [True] if expected == "own" else [])

    def test_a_build_id_comes_before_a_debug_link(self):
        linked, by_id = library(b"linked", b""), library(b"by_id", b"12345678")
        (self.place / "libx.so").write_bytes(library(b"own", b"12345678", b"x.debug\0" + struct.pack("<I", zlib.crc32(linked))))
        (self.place / "x.debug").write_bytes(linked)
        self.assertEqual(self.symbols_of("--symbols", ".")[0], "linked")
        elsewhere = self.place / "debug/.build-id" / b"1".hex()
        elsewhere.mkdir(parents=True)
        (elsewhere / (b"2345678".hex() + ".debug")).write_bytes(by_id)
        self.assertEqual(self.symbols_of("--binary", "libx.so", "--symbols", "debug")[0], "by_id")
        (elsewhere / (b"2345678".hex() + ".debug")).write_bytes(library(b"by_id", b"87654321"))
        self.assertEqual(self.symbols_of("--binary", "libx.so", "--symbols", "debug")[0], "linked")

    def test_a_debug_link_that_leads_elsewhere_is_not_followed(self):
        debug = library(b"linked", b"")
        (self.place / "outside.debug").write_bytes(debug)
        (self.place / "in").mkdir()
        for name in (b"../outside.debug", b"", b"x" * 300, b"missing.debug", b"."):
            link = name + bytes(4 - len(name) % 4) + struct.pack("<I", zlib.crc32(debug))
            for bytes_of in (link, link[:-1]):
                (self.place / "in/libx.so").write_bytes(library(b"own", b"", bytes_of))
                self.assertEqual(self.symbols_of("--symbols", "in"), ("own", []))

    def test_a_text_is_answered_whole_or_not_at_all(self):
        mapping = SOURCE / "tests/fixtures/mapping/r8.txt"
        done = self.run_it("-", "--mapping", mapping, stdin=b"\tat a.b(X:1)\n" * ((65 << 20) // 13), code=1)
        self.assertIn("more than 64 MiB of text", done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def test_a_crash_beside_a_histogram_wants_nothing_of_go(self):
        (self.place / "h.txt").write_text("num #instances #bytes\n 1: 5 100 shop.Item\nTotal 5 100\n")
        done = subprocess.run([FAULTLINE, "leak", FIXTURES / "memory.log", "h.txt"], capture_output=True, cwd=self.place, timeout=TIMEOUT_S)
        self.assertIn("heap dumps", done.stdout.decode())
        self.assertNotIn("gc=1", done.stdout.decode())

    def test_bad_input_is_refused_with_a_sentence(self):
        for text in ("", "hello\n", "{}"):
            done = self.run_it("-", stdin=text.encode(), code=1)
            self.assertEqual(done.stdout, b"")
            self.assertIn("no crash report of a Java virtual machine", done.stderr.decode())
        self.assertIn("cannot open", self.run_it("missing.log", code=1).stderr.decode())
        self.assertIn("missing.so", self.run_it(FIXTURES / "internal.log", "--binary", "missing.so", code=1).stderr.decode())
        self.run_it(code=2)

    def test_hostile_text_reaches_no_terminal(self):
        text = "# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIG\x1b[2J (0xb) at pc=0x1, pid=1, tid=1\n\nHost: \u202ebox\nEND.\n"
        page = self.run_it("-", stdin=text.encode()).stdout.decode()
        self.assertNotIn("\x1b", page)
        self.assertNotIn("\u202e", page)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
