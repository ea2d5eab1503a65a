"""The whole reach of a message as a table and as data. Counts only: nobody's particulars."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone

from policity.back_office.presenters.reach import STATES, Line, Reach, percent
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.rules.reach import Counts, Sample, reached

# Without it Excel reads UTF-8 as something else.
BOM = "\N{BYTE ORDER MARK}"
HEAD = ["区分", "名前", "時刻", "対象", "届いた", "割合", *(word for _, word, *_ in STATES)]


def table(found: Reach, samples: Sequence[Sample]) -> str:
    """CSV with everything: the whole, each way of splitting it, and how it came about."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(_rows(found, samples))
    return BOM + text.getvalue()


def _rows(found: Reach, samples: Sequence[Sample]) -> Iterator[list[object]]:
    whole = found.sending
    yield _row("全体", whole.title, whole.counted_at, found.states)
    for kind, lines in (
        ("町", found.towns),
        ("手段（使う人ごと）", found.channels),
        ("ことば", found.languages),
        ("年齢", found.ages),
    ):
        for line in lines:
            yield _row(kind, line.name, whole.counted_at, line.states)
    for word, count in found.why:
        yield ["失敗の理由", word, _local(whole.counted_at), count.replace(",", "")]
    for share, time in found.curve.times:
        yield ["届くまで", share, time]
    for sample in samples:
        yield _row("経過", "", sample.at, sample.states)


def _row(kind: str, name: str, at: Any, states: Counts) -> list[object]:
    there, targets = reached(states), sum(states)
    each = [states[state] for state, *_ in STATES]
    return [kind, name, _local(at), targets, there, percent(there, targets), *each]


def _local(at: Any) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="seconds")[:19]


def data(found: Reach, samples: Sequence[Sample]) -> dict[str, Any]:
    """The same for programs: states by their words, moments as ISO 8601."""
    whole = found.sending
    return {
        "message": whole.message,
        "title": whole.title,
        "began_at": whole.began_at.isoformat(),
        "counted_at": whole.counted_at.isoformat(),
        "whole": whole.whole,
        **_counts(found.states),
        "towns": [_line(line) for line in found.towns],
        "channels": [_line(line) for line in found.channels],
        "languages": [_line(line) for line in found.languages],
        "ages": [_line(line) for line in found.ages],
        "failed": dict(found.failed),
        "seconds_to": dict(found.seconds),
        "samples": [{"at": sample.at.isoformat(), **_counts(sample.states)} for sample in samples],
    }


def _line(line: Line) -> dict[str, Any]:
    return {"key": line.key, "name": line.name, **_counts(line.states)}


def _counts(states: Counts) -> dict[str, Any]:
    return {
        "targets": sum(states),
        "reached": reached(states),
        "states": {state.word: states[state] for state in State},
    }
