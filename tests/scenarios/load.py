"""A system under load: requests run through it, faults bend what they meet, and all of it is recorded.

A request is served at a moment, and a fault is on or off at that moment, not for a window. Of a call the caller sees its
own time, the wire both ways and the callee; a caller gives up on a failed call in four of five cases. Pods report what they
use of their limits every 20 s, machines what they use in all.
"""
import dataclasses
import math

from otlp import CLIENT, FAULT, INFO, Recording, SERVER, event
from system import Chance

SECOND_NS = 10**9
MINUTE_NS = 60 * SECOND_NS
POINT_NS = 20 * SECOND_NS
WIRE_MS = 1.0
SPREAD = 0.3  # of the logarithm of a duration
TIMEOUT_MS = 1000.0
GIVES_UP = 0.8
BATCH_JOB = "nightly-report"


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something that is not as usual, from `begin_s` to `end_s` after the incident's time."""
    kind: str  # slow, throws, cpu, network, leak, down, unseen, neighbour, surge, skew, sampling, deploy
    where: object = None  # an operation of slow and throws, a machine of neighbour, nothing of surge and sampling, else a service
    size: float = 1.0
    begin_s: float = 0.0
    end_s: float = math.inf

    def is_on(self, second):
        return self.begin_s <= second < self.end_s


