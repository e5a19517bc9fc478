"""The shop's recorded incident as its own senders would have it, now: the daemon opens it by itself, survives a kill, closes and remembers.

usage: test_live_shop.py FAULTLINE SOURCE [unittest options]

The recording's times are moved so that its fault has gone on for almost four minutes; half an hour of its healthy part lies before it.
Its last seconds come as time goes by, then the healthy part again. The pages are asked, and nothing waits for longer than it has to.
"""
import bisect
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema

from daemon import Daemon

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
INCIDENTS = SOURCE / "examples/shop/incidents"
ROUTES = {"traces": "/v1/traces", "logs": "/v1/logs", "metrics": "/v1/metrics"}
TIME = re.compile(rb'"(\d{19})"')
SPAN = re.compile(rb'"(traceId|spanId|parentSpanId)":"[0-9a-f]{2}')
MINUTE_NS = 60 * 10**9
HEALTHY_COPIES = 4
LEFT_NS = 40 * 10**9  # of the fault, that come as time goes by
SETTINGS = "incidents:\n  close_after: 10s\n  triage_every: 2s\n"


def lines_of(name):
    """[(latest time in it, route, bytes)] of a recording, by time."""
    out = []
    for kind, route in ROUTES.items():
        told = subprocess.run(["zstd", "-dcq", INCIDENTS / name / f"{kind}.otlp.jsonl.zst"], check=True, stdout=subprocess.PIPE).stdout
        out += [(max(int(t) for t in TIME.findall(line)), route, line) for line in told.splitlines()]
    return sorted(out)


def moved(lines, by_ns, copy):
    """The same lines at another time, with ids of their own."""
    out = []
    for at, route, line in lines:
        line = TIME.sub(lambda m: b'"%d"' % (int(m.group(1)) + by_ns), line)
        line = SPAN.sub(lambda m: b'"%s":"%02x' % (m.group(1), copy), line)
        out.append((at + by_ns, route, line))
    return out


class Shop:
    """All that is sent, in the order of its times."""

    def __init__(self):
        healthy, broken = lines_of("baseline"), lines_of("pool-exhaustion")
        span = healthy[-1][0] - healthy[0][0] + 10**9
        begin, end = broken[0][0], broken[-1][0]
        shift = time.time_ns() + LEFT_NS - end
        self.ends_ns = end + shift
        self.lines = moved(broken, shift, 0xff)
        for copy in range(HEALTHY_COPIES):
            self.lines += moved(healthy, begin + shift - (copy + 1) * span - healthy[0][0], copy + 1)
        self.lines += moved(healthy, self.ends_ns + 10**9 - healthy[0][0], HEALTHY_COPIES + 1)
        self.lines.sort(key=lambda line: line[0])
        self.sent = 0

    def send(self, daemon):
        """What is due by now; as many at once as a system has senders."""
        def post(line):
            status, _, body = daemon.ask("POST", line[1], line[2], {"Content-Type": "application/json"})
            assert status == 200, (status, body)

        count = bisect.bisect_right(self.lines, time.time_ns(), key=lambda line: line[0])
        with concurrent.futures.ThreadPoolExecutor(16) as senders:
            list(senders.map(post, self.lines[self.sent:count]))
        self.sent = count


def page_of(daemon, ident):
    status, _, body = daemon.ask("GET", "/v1/incidents/" + ident)
    assert status == 200, (status, body)
    page = json.loads(body)
    jsonschema.validate(page, json.loads((SOURCE / "schemas/json/triage.schema.json").read_text()))
    return page


