#!/usr/bin/env python3
"""faultline profile and leak with programs and source maps that name what a profile leaves open.

usage: test_names.py FAULTLINE SOURCE_DIR

Where go is installed, a program that fills a map is built and asked for its heap?debug=1 text: the runtime's
innermost frames, which Go leaves without names there, are then named by the program itself.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

FAULTLINE, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
sys.path.insert(0, str(SOURCE / "tests/support"))
import made_profiles  # noqa: E402

HEAP = """heap profile: 2: 4194304 [3: 8192] @ heap/1048576
2: 4194304 [3: 8388608] @ 0x47a748 0x47a741 0x9999
#\t0x9998\tmain.known+0x1\t/src/known.go:7

"""
PROGRAM = """package main

import ("os"; "runtime/pprof")

var store = map[int][64]byte{}

func main() {
\tfor i := 0; i < 400000; i++ { store[i] = [64]byte{} }
\tpprof.Lookup("heap").WriteTo(os.Stdout, 1)
}
"""
GOROUTINES = "".join(f"""goroutine {n} [chan receive, {n} minutes]:
main.wait(0xc00{n}, {{0x1, 0x2}})
\t/src/main.go:61 +0x2d
created by main.start in goroutine 1
\t/src/main.go:70 +0x1c

""" for n in range(1, 21))


def run(command, *arguments):
    done = subprocess.run([FAULTLINE, command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


class Names(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.heap = self.folder / "heap.txt"
        self.heap.write_text(HEAP)
        self.program = self.folder / "program"
        fixture = SOURCE / "tests/fixtures/symbol/go126.elf.zst"
        self.program.write_bytes(subprocess.run(["zstd", "-dc", fixture], capture_output=True, check=True).stdout)

    def test_a_program_names_its_addresses_with_inlined_calls(self):
        code, out, err = run("profile", "tree", self.heap, "--binary", self.program)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("main.sum (inline)", out)
        self.assertIn("main.outer", out)
        self.assertIn("main.known", out)
        self.assertNotIn("main.sum", run("profile", "top", self.heap)[1])

    def test_what_is_no_program_and_no_map_is_refused(self):
        code, _, err = run("profile", "top", self.heap, "--binary", self.heap)
        self.assertEqual(code, 1)
        self.assertIn("heap.txt: not an ELF file", err)
        code, _, err = run("leak", self.heap, "--source-map", self.heap)
        self.assertEqual(code, 1)
        self.assertIn("heap.txt: this is not a source map", err)
        code, _, err = run("leak", self.heap, "--source-map", self.folder)
        self.assertEqual(code, 1)
        self.assertIn("holds no .map files", err)

    def test_leak_warns_of_a_program_of_another_build(self):
        made_profiles.write(self.folder / "series", made_profiles.leaking(8))
        code, out, _ = run("leak", self.folder / "series", "--binary", self.program, "--format", "json")
        answer = json.loads(out)
        self.assertEqual((code, answer["verdict"]), (0, "leak"))
        self.assertEqual(answer["warnings"], [])  # each frame has its name: the program was not asked
        self.assertEqual(answer["findings"][0]["function"], "main.put")

    def test_a_source_map_leads_to_the_source(self):
        # main.go stands for generated code: lines 11 and 12 come from a.ts.
        made_profiles.write(self.folder / "series", made_profiles.leaking(8))
        source_map = {"version": 3, "file": "main.go", "sources": ["src/a.ts"], "names": [],
                      "mappings": ";" * 10 + "AAoBA;AACA"}
        maps = self.folder / "maps"
        maps.mkdir()
        (maps / "main.go.map").write_text(json.dumps(source_map))
        code, out, _ = run("leak", self.folder / "series", "--source-map", maps, "--format", "json")
        answer = json.loads(out)
        finding = answer["findings"][0]
        self.assertEqual((code, finding["function"], finding["file"], finding["line"]), (0, "main.put", "src/a.ts", 21))
        self.assertEqual(answer["warnings"], [])
        (maps / "main.go.map").write_text(json.dumps(dict(source_map, file="other.js")))
        _, out, _ = run("leak", self.folder / "series", "--source-map", maps, "--format", "json")
        self.assertTrue(any("leads no line of the profiles to a source" in w for w in json.loads(out)["warnings"]))

    def test_goroutine_texts_are_profiles(self):
        path = self.folder / "goroutines.txt"
        path.write_text(GOROUTINES)
        code, out, err = run("profile", "top", path)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Type: goroutine", out)
        self.assertRegex(out, r"(?m)^ +20 +100% +100% +20 +100%  main\.wait$")

    @unittest.skipUnless(shutil.which("go"), "go is not installed")
    def test_a_real_program_names_the_runtime_in_its_heap_text(self):
        (self.folder / "main.go").write_text(PROGRAM)
        (self.folder / "go.mod").write_text("module example.com/fill\n")
        built = self.folder / "fill"
        environment = dict(os.environ, CGO_ENABLED="0", GOFLAGS="", GOTOOLCHAIN="local")
        for flags in ("", "-s -w"):
            done = subprocess.run(["go", "build", "-ldflags", flags, "-o", built, "."], cwd=self.folder, env=environment,
                                  capture_output=True, text=True, check=False, timeout=300)
            if done.returncode != 0:
                self.skipTest("go cannot build here: " + done.stderr[:200])
            self.heap.write_bytes(subprocess.run([built], capture_output=True, check=True, timeout=60).stdout)
            before = run("profile", "top", self.heap)[1]
            code, out, err = run("profile", "top", self.heap, "--binary", built)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("main.main", out)
            self.assertNotIn("runtime.mapassign", before)
            self.assertIn("runtime.mapassign", out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
