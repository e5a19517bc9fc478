"""What alerts of others do to the ranking: the recordings have none, so that they are made up around the truth."""
import dataclasses
import json
import pathlib
import tempfile
import zlib

from cases import format_time, table
from sections import ask, groups_of, figures, FIGURES

AFTER_NS = 90 * 10**9


def known_services(case, answer):
    """Services that the answer to the case names, and those of its truth."""
    named = [*answer["hypotheses"], *answer["ruled_out"]] if answer is not None else []
    return sorted({h["service"] for h in named if h["service"]} | {c["service"] for c in case.causes})


def payload(services, at_ns):
    """Alertmanager's, one rule of each service."""
    return json.dumps({"version": "4", "alerts": [
        {"status": "firing", "labels": {"alertname": "TooSlow", "service": service, "severity": "page"},
         "startsAt": format_time(at_ns + AFTER_NS)} for service in services]})


def others(case, services):
    """Those that are not to blame, one of them first, the same each time."""
    wrong = [s for s in services if s not in {c["service"] for c in case.causes}]
    first = zlib.crc32(case.name.encode()) % len(wrong) if wrong else 0
    return wrong[first:] + wrong[:first]


WAYS = {
    "none": lambda case, services: [],
    "of the cause": lambda case, services: [c["service"] for c in case.causes],
    "of one other service": lambda case, services: others(case, services)[:1],
    "of three others": lambda case, services: others(case, services)[:3],
    "of the cause and one other": lambda case, services: [case.causes[0]["service"], *others(case, services)[:1]],
    "of all services": lambda case, services: services,
}


def alerts(program, cases, answers):
    cases = [case for case in cases if case.causes]
    print("### With alerts\n")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for way, choose in WAYS.items():
            questions = []
            for i, case in enumerate(cases):
                chosen = choose(case, known_services(case, answers[id(case)]))
                path = pathlib.Path(folder) / f"{i}.json"
                path.write_text(payload(chosen, case.at_ns))
                questions.append(dataclasses.replace(case.question(), events=(path,) if chosen else ()))
            scores = ask(program, cases, questions)
            rows += [[system, way, *figures(own, of)] for system, own, of in groups_of(cases, scores)]
    table(["system", "alerts", *FIGURES], sorted(rows, key=lambda row: row[0]))
