"""The counting of rank-report, on answers and numbers that are made up."""
import math
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import alarm  # noqa: E402
import calibration  # noqa: E402
import cases  # noqa: E402
import healthy  # noqa: E402
import onset  # noqa: E402

SECOND = cases.SECOND_NS


def hypothesis(rank, service, resource=None, before=None, after=None):
    kind = "code-region" if before else "metric"
    return {"rank": rank, "service": service, "resource": resource, "score": 9.0 - rank, "probability": 0.5,
            "locus": {"kind": kind, "name": None, "before": before, "after": after}}


def case_of(**truth):
    return cases.Case("shop", "shop/1", pathlib.Path("."), {"incident_time": "2026-01-01T00:00:00Z", "root_cause": truth})


def score_of(hypotheses, **truth):
    return cases.score({"verdict": "cause-found", "hypotheses": hypotheses}, case_of(**truth))


class Scores(unittest.TestCase):
    def test_a_tie_counts_against(self):
        found = score_of([hypothesis(1, "a", "cpu"), hypothesis(1, "b", "cpu")], service="a", resource="cpu")
        self.assertEqual((found.service, found.cause), (2, 2))

    def test_services_count_once_and_hypotheses_each(self):
        found = score_of([hypothesis(1, "b"), hypothesis(2, "b"), hypothesis(3, "a", "cpu")], service="a", resource="cpu")
        self.assertEqual((found.service, found.cause), (2, 3))

    def test_the_right_service_with_the_wrong_resource_is_no_cause(self):
        found = score_of([hypothesis(1, "a", "memory")], service="a", resource="cpu")
        self.assertEqual((found.service, found.cause), (1, None))

    def test_a_region_needs_both_statements(self):
        truth = {"service": "a", "code_region": ["x#1", "x#2"]}
        self.assertEqual(score_of([hypothesis(1, "a", before="in x#1 z", after="x#2")], **truth).cause, 1)
        self.assertIsNone(score_of([hypothesis(1, "a", before="x#1", after="x#3")], **truth).cause)

    def test_of_two_causes_either_is_right_at_one_and_both_belong_among_three(self):
        case = case_of(service="a")
        case.truth["further_causes"] = [{"service": "b"}]
        answer = {"verdict": "cause-found", "hypotheses": [hypothesis(1, "b"), hypothesis(2, "c"), hypothesis(3, "a")]}
        found = cases.score(answer, case)
        self.assertEqual((found.service, found.last), (1, 3))
        self.assertEqual([found.is_hit(k) for k in (1, 2, 3)], [True, False, True])
        answer["hypotheses"].pop()
        self.assertEqual([cases.score(answer, case).is_hit(k) for k in (1, 3)], [True, False])

    def test_where_nothing_was_wrong_no_confident_cause_is_the_hit(self):
        case = case_of()
        case.truth["root_cause"] = None
        self.assertFalse(case.is_fine)
        for verdict, hit in (("no-confident-cause", True), ("cause-found", False)):
            self.assertEqual(cases.score({"verdict": verdict, "hypotheses": [hypothesis(1, "a")]}, case).is_hit(1), hit)
        self.assertFalse(cases.score(None, case).is_hit(1))

    def test_no_answer_is_a_miss_that_was_not_confident(self):
        self.assertEqual(cases.score(None, case_of(service="a")), cases.Score(None, None, False))

    def test_times_are_read_and_written_to_the_nanosecond(self):
        self.assertEqual(cases.format_time(cases.parse_time("2026-01-02T03:04:05.5Z")), "2026-01-02T03:04:05.500000000Z")


