"""Comments on a plan as staff read and answer them."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from policity.back_office.presenters.chronology import safe
from policity.back_office.presenters.exports import BOM
from policity.foundations.city_plan.models import Call, Comment, CommentGroup
from policity.foundations.city_plan.queries.comments import CallView, CommentView, GroupView
from policity.foundations.city_plan.rules.commenting import Numbers
from policity.kit.eras import fiscal_name
from policity.kit.languages import BY_CODE

LONGEST_SHOWN = 200
HEAD = (
    "番号", "届いた日", "届いた方法", "ことば", "施策", "意見", "まとまり", "公開しない理由",
    "ひとこと",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in the list of all of them."""

    id: int
    title: str
    about: str
    days: str
    stage: str
    stage_name: str


def call(view: CallView) -> CallRow:
    """A call in words."""
    year = "計画の案" if view.year is None else f"{fiscal_name(view.year)}の評価"
    return CallRow(
        view.id,
        view.texts["ja"]["title"],
        f"{view.plan_name}・{year}",
        f"{_day(view.first_day)}から {_day(view.last_day)}まで",
        view.stage.value,
        Call.STAGES[view.stage],
    )


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True, slots=True)
class Row:
    """A comment in a list, or by itself. `short` is what a list has room for."""

    id: int
    text: str
    short: str
    channel: str
    facts: tuple[tuple[str, str], ...]
    group: int | None
    group_title: str
    withheld: str
    note: str


def row(view: CommentView) -> Row:
    """One comment, with what is known of it."""
    facts = (
        ("届いた日", _day(view.received)),
        ("届いた方法", Comment.CHANNELS[view.channel]),
        ("ことば", BY_CODE[view.language].name if view.language in BY_CODE else view.language),
        ("施策", view.measure_name or "計画の全体"),
        ("名前", view.name or "書いていません"),
        ("住所か連絡先", view.address or "書いていません"),
        ("入れた人", view.typed_by or "本人（ウェブ）"),
        ("入れた日時", f"{timezone.localtime(view.at):%Y-%m-%d %H:%M}"),
    )
    short = view.text.replace("\n", " ")
    if len(short) > LONGEST_SHOWN:
        short = f"{short[:LONGEST_SHOWN]}…"
    return Row(
        view.id,
        view.text,
        short,
        Comment.CHANNELS[view.channel],
        facts,
        view.group,
        view.group_title,
        Comment.REASONS[view.withheld] if view.withheld else "",
        view.note,
    )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group in a list."""

    id: int
    title: str
    size: int
    outcome: str
    measures: str


def group(view: GroupView) -> GroupRow:
    """A group in words."""
    outcome = CommentGroup.OUTCOMES[view.outcome] if view.outcome else ""
    title = view.texts["ja"]["title"]
    return GroupRow(view.id, title, view.size, outcome, "、".join(view.measures))


def sums(found: Numbers) -> list[tuple[str, int]]:
    """How many came, how, and where they are."""
    return [
        ("全部で", found.all),
        *((Comment.CHANNELS[one], count) for one, count in found.by_channel.items()),
        ("まだまとめていない", found.waiting),
        ("まとめた", found.grouped),
        ("公開しない", found.withheld),
    ]


def table(views: Sequence[CommentView]) -> str:
    """The comments for a spreadsheet, word for word. Who sent them stays here: files travel."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(_cells(views))
    return BOM + text.getvalue()


def _cells(views: Iterable[CommentView]) -> Iterable[tuple[object, ...]]:
    for view in views:
        withheld = Comment.REASONS[view.withheld] if view.withheld else ""
        yield (
            view.id, view.received.isoformat(), Comment.CHANNELS[view.channel], view.language,
            *map(safe, (view.measure_name, view.text, view.group_title, withheld, view.note)),
        )  # fmt: skip
