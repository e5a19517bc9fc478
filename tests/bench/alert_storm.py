#!/usr/bin/env python3
"""A day's alerts in one minute: how long each takes from its delivery to a page that tells it, and whether any is lost.

usage: alert_storm.py FAULTLINE [--alerts N] [--seconds S] [--causes N] [--services N] [--spans N] [--kill] [--seed N]

A made-up system of services in layers sends spans all the time. Causes begin one after the other, each at a service, and have alerts
of that service and of those that call it, of several rules and instances, which flap. They are delivered as Alertmanager 0.27 does: a
webhook for each group of one service, the resolved ones later, what was not answered with 200 again. --seconds 0 delivers all at once.
--kill kills the daemon (SIGKILL) in the middle and starts it again.

An alert is told when its own summary stands on a page of GET /v1/incidents/ID. Pages are asked for one after the other, whenever the
status counts more alerts there, so that the figure holds the wait for the next question. Afterwards the daemon is stopped and its store is read: each alert that was
acknowledged has to be in exactly one incident. Ends with 1 where one is not.
"""
import argparse
import collections
import datetime
import http.client
import json
import multiprocessing
import pathlib
import queue
import random
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from daemon import Daemon  # noqa: E402

RULES = ("HighErrorRate", "LatencyP99High", "LatencyP50High", "SloBurnFast", "SloBurnSlow", "QueueGrows", "PodRestarts", "SaturationHigh",
         "ThreadsExhausted", "ConnectionsHigh")
LAYERS, INSTANCES, SENDERS, GROUP_MOST = 5, 6, 4, 40


