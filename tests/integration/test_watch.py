"""`faultline watch`: an incident is followed at a daemon and in a store, in a pipe and on a terminal.

usage: test_watch.py FAULTLINE SOURCE [unittest options]

What a daemon says, and when it goes away, is made up by a server of the test's own, so that each step is waited for and none is timed;
one test follows a real daemon and its store.
"""
import copy
import fcntl
import http.server
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unittest
import urllib.parse

from daemon import Daemon
from test_incidents import alert, config, listed, webhook

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
GOLDEN = SOURCE / "tests/golden/report"
ID = "20261122T235848Z-cda14108"
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
TIMEOUT_S = 120


def document(state="open", hypotheses=True, **changes):
    """The shop's answer as a daemon keeps it."""
    made = json.loads((GOLDEN / "shop.json").read_text())
    made["live"] = {"state": state, "merged_to": None, "key": "0" * 16, "opened": "2026-11-22T23:58:48Z", "changed": "2026-11-22T23:58:48Z",
                    "onset": "2026-11-22T23:58:48Z", "cleared": None, "closed": "2026-11-23T00:10:00Z" if state != "open" else None,
                    "trouble_at": "storefront", "is_diagnosed": hypotheses, "signs_total": 0, "signs_lasting": 0, "signs": []}
    if not hypotheses:
        made["verdict"], made["hypotheses"] = "no-confident-cause", []
    made["live"].update(changes)
    return made


