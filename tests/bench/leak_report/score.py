"""How right is an answer about a labelled recording."""
import recordings


def accepted(recording, answer):
    return answer.verdict in recording.accepted


def named(recording, answer):
    """One of the accepted functions is the first one named; None where the label names none."""
    if not recording.functions:
        return None
    return any(function in answer.function for function in recording.functions)


def held(recording, answer):
    """The same, with what is said to hold it counted too."""
    if not recording.functions:
        return None
    return any(function in answer.function or function in answer.holder for function in recording.functions)


# Kinds that say only that something is kept: never misleading, never helpful.
GENERAL = {"", "objects-kept", "slow-leak-under-churn", "coarse-growth"}


def kind(recording, answer):
    """Is the bug that is named the right one? None where the verdict is not right or the label names no kind."""
    if not recording.kinds or not accepted(recording, answer):
        return None
    if answer.kind in recording.kinds:
        return "right"
    return "general" if answer.kind in GENERAL else "other"


def wrong(recording, answer):
    """Another verdict than an accepted one; to say that there is not enough data is not wrong but unsaid."""
    return answer.verdict != recordings.UNSAID and not accepted(recording, answer)


def wrong_and_sure(recording, answer):
    return wrong(recording, answer) and answer.confidence > recordings.CONFIDENT


def false_alarm(answer):
    return answer.verdict == recordings.LEAK


def share(part, whole):
    return f"{part}/{whole} = {part / whole:.3f}" if whole else "-"


def windows(numbers, shortest):
    """Every run of at least `shortest` neighbouring snapshots."""
    return [numbers[i:j] for i in range(len(numbers)) for j in range(i + shortest, len(numbers) + 1)]


def thinned(numbers, step):
    return numbers[::step]


def prefix(numbers, parts):
    """The first of `parts` equal parts, of two snapshots at least."""
    return numbers[:max(2, len(numbers) // parts)]