class Onsets(unittest.TestCase):
    def test_an_interval_is_held_against_the_stated_time(self):
        case, right = case_of(service="a"), cases.Score(1, None, True, 1.0)
        def answer(low, at, high):
            return {"incident": {"onset": {k: f"2026-01-01T00:{v}Z" for k, v in (("low", low), ("at", at), ("high", high))}}}
        early = {"incident": {"onset": {"low": "2025-12-31T23:59:10Z", "at": "2025-12-31T23:59:15Z", "high": "2025-12-31T23:59:20Z"}}}
        holds, later = {"incident": {"onset": {"low": "2025-12-31T23:59:50Z", "at": "2026-01-01T00:00:02Z", "high": "2026-01-01T00:00:10Z"}}}, answer("00:05", "00:06", "00:07")
        self.assertEqual(onset.figures([case] * 3, [early, holds, later], [right] * 3), [3, 1 / 3, 2 / 3, 10.0, 2.0])

    def test_without_an_onset_or_with_the_wrong_service_nothing_is_counted(self):
        case, wrong = case_of(service="a"), cases.Score(2, None, True, 1.0)
        none = {"incident": {"onset": {"low": None, "at": None, "high": None}}}
        self.assertEqual(onset.figures([case] * 2, [none, none], [wrong, wrong])[0], 0)
        self.assertIsNone(onset.onset_of(None))


class Alarms(unittest.TestCase):
    def test_minutes_with_few_roots_say_nothing(self):
        spans = [("a", i * SECOND, 7, False) for i in range(10)] + [("a", 61 * SECOND, 7, True)]
        self.assertEqual(alarm.minutes_of_roots(spans, "a", 0), {0: (7, 0.0)})

    def test_a_constant_signal_still_has_a_spread(self):
        self.assertEqual(alarm.limit([10, 10, 10], 1), 13)


class Windows(unittest.TestCase):
    def test_recordings_are_cut_at_gaps_and_few_records_are_left_out(self):
        times = [0, SECOND, 2 * SECOND] + [t + 1000 * SECOND for t in (0, SECOND, 2 * SECOND)] + [5000 * SECOND]
        self.assertEqual([run[0] for run in healthy.runs_of(times)], [0, 1000 * SECOND])

    def test_a_long_recording_is_cut_into_minutes(self):
        self.assertEqual(healthy.slices_of((0, 200 * SECOND, 9))[1], (60 * SECOND, 120 * SECOND, "60s"))

    def test_a_window_after_a_fault_is_not_clear(self):
        self.assertFalse(healthy.is_clear(200 * SECOND, 300 * SECOND, [0]))
        self.assertTrue(healthy.is_clear(240 * SECOND, 300 * SECOND, [0]))

    def test_between_incidents_far_apart_there_is_room_for_another(self):
        minutes = [0, 600 * SECOND, 1200 * SECOND, 4000 * SECOND]
        self.assertTrue(healthy.is_between(300 * SECOND, 400 * SECOND, minutes))
        self.assertFalse(healthy.is_between(2000 * SECOND, 2100 * SECOND, minutes))


def drawn(count, coefficients, seed):
    dice, out = random.Random(seed), []
    for _ in range(count):
        x = (1.0, dice.uniform(-5, 5), dice.uniform(0, 8))
        p = calibration.logistic(sum(c * v for c, v in zip(coefficients, x)))
        out.append(calibration.Observation("s", dice.random() < p, True, p, x))
    return out


class Calibration(unittest.TestCase):
    def test_a_fit_finds_what_the_data_was_drawn_from(self):
        wanted = (-1.0, 0.8, 0.3)
        for found, value in zip(calibration.fit(drawn(20000, wanted, 1)), wanted):
            self.assertAlmostEqual(found, value, delta=0.1)

    def test_separable_data_gives_finite_coefficients(self):
        data = [calibration.Observation("s", x > 0, True, 0.5, (1.0, float(x), 0.0)) for x in (-3, -2, -1, 1, 2, 3)]
        self.assertTrue(all(math.isfinite(c) and abs(c) < 100 for c in calibration.fit(data)))

    def test_the_error_is_the_weighted_distance_within_bins(self):
        data = [calibration.Observation("s", right, True, 0.5, (1.0,)) for right in (True, False, False, False)]
        self.assertAlmostEqual(calibration.calibration_error(data, [0.25] * 4), 0.0)
        self.assertAlmostEqual(calibration.calibration_error(data, [0.95] * 4), 0.7)

    def test_exact_probabilities_err_by_chance_only(self):
        data = drawn(500, (0.0, 1.0, 0.0), 2)
        error = calibration.calibration_error(data, [o.probability for o in data])
        self.assertLess(abs(error - calibration.error_by_chance(data, [o.probability for o in data])), 0.03)


if __name__ == "__main__":
    unittest.main()
