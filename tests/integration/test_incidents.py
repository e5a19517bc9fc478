"""The daemon opens incidents by itself: webhooks of Alertmanager, their pages, a kill, a restart, the end.

usage: test_incidents.py FAULTLINE SOURCE [unittest options]
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema

from daemon import Daemon

FAULTLINE, SOURCE = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
NOW = datetime.datetime.now(datetime.timezone.utc)


def alert(number, service, status="firing", age_s=30):
    starts = NOW - datetime.timedelta(seconds=age_s)
    ends = "0001-01-01T00:00:00Z" if status == "firing" else NOW.isoformat()
    return {"status": status, "labels": {"alertname": "TooSlow", "severity": "critical", "service": service, "n": str(number)},
            "annotations": {"summary": f"{service} is slow"}, "startsAt": starts.isoformat(), "endsAt": ends,
            "generatorURL": "", "fingerprint": f"{number:016x}"}


def webhook(daemon, *alerts):
    body = {"version": "4", "status": alerts[0]["status"], "receiver": "hook", "alerts": list(alerts), "groupKey": "{}", "groupLabels": {},
            "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0}
    return daemon.ask("POST", "/v1/webhooks/alertmanager", json.dumps(body), {"Content-Type": "application/json"})[0]


class Counters:
    """A service that is only asked for its totals, as OTLP/HTTP sends them: 600 requests a minute, of which none fails, and then a third."""

    def __init__(self, began):
        self.at, self.totals = began, {200: 0, 503: 0}

    def point(self, code):
        return {"timeUnixNano": str(int(self.at * 1e9)), "count": str(self.totals[code]), "sum": self.totals[code] * 0.05,
                "attributes": [{"key": "http.route", "value": {"stringValue": "/"}}, {"key": "http.response.status_code", "value": {"intValue": str(code)}}]}

    def tell(self, daemon, until, step_s, failing):
        while self.at + step_s <= until:
            self.at += step_s
            self.totals[200] += int(10 * step_s * (2 / 3 if failing else 1))
            self.totals[503] += int(10 * step_s / 3) if failing else 0
            points = [self.point(code) for code, count in self.totals.items() if count]
            metric = {"name": "http.server.request.duration", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": points}}
            resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}},
                                       {"key": "service.instance.id", "value": {"stringValue": "shop-1"}}]}
            body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
            status = daemon.ask("POST", "/v1/metrics", json.dumps(body), {"Content-Type": "application/json"})[0]
            assert status == 200, status


def answer(daemon, path, schema):
    status, headers, body = daemon.ask("GET", path)
    assert status == 200, (status, body)
    document = json.loads(body)
    jsonschema.validate(document, json.loads((SOURCE / "schemas/json" / schema).read_text()))
    return document


def listed(daemon):
    return answer(daemon, "/v1/incidents", "incidents.schema.json")["incidents"]


def config(folder, **settings):
    path = pathlib.Path(folder) / "faultline.yaml"
    path.write_text("incidents:\n" + "".join(f"  {key}: {value}\n" for key, value in settings.items()))
    return str(path)


class Incidents(unittest.TestCase):
    def test_an_alert_opens_an_incident_that_survives_a_kill_and_closes(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = config(folder, close_after="10s", triage_every="1s")
            own = {"XDG_STATE_HOME": folder}
            with Daemon(FAULTLINE, "--config", settings, data=folder, environment=own) as daemon:
                self.assertEqual(webhook(daemon, alert(1, "shop"), alert(2, "shop")), 200)
                rows = daemon.wait_for(lambda: listed(daemon))
                self.assertEqual([row["state"] for row in rows], ["open"])
                page = answer(daemon, "/v1/incidents/" + rows[0]["id"], "triage.schema.json")
                self.assertEqual(page["live"]["signs_total"], 2)
                self.assertEqual(page["live"]["signs"][1]["why"], "same-service")
                self.assertEqual(page["live"]["signs"][1]["reason"], "it is of shop as well")
                status = answer(daemon, "/v1/status", "status.schema.json")["incidents"]
                self.assertEqual([(one["id"], one["state"], one["service"], one["signs"]) for one in status["open"]],
                                 [(rows[0]["id"], "open", "shop", 2)])
                text = subprocess.run([FAULTLINE, "status", "--url", f"http://127.0.0.1:{daemon.port}"], capture_output=True, text=True, timeout=60).stdout
                self.assertRegex(text, rf"1 open, 0 closed since the start\n  {rows[0]['id']}  open since \S+Z, trouble at shop")
                self.assertNotRegex(text, r"\.\d{9}Z")
                daemon.wait_for(lambda: daemon.metrics()["faultline_triages_total"] > 0)
                self.assertGreater(daemon.metrics()["faultline_triages_total"], 0)
                daemon.kill()
            with Daemon(FAULTLINE, "--config", settings, data=folder, environment=own) as daemon:
                self.assertEqual([(row["id"], row["state"]) for row in listed(daemon)], [(rows[0]["id"], "open")])
                self.assertEqual(daemon.metrics()['faultline_incidents_total{event="restored"}'], 1)
                self.assertEqual(webhook(daemon, alert(1, "shop", "resolved"), alert(2, "shop", "resolved")), 200)
                daemon.wait_for(lambda: listed(daemon)[0]["state"] == "closed")
                page = answer(daemon, "/v1/incidents/" + rows[0]["id"], "triage.schema.json")
                self.assertEqual((page["live"]["state"], page["live"]["signs_lasting"]), ("closed", 0))
                self.assertEqual(daemon.ask("GET", "/v1/incidents/none")[0], 404)
            shown = subprocess.run([FAULTLINE, "show", rows[0]["id"]], capture_output=True, text=True, timeout=60, env={**os.environ, **own})
            self.assertIn("closed since", shown.stdout)
            self.assertIn("it is of shop as well", shown.stdout)
            lines = subprocess.run([FAULTLINE, "incidents"], capture_output=True, text=True, timeout=60, env={**os.environ, **own}).stdout
            self.assertIn(rows[0]["id"], lines)
            self.assertIn("(closed)", lines)

    def test_metrics_alone_open_an_incident(self):
        with tempfile.TemporaryDirectory() as folder:
            with Daemon(FAULTLINE, data=folder, environment={"XDG_STATE_HOME": folder}) as daemon:
                now = time.time()
                counters = Counters(now - 3000)
                counters.tell(daemon, now - 400, 15, failing=False)
                counters.tell(daemon, now, 15, failing=True)

                def opened():
                    counters.tell(daemon, time.time(), 5, failing=True)
                    return listed(daemon)

                rows = daemon.wait_for(opened, timeout=180)
                self.assertEqual(len(rows), 1)
                page = answer(daemon, "/v1/incidents/" + rows[0]["id"], "triage.schema.json")
                self.assertEqual([(sign["kind"], sign["service"]) for sign in page["live"]["signs"]], [("errors", "shop")])
                self.assertRegex(page["live"]["signs"][0]["summary"], r"^3\d\.\d % of the requests fail, before 0\.0 %$")

    def test_a_store_that_cannot_be_reached_stops_no_receiving(self):
        with tempfile.TemporaryDirectory() as folder:
            options = ("--store", "postgresql://127.0.0.1:1/none")
            with Daemon(FAULTLINE, *options, data=folder) as daemon:
                self.assertIn("no incidents are opened yet: ", daemon.said)
                self.assertEqual(webhook(daemon, alert(1, "shop")), 200)
                self.assertEqual(daemon.ask("GET", "/v1/incidents")[0], 503)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