def moment(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()


class System:
    """Services in layers; each calls up to three of the next layers."""

    def __init__(self, count, dice):
        self.names = [f"service-{i:03d}" for i in range(count)]
        self.layer = [i * LAYERS // count for i in range(count)]
        self.calls = [[] for _ in range(count)]
        self.callers = [[] for _ in range(count)]
        for i in range(count):
            below = [k for k in range(count) if self.layer[k] == self.layer[i] + 1]
            for k in dice.sample(below, min(len(below), dice.randint(1, 2))):
                self.calls[i].append(k)
                self.callers[k].append(i)

    def above(self, service):
        """The service and all that call it, over others too."""
        found, todo = [], [service]
        while todo:
            one = todo.pop(0)
            if one not in found:
                found.append(one)
                todo += self.callers[one]
        return found


def make_alerts(system, options, dice):
    """(second of delivery, service, rule, instance, serial, second of its end or None), by time. A flapping alert is several."""
    out, serial = [], 0
    for cause in range(options.causes):
        begins = options.seconds * 0.8 * cause / options.causes
        root = dice.choice([i for i in range(len(system.names)) if system.layer[i] >= 2])
        hurt = system.above(root)[:12]
        wanted = options.alerts * (cause + 1) // options.causes - serial
        for _ in range(wanted):
            service = root if dice.random() < 0.35 else dice.choice(hurt)
            at = begins + dice.random() * options.seconds * 0.2
            end = at + dice.random() * options.seconds * 0.3 if dice.random() < 0.6 else None
            out.append((at, service, dice.choice(RULES), dice.randrange(INSTANCES), serial, end))
            serial += 1
    return sorted(out)


def fingerprint(service, rule, instance):
    return f"{(service * 1000003 + RULES.index(rule) * 101 + instance) * 2654435761 % 2 ** 64:016x}"


def make_deliveries(system, alerts, began):
    """[(second, serials that are new, body)]: what of one service comes within a second is one webhook."""
    groups = collections.defaultdict(list)
    for at, service, rule, instance, serial, end in alerts:
        one = {"labels": {"alertname": rule, "severity": "critical" if serial % 3 else "warning", "service": system.names[service],
                          "namespace": "shop", "pod": f"{system.names[service]}-{instance}", "instance": f"10.1.{service}.{instance}:8080"},
               "annotations": {"summary": f"storm alert {serial} of {system.names[service]}", "runbook_url": f"https://runbooks.example/{rule}"},
               "startsAt": moment(began + at - 30 + serial * 1e-5), "generatorURL": f"https://prometheus.example/graph?g0.expr={rule}",
               "fingerprint": fingerprint(service, rule, instance)}
        groups[(int(at), service)].append((at, serial, {"status": "firing", "endsAt": "0001-01-01T00:00:00Z", **one}))
        if end is not None:
            groups[(int(end), service)].append((end, None, {"status": "resolved", "endsAt": moment(began + end), **one}))
    out = []
    for (_, service), members in sorted(groups.items()):
        members.sort(key=lambda member: member[0])
        for first in range(0, len(members), GROUP_MOST):
            part = members[first:first + GROUP_MOST]
            is_over = all(member[2]["status"] == "resolved" for member in part)
            body = {"version": "4", "groupKey": f'{{}}:{{service="{system.names[service]}"}}', "truncatedAlerts": 0, "receiver": "faultline",
                    "status": "resolved" if is_over else "firing", "groupLabels": {"service": system.names[service]}, "commonLabels": {},
                    "commonAnnotations": {}, "externalURL": "http://alertmanager.example:9093", "alerts": [member[2] for member in part]}
            out.append((part[-1][0], [member[1] for member in part if member[1] is not None], json.dumps(body)))
    return sorted(out)


class Asker:
    """One connection that is made again, on whichever port the daemon has."""

    def __init__(self, port):
        self.port, self.connection, self.used = port, None, 0

    def ask(self, method, path, body=None):
        """(status, body); (0, b"") where nobody answered."""
        try:
            if self.connection is None or self.used != self.port.value:
                self.used = self.port.value
                self.connection = http.client.HTTPConnection("127.0.0.1", self.used, timeout=30)
            self.connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0, b""


def send_spans(port, is_over, system, rate, sent):
    """Requests through the layers, a few times a second, as OTLP/HTTP JSON."""
    dice, asker, number = random.Random(7), Asker(port), 0
    entries = [i for i, layer in enumerate(system.layer) if layer == 0]
    while not is_over.is_set():
        began, spans, now = time.monotonic(), collections.defaultdict(list), time.time_ns()
        for _ in range(max(1, rate // (4 * LAYERS))):
            service, parent, trace, length = dice.choice(entries), "", f"{dice.getrandbits(127) | 1:032x}", 50_000_000
            while True:
                number, own, length = number + 1, f"{dice.getrandbits(63) | 1:016x}", length * 8 // 10
                spans[service].append({"traceId": trace, "spanId": own, "parentSpanId": parent, "name": f"GET /r{service % 4}", "kind": 2,
                                       "startTimeUnixNano": str(now - length), "endTimeUnixNano": str(now), "status": {}})
                if not system.calls[service]:
                    break
                service, parent = dice.choice(system.calls[service]), own
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": system.names[i]}}]},
                                   "scopeSpans": [{"spans": own}]} for i, own in spans.items()]}
        if asker.ask("POST", "/v1/traces", json.dumps(body))[0] == 200:
            sent.value += sum(len(own) for own in spans.values())
        time.sleep(max(0, 0.25 - (time.monotonic() - began)))


def read_pages(port, is_over, seen, rounds):
    """Notes when each alert was first on a page: puts (serial, moment). Pages are asked for when the status counts more signs there."""
    asker, known, counts, pattern = Asker(port), set(), {}, re.compile(rb"storm alert (\d+) ")
    while not is_over.is_set():
        status, body = asker.ask("GET", "/v1/status")
        incidents = json.loads(body)["incidents"] if status == 200 else None
        time.sleep(0.02 if incidents else 0.2)
        rounds.value += 1
        for one in incidents["open"] if incidents else []:
            if counts.get(one["id"]) == one["signs"] or is_over.is_set():
                continue
            status, page = asker.ask("GET", "/v1/incidents/" + one["id"])
            now = time.monotonic()
            if status == 200:
                counts[one["id"]] = one["signs"]
            for serial in set(pattern.findall(page if status == 200 else b"")) - known:
                known.add(serial)
                seen.put((int(serial), now))


def deliver(port, work, delivered, is_acknowledged):
    """What is answered with anything but 200 is sent again."""
    asker = Asker(port)
    while (one := work.get()) is not None:
        at, serials, body = one
        time.sleep(max(0, at - time.monotonic()))
        began = time.monotonic()
        while asker.ask("POST", "/v1/webhooks/alertmanager", body)[0] != 200:
            time.sleep(0.2)
            if is_acknowledged["lost"] is not None:
                began = time.monotonic()
        for serial in serials:
            delivered[serial] = began


def kept(folder):
    """serial -> ids of the incidents that have it, out of the store; ids by state."""
    out, states = collections.defaultdict(list), collections.Counter()
    paths = list(pathlib.Path(folder).rglob("*.db")) + list(pathlib.Path(folder).rglob("*.sqlite"))
    for path in paths:
        for ident, state, body in sqlite3.connect(path).execute("SELECT id, state, body FROM live"):
            states[state] += 1
            if state != "merged":
                for serial in re.findall(r"storm alert (\d+) ", body if isinstance(body, str) else body.decode()):
                    out[int(serial)].append(ident)
    return out, states


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faultline", type=pathlib.Path)
    for name, usual in (("alerts", 12800), ("seconds", 60), ("causes", 40), ("services", 120), ("spans", 400), ("seed", 1)):
        parser.add_argument("--" + name, type=int, default=usual)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    system = System(options.services, dice)
    alerts = make_alerts(system, options, dice)
    port, sent, rounds = multiprocessing.Value("i", 0), multiprocessing.Value("q", 0), multiprocessing.Value("q", 0)
    is_over, seen = multiprocessing.Event(), multiprocessing.Queue()
    with tempfile.TemporaryDirectory(prefix="faultline-storm-") as folder:
        own = {"XDG_STATE_HOME": folder}
        daemon = Daemon(options.faultline.resolve(), data=folder, environment=own)
        port.value = daemon.port
        helpers = [multiprocessing.Process(target=send_spans, args=(port, is_over, system, options.spans, sent)),
                   multiprocessing.Process(target=read_pages, args=(port, is_over, seen, rounds))]
        for helper in helpers:
            helper.start()
        time.sleep(20)  # calls between services are known
        start, delivered, state, work = time.monotonic(), {}, {"lost": None}, queue.Queue()
        for at, serials, body in make_deliveries(system, alerts, time.time()):
            work.put((start + at, serials, body))
        senders = [threading.Thread(target=deliver, args=(port, work, delivered, state)) for _ in range(SENDERS)]
        for sender in senders:
            work.put(None)
            sender.start()
        if options.kill:
            time.sleep(max(options.seconds / 2, 0.5))
            state["lost"] = time.monotonic()
            daemon.kill()
            daemon = Daemon(options.faultline.resolve(), data=folder, environment=own)
            port.value = daemon.port
            print(f"killed and ready again after {time.monotonic() - state['lost']:.1f} s")
        for sender in senders:
            sender.join()
        took, first, end = time.monotonic() - start, {}, time.monotonic() + 20
        while len(first) < len(delivered) and time.monotonic() < end:
            try:
                serial, at = seen.get(timeout=0.5)
                first.setdefault(serial, at)
            except queue.Empty:
                pass
        is_over.set()
        while True:
            try:
                serial, at = seen.get(timeout=0.5)
                first.setdefault(serial, at)
            except queue.Empty:
                break
        for helper in helpers:
            helper.join(10)
            helper.kill()
        figures, cpu = daemon.metrics(), pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().split()
        memory = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text())
        daemon.stop(signal.SIGTERM)
        incidents, states = kept(folder)
    waits = [first[serial] - at for serial, at in delivered.items() if serial in first]
    wrong = [serial for serial in delivered if len(incidents.get(serial, [])) != 1]
    print(f"{len(delivered)} alerts delivered in {took:.1f} s, {sent.value} spans beside them; incidents: {dict(states)}")
    print(f"from delivery to a page, seconds: median {share(waits, .5):.3f}, p90 {share(waits, .9):.3f}, p99 {share(waits, .99):.3f}, "
          f"worst {share(waits, 1):.3f}; {len(delivered) - len(waits)} not seen on a page; {rounds.value} rounds of questions")
    names = {"signs refused": "faultline_incident_signs_refused_total", "triages": "faultline_triages_total",
             "seconds of triages": "faultline_triage_seconds_total", "longest wait to memory": "faultline_incident_wait_longest_seconds",
             "store failures": "faultline_incident_store_failures_total"}
    print("; ".join(f"{text} {figures.get(name, -1):g}" for text, name in names.items()), end="; ")
    print(f"CPU {(int(cpu[13]) + int(cpu[14])) / 100:.1f} s, peak memory {int(memory.group(1)) / 1024:.0f} MiB")
    print(f"{len(wrong)} alerts that are not in exactly one incident" +
          "".join(f"; {serial} is in {incidents.get(serial, [])}" for serial in wrong[:5]))
    return 1 if wrong or len(delivered) != options.alerts else 0


if __name__ == "__main__":
    sys.exit(main())
