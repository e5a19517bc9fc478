"""When would somebody have been called? The first alarm of the entry service, told from data alone.

The entry is the symptom's service, where one is named, else the service of most roots of traces in the baseline.
The signals are the symptom's metric, up or down, and per minute the 90th percentile of the duration of the
entry's roots and the share of them that failed. A minute alarms when a signal exceeds the
baseline's median by three robust sigmas (1.4826 times the median absolute deviation, and at least
5 % of the median duration, 1 % of requests, 1 % of a symptom's median). The alarm is the first such minute from two minutes before the
incident's time on. Minutes are counted from the incident's time.
"""
import collections
import json
import statistics

from cases import SECOND_NS, content, telemetry

MINUTE_NS = 60 * SECOND_NS
BEFORE_NS, AFTER_NS = 120 * SECOND_NS, 600 * SECOND_NS
LEAST_ROOTS = 10
STATUS_ERROR = (2, "STATUS_CODE_ERROR")


def documents(paths):
    for path in paths:
        for line in content(path).splitlines():
            if line.strip():
                yield json.loads(line)


def text_of(attributes, key):
    return next((a["value"].get("stringValue") for a in attributes if a["key"] == key), None)


def roots(paths):
    """(service, start, duration, failed) of each root span."""
    for document in documents(paths):
        for resource in document.get("resourceSpans", ()):
            service = text_of(resource.get("resource", {}).get("attributes", ()), "service.name")
            for scope in resource.get("scopeSpans", ()):
                for span in scope.get("spans", ()):
                    if not span.get("parentSpanId"):
                        start = int(span["startTimeUnixNano"])
                        yield service, start, int(span["endTimeUnixNano"]) - start, \
                            span.get("status", {}).get("code") in STATUS_ERROR


def points(paths, symptom):
    """(time, value) of the symptom's series."""
    for document in documents(paths):
        for resource in document.get("resourceMetrics", ()):
            if text_of(resource.get("resource", {}).get("attributes", ()), "service.name") != symptom["node"]:
                continue
            for scope in resource.get("scopeMetrics", ()):
                for metric in scope.get("metrics", ()):
                    if metric["name"].startswith(symptom["metric"]):
                        yield from values_of(metric, symptom.get("agg"))


def values_of(metric, statistic):
    for kind in ("gauge", "sum"):
        for point in metric.get(kind, {}).get("dataPoints", ()):
            own = text_of(point.get("attributes", ()), "statistic")
            if statistic is None or own is None or own == statistic:
                yield int(point["timeUnixNano"]), float(point.get("asDouble", point.get("asInt", 0)))


def minutes_of_roots(spans, entry, origin_ns):
    """{minute from the origin: (p90 of the duration in ns, share that failed)} of minutes with enough roots."""
    kept = collections.defaultdict(list)
    for service, start, duration, failed in spans:
        if service == entry:
            kept[(start - origin_ns) // MINUTE_NS].append((duration, failed))
    out = {}
    for minute, items in kept.items():
        if len(items) >= LEAST_ROOTS:
            durations = sorted(duration for duration, _ in items)
            out[minute] = (durations[int(0.9 * (len(durations) - 1))], sum(failed for _, failed in items) / len(items))
    return out


def limit(values, least):
    """What three robust sigmas above the median is; sigma is at least `least`."""
    middle = statistics.median(values)
    deviation = statistics.median(abs(value - middle) for value in values)
    return middle + 3 * max(1.4826 * deviation, least)


def from_roots(case):
    past = list(roots(telemetry(case.baseline).get("traces", ())))
    now = list(roots(telemetry(case.folder).get("traces", ())))
    if not past or not now:
        return None
    entry = case.symptom["node"] if case.symptom else collections.Counter(service for service, *_ in past).most_common(1)[0][0]
    usual = list(minutes_of_roots(past, entry, case.at_ns).values())
    if not usual:
        return None
    slow = limit([p90 for p90, _ in usual], 0.05 * statistics.median(p90 for p90, _ in usual))
    failing = limit([failed for _, failed in usual], 0.01)
    for minute, (p90, failed) in sorted(minutes_of_roots(now, entry, case.at_ns).items()):
        time_ns = case.at_ns + minute * MINUTE_NS
        if -BEFORE_NS <= time_ns - case.at_ns <= AFTER_NS and (p90 > slow or failed > failing):
            return time_ns
    return None


def from_symptom(case):
    """None where nothing alarms, or the symptom is not a metric."""
    past = list(points(telemetry(case.baseline).get("metrics", ()), case.symptom))
    now = sorted(points(telemetry(case.folder).get("metrics", ()), case.symptom))
    if not past or not now:
        return None
    usual = [value for _, value in past]
    middle = statistics.median(usual)
    off = limit(usual, 0.01 * abs(middle)) - middle
    for time_ns, value in now:
        if -BEFORE_NS <= time_ns - case.at_ns <= AFTER_NS and abs(value - middle) > off:
            return time_ns
    return None


def first_alarm(case):
    """Nanoseconds, or None where nothing alarms."""
    alarm = from_symptom(case) if case.symptom else None
    return alarm if alarm is not None else from_roots(case)
