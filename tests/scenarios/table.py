"""The scenarios: what is wrong in each, and what a right answer says.

A scenario takes a system and chance, and gives its faults and its causes. Without a cause the right answer is that there is no
confident one. With two causes, either is right at 1 and both belong among the first three.
"""
import dataclasses

from load import BATCH_JOB, Fault

LEAST_REQUESTS = 6  # a minute: a fault that hardly anybody meets is no incident
DEPLOYED_S = -180.0  # three minutes before
SKEW_S = 30.0
LOST_TRACES = 0.8


@dataclasses.dataclass
class Incident:
    faults: list
    causes: list  # of {"service", "resource"?, "code_region"?}
    events: list = dataclasses.field(default_factory=list)  # (second, service name, version)
    before_s: int = 720
    after_s: int = 240


def rates(system):
    """{operation: requests a minute}; callers stand before what they call."""
    entry = system.entry.operations
    out = {operation: system.requests_a_minute / len(entry) for operation in entry}
    for service in system.services:
        for operation in service.operations:
            for callee, probability in operation.calls:
                out[callee] = out.get(callee, 0) + out.get(operation, 0) * probability
    return out


def busy_operations(system):
    """Those below the entry that are called often enough."""
    rate = rates(system)
    return [op for service in system.services[1:] for op in service.operations if rate.get(op, 0) >= LEAST_REQUESTS]


def onset(chance):
    return chance.between(-20, 20)


def region(operation):
    verb = operation.name.split(".")[-1]
    return [f"{verb} begins for order", f"{verb} done"]


# ---- one fault each ----


def slow(operation, chance, begin_s, size=None):
    return Fault("slow", operation, size or chance.between(5, 12), begin_s), {"service": operation.service.name}


def throws(operation, chance, begin_s, size=None):
    cause = {"service": operation.service.name, "code_region": region(operation)}
    return Fault("throws", operation, size or chance.between(0.4, 0.9), begin_s), cause


def cpu(operation, chance, begin_s):
    return Fault("cpu", operation.service, 0.95, begin_s), {"service": operation.service.name, "resource": "cpu"}


def network(operation, chance, begin_s):
    """Without a span around a call nobody could tell its wire from its caller: load.py gives the system such spans."""
    cause = {"service": operation.service.name, "resource": "network"}
    return Fault("network", operation.service, chance.between(50, 200), begin_s), cause


def leak(operation, chance, begin_s):
    cause = {"service": operation.service.name, "resource": "memory"}
    return Fault("leak", operation.service, chance.between(0.1, 0.2), begin_s), cause  # a minute


def down(operation, chance, begin_s):
    return Fault("down", operation.service, 1, begin_s), {"service": operation.service.name}


PLAIN = (slow, throws, cpu, network)


def one(kind):
    def make(system, chance):
        fault, cause = kind(chance.pick(busy_operations(system)), chance, onset(chance))
        return Incident([fault], [cause])
    return make


def any_fault(system, chance, begin_s=None):
    """A plain fault somewhere: (fault, cause, its service)."""
    operation = chance.pick(busy_operations(system))
    fault, cause = chance.pick(PLAIN)(operation, chance, onset(chance) if begin_s is None else begin_s)
    return fault, cause, operation.service


# ---- hard ones ----


def two_faults(system, chance):
    """In services of which neither calls the other, however far, where the system has such."""
    operations = busy_operations(system)
    first = chance.pick(operations)
    apart = [op for op in operations if op.service not in system.below(first.service) and first.service not in system.below(op.service)]
    others = apart or [op for op in operations if op.service is not first.service]
    begin_s, kinds = onset(chance), chance.some(PLAIN, 2)
    made = [kind(operation, chance, begin_s) for kind, operation in zip(kinds, (first, chance.pick(others)))]
    return Incident([fault for fault, _ in made], [cause for _, cause in made])


def node_neighbour(system, chance):
    """A job that serves nobody takes the cpu of a machine; what runs there is starved."""
    node = chance.pick(busy_operations(system)).service.node
    return Incident([Fault("neighbour", node, chance.between(3, 6), onset(chance))], [{"service": BATCH_JOB, "resource": "cpu"}])


def innocent_deploy(system, chance):
    """One service is deployed; three minutes later another has a fault."""
    fault, cause, faulty = any_fault(system, chance)
    deployed = chance.pick([s for s in system.services if s is not faulty])
    return Incident([fault, Fault("deploy", deployed, 1, DEPLOYED_S)], [cause], [(DEPLOYED_S, deployed.name, "1.5.0")])