class Fake:
    """A daemon of few words: documents by id, events, and the end whenever the test wants it."""

    def __init__(self, has_events=True, token=None):
        self.documents, self.listeners, self.asked, self.port, self.store = {}, 0, 0, 0, "made-up"
        self.is_behind_a_proxy_alone = False
        self.has_events, self.token, self.changed = has_events, token, threading.Condition()
        self.start()

    def start(self):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, code, body, kind="application/json"):
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def events(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(b"retry: 2000\n\n")
                self.wfile.flush()
                with fake.changed:
                    fake.listeners += 1
                    fake.changed.notify_all()
                    while not self.server.is_ending:
                        fake.changed.wait()
                        self.wfile.write(b"id: 1\nevent: incident\ndata: {\"id\":\"%s\"}\n\n" % ID.encode())
                        self.wfile.flush()

            def do_GET(self):
                if fake.token and self.headers.get("Authorization") != "Bearer " + fake.token:
                    return self.answer(401, b"{}")
                if self.path == "/v1/incidents/events":
                    return self.events() if fake.has_events else self.answer(404, b"{}")
                name, _, part = urllib.parse.unquote(self.path.removeprefix("/v1/incidents/")).partition("/")
                found = [text for key, text in fake.documents.items() if key.startswith(name)]
                fake.asked += 1
                if fake.is_behind_a_proxy_alone:
                    return self.answer(404, b"default backend - 404", "text/plain")
                if not found:
                    problem = {"status": 404, "detail": f"no incident '{name}' in store {fake.store}"}
                    return self.answer(404, json.dumps(problem).encode(), "application/problem+json")
                if part == "timeline":
                    return self.answer(200, (GOLDEN / "shop.timeline.json").read_bytes())
                return self.answer(200, found[0])

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, is_ending = True, False

            def handle_error(self, *_):
                pass  # a client that hung up

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def put(self, made, name=ID):
        self.documents[name] = json.dumps({**made, "incident": {**made["incident"], "id": name}}).encode()
        with self.changed:
            self.changed.notify_all()

    def stop(self):
        self.server.is_ending = True
        with self.changed:
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def wait_for_listener(self):
        with self.changed:
            return self.changed.wait_for(lambda: self.listeners > 0, TIMEOUT_S)


class Watch:
    """A run in pipes; its lines are read one after the other."""

    def __init__(self, *words, **extra):
        self.process = subprocess.Popen([FAULTLINE, "watch", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **extra})
        self.end = threading.Timer(TIMEOUT_S, self.process.kill)
        self.end.daemon = True
        self.end.start()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def said(self):
        return self.process.stderr.readline().rstrip("\n")

    def finish(self):
        """Exit code and what is left of both outputs."""
        out, err = self.process.stdout.read(), self.process.stderr.read()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.end.cancel()
        return self.process.returncode, out, err


class Terminal:
    """A run on a terminal of its own."""

    def __init__(self, *words, rows=24, columns=80):
        self.main, self.side = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.side)
        self.process = subprocess.Popen([FAULTLINE, "watch", *map(str, words)], stdin=self.side, stdout=self.side, stderr=self.side,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"})
        self.shown = b""
        self.end = threading.Timer(TIMEOUT_S, self.process.kill)
        self.end.daemon = True
        self.end.start()

    def resize(self, rows, columns):
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        if select.select([self.main], [], [], 0.1)[0]:
            self.shown += os.read(self.main, 65536)

    def wait_for(self, test):
        """Until test(frame) holds of the last whole frame, as lines."""
        while self.process.poll() is None:
            self.read()
            frames = self.shown.decode(errors="replace").split("\x1b[H")
            if len(frames) > 1:
                lines = [line.replace("\x1b[0m\x1b[K", "") for line in frames[-1].split("\r\n")]
                if frames[-1].endswith("\x1b[K") and test(lines):
                    return lines
        raise AssertionError("not shown: " + self.shown[-4000:].decode(errors="replace"))

    def press(self, keys):
        os.write(self.main, keys)

    def finish(self):
        """Exit code; what was shown after the screen was left."""
        while self.process.poll() is None:
            self.read()
        while select.select([self.main], [], [], 0)[0]:
            self.shown += os.read(self.main, 65536)
        self.end.cancel()
        self.after = termios.tcgetattr(self.side)
        os.close(self.main)
        os.close(self.side)
        return self.process.returncode, self.shown.partition(LEAVE)[2].decode().replace("\r", "")


class Pipe(unittest.TestCase):
    def follow(self, fake):
        fake.put(document(hypotheses=False))
        watch = Watch(ID[:9], "--server", fake.url)
        self.assertRegex(watch.line(), r"^\S+Z  open       n/a  not diagnosed yet$")
        return watch

    def test_each_change_is_a_line_and_the_end_is_the_answer(self):
        for has_events in (True, False):
            fake = Fake(has_events)
            watch = self.follow(fake)
            if has_events:
                self.assertTrue(fake.wait_for_listener())
            unsure = document()
            unsure["verdict"], unsure["hypotheses"][0]["probability"] = "no-confident-cause", 0.42
            fake.put(unsure)
            self.assertRegex(watch.line(), r"^\S+Z  open      42 %  payment: exception \(no confident cause\)$")
            fake.put(document())
            self.assertRegex(watch.line(), r"^\S+Z  open     >99 %  payment: exception$")
            fake.put(document("closed"))
            self.assertRegex(watch.line(), r"^\S+Z  closed   >99 %  payment: exception$")
            code, out, err = watch.finish()
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(out.startswith("\nCause found: payment, exception (>99 %)\n"), out)
            self.assertIn("[...........|>@@@@ ]  usual 0 {request}, highest 30.2 {request}\n", out)
            self.assertIn("closed since 2026-11-23T00:10:00Z", out)
            fake.stop()

    def test_a_change_that_no_line_shows_is_no_line(self):
        fake = Fake()
        watch = self.follow(fake)
        asked = fake.asked
        fake.put(document(hypotheses=False, signs_total=1))
        while fake.asked < asked + 2:
            fake.put(document(hypotheses=False, signs_total=2))
        fake.put(document("closed", hypotheses=False, is_diagnosed=True))
        self.assertRegex(watch.line(), r"^\S+Z  closed     n/a  nothing stands out from the baseline$")
        self.assertEqual(watch.finish()[0], 6)
        fake.stop()

    def test_a_daemon_that_goes_away_is_waited_for(self):
        fake = Fake()
        watch = self.follow(fake)
        fake.stop()
        self.assertRegex(watch.said(), r"^faultline: http://127\.0\.0\.1:\d+/v1/incidents/\S+: .*; trying again, next in 500ms$")
        fake.put(document("closed"))
        fake.start()
        self.assertEqual(watch.said(), f"faultline: {fake.url} answers again")
        self.assertRegex(watch.line(), r"  closed   >99 %  payment: exception$")
        self.assertEqual(watch.finish()[0], 0)
        fake.stop()

    def test_an_incident_that_is_not_there_or_deleted_is_a_sentence(self):
        fake = Fake()
        code, out, err = Watch("none", "--server", fake.url).finish()
        self.assertEqual((code, out, err), (1, "", "faultline: no incident 'none' in store made-up\n"))
        watch = self.follow(fake)
        fake.documents.clear()
        fake.put(document(), "another")
        code, out, err = watch.finish()
        self.assertEqual((code, out, err), (1, "", f"faultline: {ID} is gone from {fake.url}: it was deleted\n"))
        fake.stop()

    def test_a_proxy_without_its_daemon_is_no_end(self):
        fake = Fake(has_events=False)
        watch = self.follow(fake)
        fake.is_behind_a_proxy_alone = True
        fake.put(document())
        self.assertIn("404", watch.said())
        fake.is_behind_a_proxy_alone = False
        fake.put(document("closed"))
        self.assertRegex(watch.line(), r"^\S+Z  closed   >99 %  payment: exception$")
        self.assertEqual(watch.finish()[0], 0)
        fake.stop()

    def test_a_circle_of_merges_ends(self):
        fake = Fake(has_events=False)
        fake.put(document("merged", merged_to="other"))
        fake.put(document("merged", merged_to=ID), "other")
        code, _, err = Watch(ID, "--server", fake.url).finish()
        self.assertEqual(code, 1)
        self.assertIn("incidents are merged in a circle", err)
        fake.stop()

    def test_what_was_merged_is_followed_there(self):
        fake = Fake()
        watch = self.follow(fake)
        fake.put(document("closed"), "bigger")
        fake.put(document("merged", merged_to="bigger"))
        self.assertRegex(watch.line(), r"  merged   >99 %  payment: exception$")
        self.assertRegex(watch.line(), r"  closed   >99 %  payment: exception$")
        code, out, err = watch.finish()
        self.assertEqual((code, err), (0, f"faultline: {ID} was merged into bigger, which is followed now\n"))
        self.assertIn("Incident  bigger\n", out)
        fake.stop()

    def test_hostile_text_is_text(self):
        fake = Fake()
        made = document("closed")
        made["hypotheses"][0]["service"] = "pay\x1b[2J\u202e<b>" + "x" * 100000
        fake.put(made)
        code, out, _ = Watch(ID, "--server", fake.url).finish()
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\u202e", out)
        self.assertIn("pay?[2J?<b>", out)
        fake.store = "\x1b[2J\u202e" + "x" * 1000
        code, out, err = Watch("none", "--server", fake.url).finish()
        self.assertEqual((code, out), (1, ""))
        self.assertTrue(err.startswith("faultline: no incident 'none' in store ?[2J?xxx"), err)
        fake.put(document(hypotheses=False))
        watch = Watch(ID, "--server", fake.url)
        watch.line()
        fake.put(document("closed"), "\x1b[2Jother")
        fake.put(document("merged", merged_to="\x1b[2Jother"))
        self.assertEqual(watch.said(), f"faultline: {ID} was merged into ?[2Jother, which is followed now")
        code, out, err = watch.finish()
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("\x1b", out)
        fake.stop()

    def test_who_is_no_daemon_or_wants_a_token_is_said(self):
        fake = Fake(token="secret")
        fake.put(document("closed"))
        code, _, err = Watch(ID, "--server", fake.url).finish()
        self.assertEqual((code, err), (1, f"faultline: {fake.url} does not answer without a token that may read: --token-file\n"))
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret\n")
            file.flush()
            self.assertEqual(Watch(ID, "--server", fake.url, "--token-file", file.name).finish()[0], 0)
        fake.token = None
        for body in (b"[]", b"<html>", b'{"incident": {}}', b""):
            fake.documents[ID] = body
            code, _, err = Watch(ID, "--server", fake.url).finish()
            self.assertEqual((code, err), (1, f"faultline: {fake.url} has no incident there\n"), body)
        fake.stop()
        code, out, err = Watch(ID, "--server", fake.url).finish()
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, "^faultline: http://.*onnect")

    def test_a_closed_pipe_ends_it(self):
        fake = Fake()
        watch = self.follow(fake)
        watch.process.stdout.close()
        fake.put(document())
        watch.process.wait()
        self.assertEqual(watch.process.returncode, 1)
        self.assertEqual(watch.process.stderr.read(), "faultline: the output is closed\n")
        watch.process.stderr.close()
        watch.end.cancel()
        fake.stop()