@dataclasses.dataclass
class Load:
    system: object
    at_ns: int
    chance: Chance
    faults: list
    before_s: int  # how long is recorded before and after the incident's time
    after_s: int
    out: Recording = dataclasses.field(default_factory=Recording)
    span_number: int = 0

    def size(self, kind, where, second):
        """Of a fault that is on, or 0."""
        return max((f.size for f in self.faults if f.kind == kind and f.where == where and f.is_on(second)), default=0)

    def vary(self, median):
        u, v = self.chance.uniform(), self.chance.uniform()
        return median * math.exp(SPREAD * math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v))

    def resource(self, service, second):
        """A deployed service has another version and another pod."""
        deploys = sum(f.kind == "deploy" and f.where == service and f.is_on(second) for f in self.faults)
        return (("service.name", service.name), ("service.version", f"1.{4 + deploys}.0"),
                ("k8s.pod.name", f"{service.name}-{deploys}"), ("k8s.node.name", service.node))

    def clock(self, service, second):
        """What the service's own clock says, in ns."""
        return self.at_ns + round((second + self.size("skew", service, second)) * SECOND_NS)

    def is_seen(self, service, second):
        return not self.size("unseen", service, second) and not self.size("down", service, second)

    # ---- requests ----

    def next_span(self):
        self.span_number += 1
        return f"{self.span_number:016x}"

    def slowness(self, operation, second):
        service = operation.service
        return (self.size("slow", operation, second) or 1) * (3 if self.size("cpu", service, second) else 1) * \
            (self.size("neighbour", service.node, second) or 1) * (1 + 0.05 * self.size("surge", None, second))

    def throw(self, operation, trace, span, parent, begin, now):
        service = operation.service
        message = f"no {operation.name.split('.')[-1].split('/')[-1]} for id {self.chance.whole(1000, 9999)}"
        stack = "\n".join([f"StateError: {message}", *(f"  at {service.name}.{operation.name.split('/')[-1]} ({service.name}.src:{line})"
                                                        for line in (88, 31))])
        pairs = (("exception.type", "StateError"), ("exception.message", message), ("exception.stacktrace", stack))
        self.tell(service, trace, span, now, FAULT, f"StateError: {message}")
        self.record(operation, trace, span, parent, begin, now, True, (event("exception", self.clock(service, now), pairs),))
        return now, True

    def tell(self, service, trace, span, second, severity, body):
        if self.is_seen(service, second):
            self.out.line(self.resource(service, second), trace, span, self.clock(service, second), severity, body)

    def record(self, operation, trace, span, parent, begin, end, is_error, events=()):
        service = operation.service
        if self.is_seen(service, begin):
            self.out.span(self.resource(service, begin), trace, span, parent, operation.name, SERVER, self.clock(service, begin),
                          self.clock(service, end), is_error, events)

    def call(self, caller, operation, trace, parent, begin):
        """(when the answer is there, whether it failed)."""
        callee, span = operation.service, self.next_span() if self.system.has_client_spans else None
        wire = self.vary(WIRE_MS) + self.size("network", callee, begin)
        if self.size("down", callee, begin):
            end, failed = begin + self.vary(TIMEOUT_MS) / 1e3, True
        else:
            end, failed = self.serve(operation, trace, span or parent, begin + wire / 2e3)
            end += wire / 2e3
        if span is not None and self.is_seen(caller, begin):
            self.out.span(self.resource(caller, begin), trace, span, parent, f"call {operation.name}", CLIENT,
                          self.clock(caller, begin), self.clock(caller, end), failed)
        return end, failed

    def serve(self, operation, trace, parent, begin):
        service, span = operation.service, self.next_span()
        verb = operation.name.split(".")[-1].split("/")[-1]
        own = self.vary(operation.own_ms) * self.slowness(operation, begin) / 1e3
        piece, now = own / (len(operation.calls) + 1), begin
        self.tell(service, trace, span, now + piece / 4, INFO, f"{verb} begins for order {self.chance.whole(1000, 9999)}")
        now += piece
        if self.chance.uniform() < self.size("throws", operation, begin):
            return self.throw(operation, trace, span, parent, begin, now)
        for callee, probability in operation.calls:
            if self.chance.uniform() >= probability:
                continue
            now, failed = self.call(service, callee, trace, span, now)
            now += piece
            if failed:
                self.tell(service, trace, span, now, FAULT, f"call of {callee.name} failed after {own * 1e3:.0f} ms")
            if failed and self.chance.uniform() < GIVES_UP:
                self.record(operation, trace, span, parent, begin, now, True)
                return now, True
        self.tell(service, trace, span, now, INFO, f"{verb} done")
        self.record(operation, trace, span, parent, begin, now, False)
        return now, False

    def request(self, second, number):
        operation = self.chance.pick(self.system.entry.operations)
        kept = self.chance.uniform() >= self.size("sampling", None, second)
        records = self.out
        if not kept:
            self.out = Recording()  # the request runs all the same
            self.out.records["logs"] = records.records["logs"]
        self.serve(operation, f"{number:016x}{self.chance.whole(0, 2**32 - 1):016x}", None, second)
        self.out = records

    def requests(self):
        number = 1
        for minute in range(-self.before_s // 60, self.after_s // 60):
            rate = self.system.requests_a_minute * (self.size("surge", None, 60 * minute) or 1)
            for _ in range(int(rate * self.chance.between(0.8, 1.2))):
                self.request(60 * minute + 60 * self.chance.uniform(), number)
                number += 1

    # ---- metrics ----

    def cpu_share(self, service, second):
        busy = self.size("cpu", service, second)
        if busy:
            return busy * self.chance.between(0.96, 1.02)
        return min(self.vary(service.cpu_share) * (1 + 0.8 * max(self.size("surge", None, second) - 1, 0)), 0.9)

    def memory_share(self, service, second):
        """A new pod begins with less."""
        leak = max((f for f in self.faults if f.kind == "leak" and f.where == service and f.is_on(second)),
                   key=lambda f: f.size, default=None)
        fresh = any(f.kind == "deploy" and f.where == service and f.is_on(second) for f in self.faults)
        share = service.memory_share * self.chance.between(0.98, 1.02) * (0.8 if fresh else 1)
        return min(share + leak.size * (second - leak.begin_s) / 60, 0.99) if leak is not None else share

    def pod_points(self, service):
        points = {}
        for second in range(-self.before_s, self.after_s, POINT_NS // SECOND_NS):
            if self.is_seen(service, second):
                time_ns, resource = self.clock(service, second), self.resource(service, second)
                for name, value in (("k8s.pod.cpu_limit_utilization", self.cpu_share(service, second)),
                                    ("k8s.pod.memory_limit_utilization", self.memory_share(service, second))):
                    points.setdefault((resource, name), []).append((time_ns, value))
        for (resource, name), values in points.items():
            self.out.gauge(resource, name, "1", values)

    def node_points(self, node):
        """The machine's own, and those of a job on it that no request meets."""
        names = (("k8s.node.name", node),)
        job = (("service.name", BATCH_JOB), ("k8s.pod.name", f"{BATCH_JOB}-0"), ("k8s.node.name", node))
        runs_job = any(f.kind == "neighbour" and f.where == node for f in self.faults)
        seconds = range(-self.before_s, self.after_s, POINT_NS // SECOND_NS)
        busy = [self.size("neighbour", node, second) > 0 for second in seconds]
        times = [self.at_ns + second * SECOND_NS for second in seconds]
        shares = [self.chance.between(0.95, 1.0) if on else self.chance.between(0.2, 0.4) for on in busy]
        self.out.gauge(names, "system.cpu.utilization", "1", list(zip(times, shares)))
        if runs_job:
            shares = [self.chance.between(0.93, 1.0) if on else self.chance.between(0.02, 0.06) for on in busy]
            self.out.gauge(job, "k8s.pod.cpu_limit_utilization", "1", list(zip(times, shares)))
            memory = [self.chance.between(0.45, 0.5) if on else self.chance.between(0.4, 0.42) for on in busy]
            self.out.gauge(job, "k8s.pod.memory_limit_utilization", "1", list(zip(times, memory)))

    def deploys(self):
        """A new pod says so in its log."""
        for fault in self.faults:
            if fault.kind == "deploy":
                self.tell(fault.where, None, None, fault.begin_s + 2, INFO, f"{fault.where.name} started in {self.chance.between(2, 9):.1f} s")

    def run(self):
        if any(fault.kind == "network" for fault in self.faults):
            self.system.has_client_spans = True
        self.requests()
        self.deploys()
        for service in self.system.services:
            self.pod_points(service)
        for node in self.system.nodes:
            self.node_points(node)
        return self.out
