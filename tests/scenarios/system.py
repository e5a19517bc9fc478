"""A made-up system: services in layers, what they do, whom they call, and the machines they run on.

Each seed gives another system: 8 to 12 services, one or two operations each, 3 or 4 machines, with or without spans
around calls. Calls only go down the layers, so that a trace ends. Every choice comes from random.Random(text).random(),
which Python keeps the same from version to version.
"""
import dataclasses
import random

NAMES = ("accounts", "billing", "catalog", "delivery", "exports", "fraud", "geo", "history", "images", "journal", "keys",
         "ledger", "mails", "notes", "offers", "prices", "quotas", "routes", "search", "tariffs")
VERBS = ("find", "list", "store", "check", "render", "reserve", "sum", "merge")
LAYERS = 3  # below the entry


class Chance:
    """Draws from one stream of uniform numbers."""

    def __init__(self, *seed):
        self.uniform = random.Random("/".join(map(str, seed))).random

    def between(self, low, high):
        return low + (high - low) * self.uniform()

    def whole(self, low, high):
        return low + int((high - low + 1) * self.uniform())

    def pick(self, items):
        return items[int(len(items) * self.uniform())]

    def some(self, items, count):
        rest, out = list(items), []
        while rest and len(out) < count:
            out.append(rest.pop(int(len(rest) * self.uniform())))
        return out


@dataclasses.dataclass(eq=False)
class Operation:
    service: "Service"
    name: str
    own_ms: float  # the median of its own time
    calls: list  # (operation, probability)


@dataclasses.dataclass(eq=False)
class Service:
    name: str
    layer: int  # 0: the entry
    node: str
    cpu_share: float  # of its limit, under the usual load
    memory_share: float
    operations: list


@dataclasses.dataclass(eq=False)
class System:
    services: list  # the entry first, then by layer
    has_client_spans: bool
    requests_a_minute: int

    @property
    def entry(self):
        return self.services[0]

    @property
    def nodes(self):
        return sorted({service.node for service in self.services})

    def callers_of(self, service):
        return [s for s in self.services if any(callee.service is service for op in s.operations for callee, _ in op.calls)]

    def below(self, service):
        """What a service calls, however far, and itself."""
        out = [service]
        for caller in out:
            for operation in caller.operations:
                out += [callee.service for callee, _ in operation.calls if callee.service not in out]
        return out


def make_services(chance):
    names = chance.some(NAMES, chance.whole(7, 11))
    nodes = [f"node-{i}" for i in range(1, chance.whole(3, 4) + 1)]
    layers = [0] + sorted([1, 2, 3] + [chance.whole(1, LAYERS) for _ in names[3:]])
    return [Service(name=name, layer=layer, node=chance.pick(nodes), cpu_share=chance.between(0.05, 0.35),
                    memory_share=chance.between(0.2, 0.6), operations=[])
            for name, layer in zip(["storefront", *names], layers)]


def make_operations(service, chance):
    count = 2 if service.layer == 0 else chance.whole(1, 2)
    for verb in chance.some(VERBS, count):
        path = f"POST /{verb}" if service.layer == 0 else f"{service.name}.{verb}"
        service.operations.append(Operation(service, path, own_ms=chance.between(2, 20), calls=[]))


def connect(services, chance):
    """Everything is called by somebody; most operations call one to three others."""
    for service in services[1:]:
        above = [op for s in services if s.layer == service.layer - 1 for op in s.operations]
        for operation in service.operations:
            caller = chance.pick([op for op in above if len(op.calls) < 3] or above)
            caller.calls.append((operation, 1.0 if chance.uniform() < 0.6 else chance.between(0.5, 0.9)))
    for service in services:
        below = [op for s in services if s.layer > service.layer for op in s.operations]
        for operation in service.operations:
            if below and len(operation.calls) < 2 and chance.uniform() < 0.6:
                callee = chance.pick(below)
                if all(callee is not known for known, _ in operation.calls):
                    operation.calls.append((callee, chance.between(0.4, 1.0)))


def make_system(seed):
    chance = Chance("system", seed)
    services = make_services(chance)
    for service in services:
        make_operations(service, chance)
    connect(services, chance)
    return System(services=services, has_client_spans=chance.uniform() < 0.7, requests_a_minute=chance.whole(25, 60))