class Screen(unittest.TestCase):
    def open(self, fake, made, **size):
        fake.put(made)
        return Terminal(ID, "--server", fake.url, **size)

    def test_it_is_drawn_in_place_resized_scrolled_and_left_by_a_key(self):
        fake = Fake()
        watch = self.open(fake, document(), rows=20, columns=80)
        lines = watch.wait_for(lambda lines: len(lines) == 20)
        self.assertEqual(lines[0], "Cause found: payment, exception (>99 %)")
        self.assertRegex(lines[-1], r"^open     >99 %  payment: exception  as of \S+Z  \(q ends, j and k scroll\)$")
        watch.press(b"j\x1b[B")
        self.assertTrue(watch.wait_for(lambda lines: lines[0].startswith("Incident  ")))
        watch.press(b"kk")
        watch.wait_for(lambda lines: lines[0].startswith("Cause found"))
        watch.press(b" " * 40)
        watch.wait_for(lambda lines: lines[-2].startswith("open since"))
        watch.press(b"b" * 40)
        watch.resize(40, 132)
        lines = watch.wait_for(lambda lines: len(lines) == 40 and any("▁▁▁▁▁▁▁▁▁▁▁│▸" in line for line in lines))
        self.assertTrue(any(re.search(r"\+ metrics   ▁+│▸█+·\s+db\.client", line) for line in lines), lines)
        watch.press(b"q")
        code, after = watch.finish()
        self.assertEqual(code, 0)
        self.assertRegex(after, r"^\S+Z  open     >99 %  payment: exception\n$")
        self.assertEqual(watch.before, watch.after)
        self.assertEqual(watch.shown.count(ENTER), 1)
        self.assertIn(b"\x1b[?25h", watch.shown)
        fake.stop()

    def test_a_change_is_drawn_and_the_end_leaves_the_answer_on_the_terminal(self):
        fake = Fake()
        watch = self.open(fake, document(hypotheses=False))
        watch.wait_for(lambda lines: "not diagnosed yet" in lines[-1])
        fake.put(document())
        watch.wait_for(lambda lines: lines[0].startswith("Cause found"))
        fake.put(document("closed"))
        code, after = watch.finish()
        self.assertEqual(code, 0)
        self.assertRegex(after, r"^\S+Z  closed   >99 %  payment: exception\n\nCause found: payment")
        self.assertEqual(watch.before, watch.after)
        fake.stop()

    def test_an_outage_is_said_below_the_page(self):
        fake = Fake()
        watch = self.open(fake, document())
        watch.wait_for(lambda lines: "as of" in lines[-1])
        fake.stop()
        lines = watch.wait_for(lambda lines: "trying again" in lines[-1] or "onnect" in lines[-1])
        self.assertTrue(lines[0].startswith("Cause found"))
        fake.start()
        watch.wait_for(lambda lines: "as of" in lines[-1])
        watch.press(b"q")
        self.assertEqual(watch.finish()[0], 0)
        fake.stop()

    def test_signals_give_the_terminal_back(self):
        fake = Fake()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            watch = self.open(fake, document())
            watch.wait_for(lambda lines: "as of" in lines[-1])
            if number == signal.SIGINT:
                watch.press(b"\x03")
            else:
                watch.process.send_signal(number)
            self.assertEqual(watch.finish()[0], 0, number)
            self.assertEqual(watch.before, watch.after)
        fake.stop()

    def test_a_key_ends_it_while_the_daemon_hangs(self):
        fake = Fake()
        watch = self.open(fake, document())
        watch.wait_for(lambda lines: "as of" in lines[-1])
        hang = threading.Event()
        fake.documents = type("Hanging", (dict,), {"items": lambda self: hang.wait(TIMEOUT_S) or ()})()
        with fake.changed:
            fake.changed.notify_all()
        watch.press(b"q")
        self.assertEqual(watch.finish()[0], 0)
        hang.set()
        fake.stop()

    def test_while_it_is_stopped_the_terminal_is_as_before(self):
        fake = Fake()
        watch = self.open(fake, document())
        watch.wait_for(lambda lines: "as of" in lines[-1])
        watch.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, watch.process.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertEqual(termios.tcgetattr(watch.side), watch.before)
        watch.process.send_signal(signal.SIGCONT)
        while watch.shown.count(ENTER) < 2:
            watch.read()
        watch.wait_for(lambda lines: "as of" in lines[-1])
        watch.press(b"q")
        self.assertEqual(watch.finish()[0], 0)
        self.assertEqual(watch.before, watch.after)
        fake.stop()

    def test_a_terminal_without_sequences_gets_lines(self):
        fake = Fake()
        fake.put(document("closed"))
        main, side = pty.openpty()
        process = subprocess.Popen([FAULTLINE, "watch", ID, "--server", fake.url], stdin=side, stdout=side, stderr=side,
                                   env={**os.environ, "TERM": "dumb"})
        os.close(side)
        shown = b""
        while select.select([main], [], [], TIMEOUT_S)[0]:
            try:
                shown += os.read(main, 65536)
            except OSError:
                break
        os.close(main)
        self.assertEqual(process.wait(), 0)
        self.assertNotIn(b"\x1b", shown)
        self.assertIn(b"Cause found: payment", shown)
        fake.stop()


