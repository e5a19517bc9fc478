"""The Debian package: what is in it, what it depends on, and that it installs and starts.

usage: test_package.py BUILD CPACK [unittest options]

With FL_LONG=1, as root and where debootstrap is there, it is installed by apt into a fresh Debian 12 in a private folder,
started there, and purged. Nothing is installed on this machine.
"""
import gzip
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

BUILD, CPACK = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
LAZY = ("libcurl4", "libgnutls30", "libmicrohttpd12", "libnghttp2-14", "libpq5")


def run(*words, check=True, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, **{"timeout": 300, **more})
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


class Started:
    """The packaged program under the unit's own environment, until the end of the block."""

    def __init__(self, words, state, environment=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{state}/notify")
        os.chmod(f"{state}/notify", 0o777)
        self.socket.settimeout(60)
        inside = {"XDG_STATE_HOME": str(state), "NOTIFY_SOCKET": f"{state}/notify", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | (environment or {})
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log, env=inside)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        try:
            self.told = self.socket.recv(4096)
        except TimeoutError as silent:
            raise AssertionError("not ready: " + self.said()) from silent
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.code = self.process.wait(60)
        self.socket.close()
        self.text = self.said()
        self.log.close()


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("dpkg-deb") or not shutil.which("dpkg-shlibdeps"):
            raise unittest.SkipTest("dpkg-deb and dpkg-shlibdeps (dpkg-dev) are not there")
        cls.folder = tempfile.TemporaryDirectory(prefix="faultline-package-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.here = pathlib.Path(cls.folder.name)
        cls.here.chmod(0o755)
        run(CPACK, "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.here / "deb", cwd=BUILD)
        [cls.deb] = (cls.here / "deb").glob("*.deb")
        cls.root = cls.here / "root"
        run("dpkg-deb", "-x", cls.deb, cls.root)
        run("dpkg-deb", "-e", cls.deb, cls.here / "control")

    def test_it_holds_what_a_package_should(self):
        for name in ("usr/bin/faultline", "lib/systemd/system/faultline.service", "etc/faultline/faultline.yaml",
                     "usr/share/bash-completion/completions/faultline", "usr/share/zsh/vendor-completions/_faultline",
                     "usr/share/fish/vendor_completions.d/faultline.fish", "usr/share/man/man1/faultline-serve.1.gz",
                     "usr/share/man/man1/faultline-config.1.gz", "usr/share/doc/faultline/copyright"):
            self.assertTrue((self.root / name).is_file(), name)
        kept = {p.relative_to(self.root).parts[0] for p in self.root.rglob("*") if p.is_file()}
        self.assertEqual(kept, {"etc", "lib", "usr"})
        self.assertFalse([p for p in self.root.rglob("*") if p.is_file() and p.suffix in (".h", ".a", ".cmake", ".pc")])
        self.assertIn(b".TH", gzip.decompress((self.root / "usr/share/man/man1/faultline-serve.1.gz").read_bytes())[:2000])
        self.assertEqual((self.here / "control/conffiles").read_text(), "/etc/faultline/faultline.yaml\n")

    def test_it_depends_on_what_is_linked_and_on_what_is_loaded(self):
        depends = run("dpkg-deb", "--field", self.deb, "Depends").stdout
        for library in LAZY:
            self.assertRegex(depends, rf"(^|[ ,]){re.escape(library)}([ ,|]|$)")
        for library in ("libc6", "libpcre2-8-0", "libsqlite3-0", "libyaml-0-2", "zlib1g"):
            self.assertIn(library + " (", depends.replace(",", " (") + " (")
        # whatever the program loads by name is listed, also what somebody adds later
        names = set(re.findall(rb"lib[a-z0-9+-]+\.so\.[0-9]+", (self.root / "usr/bin/faultline").read_bytes()))
        linked = run("readelf", "-d", self.root / "usr/bin/faultline").stdout if shutil.which("readelf") else None
        if linked is not None:
            self.assertEqual({n.decode() for n in names if n.decode() not in linked},
                             {"libcurl.so.4", "libgnutls.so.30", "libmicrohttpd.so.12", "libnghttp2.so.14", "libpq.so.5",
                              "librdkafka.so.1"})
        self.assertEqual(run("dpkg-deb", "--field", self.deb, "Recommends").stdout.strip(), "librdkafka1")

    def test_its_scripts_are_scripts(self):
        for name in ("postinst", "prerm", "postrm"):
            run("sh", "-n", self.here / "control" / name)
            self.assertEqual((self.here / "control" / name).stat().st_mode & 0o777, 0o755)

    def test_lintian_finds_no_error(self):
        if not shutil.which("lintian"):
            self.skipTest("lintian is not there")
        done = run("lintian", "--fail-on", "error", self.deb, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_its_unit_is_sound_and_sandboxed(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not there")
        unit = self.root / "lib/systemd/system/faultline.service"
        text = unit.read_text()
        self.assertNotRegex(text, r"(?m)^MemoryDenyWriteExecute")
        # verified with commands that are there: those of the unit are not installed
        copy = self.here / "faultline.service"
        copy.write_text(re.sub(r"(?m)^(Documentation=.*\n)", "", text.replace("/usr/bin/faultline", str(self.root / "usr/bin/faultline"))))
        said = run("systemd-analyze", "verify", copy, check=False)
        self.assertNotIn("faultline.service", said.stderr)
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])

    def test_the_unpacked_program_starts_with_the_packaged_configuration(self):
        program, config = self.root / "usr/bin/faultline", self.root / "etc/faultline/faultline.yaml"
        run(program, "config", "check", config)
        with tempfile.TemporaryDirectory() as state:
            with Started([program, "serve", "--config", config, "--listen", "127.0.0.1:0"], state) as daemon:
                self.assertEqual(daemon.told, b"READY=1")
                port = re.search(r"listening on \S+, port (\d+)", daemon.said()).group(1)
                self.assertEqual(urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10).read(), b"ready\n")
                self.assertTrue(pathlib.Path(state, "faultline").is_dir())
            self.assertEqual(daemon.code, 0, daemon.text)

    def test_it_installs_on_a_fresh_debian_12_and_starts_and_goes(self):
        if not os.environ.get("FL_LONG"):
            self.skipTest("only with FL_LONG=1: it fetches a Debian of 100 MB")
        if os.geteuid() != 0 or not shutil.which("debootstrap"):
            self.skipTest("needs root and debootstrap")
        fresh = self.here / "fresh"
        made = run("debootstrap", "--variant=minbase", "bookworm", fresh, os.environ.get("FL_DEBIAN_MIRROR", "http://deb.debian.org/debian"),
                   check=False, timeout=900)
        if made.returncode != 0:
            self.skipTest("debootstrap could not fetch a Debian: " + made.stdout[-300:])
        shutil.copy(self.deb, fresh / "tmp/faultline.deb")
        quiet = {"env": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}, "timeout": 900}
        run("chroot", fresh, "apt-get", "update", **quiet)
        run("chroot", fresh, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/faultline.deb", **quiet)
        self.assertTrue((fresh / "etc/systemd/system/multi-user.target.wants/faultline.service").is_symlink())
        run("chroot", fresh, "faultline", "config", "check", "/etc/faultline/faultline.yaml", **quiet)
        state = fresh / "var/lib/state"
        state.mkdir()
        shutil.chown(state, 65534, 65534)
        words = ["chroot", "--userspec=65534:65534", fresh, "faultline", "serve", "--config", "/etc/faultline/faultline.yaml", "--listen", "127.0.0.1:0"]
        with Started(words, state, {"XDG_STATE_HOME": "/var/lib/state", "NOTIFY_SOCKET": "/var/lib/state/notify"}) as daemon:
            self.assertEqual(daemon.told, b"READY=1")
            time.sleep(0.2)
        self.assertEqual(daemon.code, 0, daemon.text)
        run("chroot", fresh, "apt-get", "purge", "-y", "faultline", **quiet)
        for gone in ("usr/bin/faultline", "etc/faultline", "var/lib/faultline", "etc/systemd/system/multi-user.target.wants/faultline.service"):
            self.assertFalse((fresh / gone).exists() or (fresh / gone).is_symlink(), gone)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
