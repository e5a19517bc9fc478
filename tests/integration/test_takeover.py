"""Two daemons over one PostgreSQL: one keeps an incident, is killed, and the other takes over when its lease is over.

usage: with_postgres python3 test_takeover.py FAULTLINE SOURCE [unittest options]

The store is the one that FL_TEST_STORE names. Both have an archive of their own, as daemons that share the stream by service have.
"""
import datetime
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

import jsonschema

from daemon import Daemon

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
LEASE_S = 4
SETTINGS = f"incidents:\n  close_after: 10s\n  triage_every: 1s\n  claim_lease: {LEASE_S}s\n"
NOW = datetime.datetime.now(datetime.timezone.utc)


def webhook(daemon, *alerts):
    """Alerts as (number, service, whether it is over)."""
    told = [{"status": "resolved" if is_over else "firing", "labels": {"alertname": "TooSlow", "severity": "page", "service": service, "n": str(number)},
             "annotations": {"summary": f"{service} is slow"}, "startsAt": (NOW - datetime.timedelta(seconds=30)).isoformat(),
             "endsAt": NOW.isoformat() if is_over else "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": f"{number:016x}"}
            for number, service, is_over in alerts]
    body = {"version": "4", "status": told[0]["status"], "receiver": "hook", "alerts": told, "groupKey": "{}", "groupLabels": {},
            "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0}
    status = daemon.ask("POST", "/v1/webhooks/alertmanager", json.dumps(body), {"Content-Type": "application/json"})[0]
    assert status == 200, status


def listed(daemon):
    status, _, body = daemon.ask("GET", "/v1/incidents")
    assert status == 200, (status, body)
    return {row["id"]: row["state"] for row in json.loads(body)["incidents"]}


def page_of(daemon, ident):
    status, _, body = daemon.ask("GET", "/v1/incidents/" + ident)
    assert status == 200, (status, body)
    page = json.loads(body)
    jsonschema.validate(page, json.loads((SOURCE / "schemas/json/triage.schema.json").read_text()))
    return page


def event(daemon, name):
    return daemon.metrics()[f'faultline_incidents_total{{event="{name}"}}']


class Takeover(unittest.TestCase):
    def start(self, name):
        folder = pathlib.Path(self.folder) / name
        folder.mkdir(exist_ok=True)
        (folder / "faultline.yaml").write_text(SETTINGS)
        daemon = Daemon(FAULTLINE, "--config", folder / "faultline.yaml", "--store", os.environ["FL_TEST_STORE"], data=folder)
        self.addCleanup(daemon.__exit__)
        return daemon

    def test_the_other_takes_over_when_the_lease_is_over_and_ends_it(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        first, second = self.start("first"), self.start("second")

        # The first alone hears of it; the second shows it and does not keep it.
        webhook(first, (1, "shop", False), (2, "shop", False))
        [(ident, state)] = first.wait_for(lambda: listed(first)).items()
        self.assertEqual(state, "open")
        second.wait_for(lambda: listed(second) == {ident: "open"} and page_of(second, ident)["live"]["signs_total"] == 2)
        self.assertEqual(page_of(second, ident)["live"]["signs_total"], 2)

        # For longer than a lease nothing changes hands: the keeper renews it.
        began = time.monotonic()
        first.wait_for(lambda: time.monotonic() - began > 1.5 * LEASE_S)
        self.assertEqual((event(second, "claimed"), second.status()["incidents"]["open_total"]), (0, 0))

        # Killed: the other keeps it, under the same id. A lease, and the time between two looks, a third of it.
        first.kill()
        killed = time.monotonic()
        self.assertTrue(second.wait_for(lambda: event(second, "claimed") == 1, timeout=3 * LEASE_S))
        took = time.monotonic() - killed
        self.assertLess(took, LEASE_S * 4 / 3 + 1)
        print(f"taken over {took:.1f} s after the kill, with a lease of {LEASE_S} s", file=sys.stderr)
        self.assertEqual([one["id"] for one in second.status()["incidents"]["open"]], [ident])

        # It goes on with it: a new alert of the same is a part of it, and a page that the second wrote.
        webhook(second, (3, "shop", False))
        second.wait_for(lambda: page_of(second, ident)["live"]["signs_total"] == 3)
        self.assertEqual(page_of(second, ident)["live"]["signs_total"], 3)

        # Who was killed and comes back leaves it where it is, and what it hears of the same follows.
        first = self.start("first")
        self.assertEqual((event(first, "restored"), event(first, "claimed")), (0, 0))
        webhook(first, (2, "shop", False), (4, "shop", False))
        webhook(second, (4, "shop", False))
        second.wait_for(lambda: page_of(second, ident)["live"]["signs_total"] == 4)
        # Its own incident of the same signs is a part of the other's.
        second.wait_for(lambda: [state for state in listed(second).values() if state == "open"] == ["open"])
        self.assertEqual([i for i, state in listed(second).items() if state == "open"], [ident])

        # All is clear: whoever keeps it closes it.
        for daemon in (first, second):
            webhook(daemon, *((number, "shop", True) for number in (1, 2, 3, 4)))
        second.wait_for(lambda: "open" not in listed(second).values(), timeout=60)
        self.assertEqual(listed(second)[ident], "closed")
        self.assertNotIn("open", listed(first).values())
        self.assertEqual((page_of(first, ident)["live"]["state"], page_of(first, ident)["live"]["signs_lasting"]), ("closed", 0))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