class Real(unittest.TestCase):
    def test_a_real_daemon_and_its_store_are_followed_to_the_end(self):
        with tempfile.TemporaryDirectory() as folder:
            own = {"XDG_STATE_HOME": folder}
            settings = config(folder, close_after="10s", triage_every="1s")
            with Daemon(FAULTLINE, "--config", settings, data=folder, environment=own) as daemon:
                self.assertEqual(webhook(daemon, alert(1, "shop")), 200)
                name = daemon.wait_for(lambda: listed(daemon))[0]["id"]
                at_server = Watch(name, "--server", f"http://127.0.0.1:{daemon.port}")
                in_store = Watch(name, **own)
                for watch in (at_server, in_store):
                    self.assertRegex(watch.line(), r"^\S+Z  open  ")
                self.assertEqual(webhook(daemon, alert(1, "shop", "resolved")), 200)
                for watch in (at_server, in_store):
                    code, out, err = watch.finish()
                    self.assertEqual((code, err), (6, ""))
                    self.assertRegex(out, r"(?m)^\S+Z  closed  ")
                    self.assertIn("\nNo confident cause: ", out)
                    self.assertIn("\nclosed since ", out)

    def test_a_store_that_goes_away_is_waited_for(self):
        with tempfile.TemporaryDirectory() as folder:
            own = {"XDG_STATE_HOME": folder}
            with Daemon(FAULTLINE, "--config", config(folder, triage_every="1s"), data=folder, environment=own) as daemon:
                self.assertEqual(webhook(daemon, alert(1, "shop")), 200)
                name = daemon.wait_for(lambda: listed(daemon))[0]["id"]
                daemon.stop()
            store = pathlib.Path(folder) / "faultline/faultline.db"
            watch = Watch(name, **own)
            self.assertRegex(watch.line(), r"^\S+Z  open  ")
            store.rename(store.with_suffix(".away"))
            self.assertRegex(watch.said(), r"^faultline: no store at .*; trying again, next in 500ms$")
            store.with_suffix(".away").rename(store)
            self.assertRegex(watch.said(), r"answers again$")
            watch.process.terminate()
            watch.finish()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