def guilty_deploy(system, chance):
    operation = chance.pick(busy_operations(system))
    begin_s = onset(chance)
    fault, cause = chance.pick((slow, throws))(operation, chance, begin_s)
    deployed_s = begin_s - 5
    return Incident([fault, Fault("deploy", operation.service, 1, deployed_s)], [cause], [(deployed_s, operation.service.name, "1.5.0")])


def surge_and_fault(system, chance):
    fault, cause, _ = any_fault(system, chance)
    return Incident([fault, Fault("surge", None, 3, -60)], [cause])


def skewed_clock(system, chance):
    """Of the faulty service, of one that calls it, or of another: all the time, and no fault in itself."""
    fault, cause, faulty = any_fault(system, chance)
    skewed = chance.pick([faulty, *system.callers_of(faulty), chance.pick(system.services)])
    return Incident([fault, Fault("skew", skewed, chance.pick((-SKEW_S, SKEW_S)), float("-inf"))], [cause])


def lost_traces(system, chance):
    fault, cause, _ = any_fault(system, chance)
    return Incident([fault, Fault("sampling", None, LOST_TRACES, float("-inf"))], [cause])


def loses_traces_then(system, chance):
    """The collector is overrun as the fault begins."""
    fault, cause, _ = any_fault(system, chance)
    return Incident([fault, Fault("sampling", None, LOST_TRACES, fault.begin_s)], [cause])


def noticed_late(system, chance):
    fault, cause, _ = any_fault(system, chance, begin_s=chance.between(-360, -240))
    return Incident([fault], [cause])


def weak(system, chance):
    operation, begin_s = chance.pick(busy_operations(system)), onset(chance)
    fault, cause = slow(operation, chance, begin_s, 2.5) if chance.uniform() < 0.5 else throws(operation, chance, begin_s, 0.2)
    return Incident([fault], [cause])


def short(system, chance):
    """Over after a minute and a half."""
    fault, cause, _ = any_fault(system, chance)
    return Incident([dataclasses.replace(fault, end_s=fault.begin_s + 90)], [cause])


def starved_of_history(system, chance):
    fault, cause, _ = any_fault(system, chance)
    return Incident([fault], [cause], before_s=300)


# ---- nothing is wrong ----


def quiet(system, chance):
    return Incident([], [])


def surge(system, chance):
    return Incident([Fault("surge", None, 4, onset(chance))], [])


def deploy(system, chance):
    service = chance.pick(system.services)
    return Incident([Fault("deploy", service, 1, -60)], [], [(-60.0, service.name, "1.5.0")])


def usual_errors(system, chance):
    """One operation fails now and then, as ever."""
    return Incident([Fault("throws", chance.pick(busy_operations(system)), 0.05, float("-inf"))], [])


def agent_lost(system, chance):
    """A service's telemetry ends; it answers as ever."""
    return Incident([Fault("unseen", chance.pick(busy_operations(system)).service, 1, onset(chance))], [])


def traces_lost(system, chance):
    return Incident([Fault("sampling", None, LOST_TRACES, onset(chance))], [])


def recovered(system, chance):
    """What is asked about is over."""
    fault, _, _ = any_fault(system, chance, begin_s=-420)
    return Incident([dataclasses.replace(fault, end_s=-240)], [])


def harmless_job(system, chance):
    """The neighbour is busy, and there is enough for all."""
    return Incident([Fault("neighbour", chance.pick(system.nodes), 1, onset(chance))], [])


FAULTY = {"slow-operation": one(slow), "exception": one(throws), "cpu": one(cpu), "network": one(network), "memory-leak": one(leak),
          "service-down": one(down), "two-faults": two_faults, "node-neighbour": node_neighbour, "innocent-deploy": innocent_deploy,
          "guilty-deploy": guilty_deploy, "surge-and-fault": surge_and_fault, "clock-skew": skewed_clock, "traces-sampled": lost_traces,
          "sampling-begins": loses_traces_then, "noticed-late": noticed_late, "weak": weak, "short": short, "five-minutes-of-history": starved_of_history}
HEALTHY = {"quiet": quiet, "surge": surge, "deploy": deploy, "usual-errors": usual_errors, "agent-lost": agent_lost,
           "traces-lost": traces_lost, "recovered": recovered, "harmless-job": harmless_job}