def alert(began_ns, is_over):
    def moment(ns):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ns // 10**9))

    one = {"status": "resolved" if is_over else "firing", "labels": {"alertname": "CheckoutSlow", "severity": "page", "service": "storefront"},
           "annotations": {"summary": "checkouts take seconds"}, "startsAt": moment(began_ns),
           "endsAt": moment(time.time_ns()) if is_over else "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "5eed5eed5eed5eed"}
    return json.dumps({"version": "4", "status": one["status"], "receiver": "faultline", "groupKey": "{}", "groupLabels": {},
                       "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0, "alerts": [one]})


class LiveShop(unittest.TestCase):
    def opened(self, daemon):
        return daemon.status()["incidents"]["open"]

    def until(self, what, timeout):
        """The shop goes on meanwhile."""
        end = time.monotonic() + timeout
        while not (value := what()) and time.monotonic() < end:
            self.shop.send(self.daemon)
            time.sleep(0.1)
        self.assertTrue(value, self.daemon.status()["incidents"])
        return value

    def command(self, *words):
        return subprocess.run([FAULTLINE, *words], capture_output=True, text=True, timeout=60, check=True,
                              env={**os.environ, "XDG_STATE_HOME": self.folder}).stdout

    def deliver(self, is_over):
        headers = {"Content-Type": "application/json"}
        body = alert(self.shop.ends_ns - 2 * MINUTE_NS, is_over)
        self.assertEqual(self.daemon.ask("POST", "/v1/webhooks/alertmanager", body, headers)[0], 200)

    def check_page(self, ident, kinds):
        """The same service and cause as a triage of the recording finds, and what it was merged of."""
        page = page_of(self.daemon, ident)
        first = page["hypotheses"][0]
        self.assertEqual((page["verdict"], first["service"], first["cause"]), ("cause-found", "payment", "exception"))
        self.assertEqual((page["live"]["trouble_at"], page["live"]["is_diagnosed"]), ("payment", True))
        self.assertEqual({sign["kind"] for sign in page["live"]["signs"]} & {"alert", "errors", "latency"}, kinds)
        self.assertEqual({sign["service"] for sign in page["live"]["signs"]}, {"storefront"})
        return page

    def start(self):
        settings = pathlib.Path(self.folder) / "faultline.yaml"
        settings.write_text(SETTINGS)
        self.daemon = Daemon(FAULTLINE, "--config", settings, data=self.folder, environment={"XDG_STATE_HOME": self.folder})
        self.addCleanup(self.daemon.__exit__)

    def test_it_is_opened_by_itself_explained_closed_and_remembered(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.start()
        self.shop = Shop()

        # Who is called from outside is known a minute after the first traces; out of the archive, at once.
        self.shop.send(self.daemon)
        self.daemon.kill()
        self.start()

        # No alert: the storefront breaks, and the page tells whose fault that is.
        ident = self.until(lambda: self.opened(self.daemon), 60)[0]["id"]
        self.until(lambda: self.opened(self.daemon)[0]["cause"] is not None and page_of(self.daemon, ident)["live"]["is_diagnosed"], 60)
        page = page_of(self.daemon, ident)
        self.check_page(ident, {sign["kind"] for sign in page["live"]["signs"]} - {"alert"})
        self.assertNotIn("alert", {sign["kind"] for sign in page["live"]["signs"]})

        # An alert of the same is no other incident.
        self.deliver(is_over=False)
        page = self.until(lambda: (p := page_of(self.daemon, ident))["live"]["signs"][-1]["kind"] == "alert" and p, 10)
        last = page["live"]["signs"][-1]
        self.assertEqual((last["why"], last["reason"]), ("same-service", "it is of storefront as well"))
        self.assertEqual([one["id"] for one in self.opened(self.daemon)], [ident])

        # A kill in the middle: what was open is open, the break is the same, the past is known.
        self.daemon.kill()
        self.start()
        self.until(lambda: not self.daemon.status()["incidents"]["past"]["is_reading"], 60)
        self.assertEqual([one["id"] for one in self.opened(self.daemon)], [ident])
        # The kill may come before the answer is written, a second at most: it is triaged anew.
        self.until(lambda: self.opened(self.daemon)[0]["cause"] == "exception", 60)
        past = self.daemon.status()["incidents"]["past"]
        self.assertGreater(past["records"], 10000)
        self.assertIsNotNone(past["from"])

        # The shop recovers, the alert is resolved: after the quiet time it is over.
        self.until(lambda: time.time_ns() > self.shop.ends_ns, 60)
        self.deliver(is_over=True)
        self.until(lambda: not self.opened(self.daemon), 240)
        kinds = [sign["kind"] for sign in page_of(self.daemon, ident)["live"]["signs"]]
        page = self.check_page(ident, set(kinds) | {"alert"})
        self.assertEqual((page["live"]["state"], page["live"]["signs_lasting"]), ("closed", 0))
        self.assertEqual(len(kinds), len(set(kinds)), kinds)  # a break from before the kill is not told a second time

        # Remembered: what a last triage found is evidence in the graph.
        self.until(lambda: json.loads(self.command("graph", "paths", "--incident", ident, "--format", "json"))["paths"], 30)
        self.daemon.stop()
        self.assertRegex(self.command("incidents"), rf"{ident}.*payment.*\(closed\)")
        path = json.loads(self.command("graph", "paths", "--incident", ident, "--format", "json"))["paths"][0]
        self.assertTrue(path["cause"].startswith("exception in payment"), path["cause"])
        self.assertEqual({one["reference"] for one in path["evidence"]}, {ident})


if __name__ == "__main__":
    if shutil.which("zstd") is None:
        print("skipped: zstd is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
