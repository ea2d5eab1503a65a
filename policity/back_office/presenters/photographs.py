"""Photographs of residents as staff decide on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from policity.fields.charm.models import Photograph
from policity.fields.charm.queries import PhotographView
from policity.fields.charm.rules.photographs import Licence, Reason
from policity.fields.charm.services.telling import REASONS
from policity.kit.languages import BY_CODE

Stage = Photograph.Stage
LICENCES = {Licence.CC_BY: "CC BY 4.0（だれでも使える）", Licence.SITE: "このサイトだけ"}


@dataclass(frozen=True, slots=True)
class Row:
    """One photograph. `facts` are what its sender said, each with its name."""

    id: int
    alt: str
    stage: Stage
    reports: int
    reason: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Some photographs under one heading; `empty` is said where there are none."""

    key: str
    name: str
    rows: tuple[Row, ...]
    empty: str


def groups(views: Sequence[PhotographView]) -> list[Group]:
    """What is to be done first, then what was done."""
    reported = [view for view in views if view.reports]
    rest = [view for view in views if not view.reports]
    by_stage = {stage: [view for view in rest if view.stage is stage] for stage in Stage}
    found = [
        Group("waiting", "確認待ち", _rows(by_stage[Stage.WAITING]), "ありません。"),
        Group("published", "公開中", _rows(by_stage[Stage.PUBLISHED][::-1]), "まだ、ありません。"),
        Group("declined", "公開しない", _rows(by_stage[Stage.DECLINED]), "ありません。"),
    ]  # fmt: skip
    if reported:
        found.insert(0, Group("reported", "知らせのある写真", _rows(reported), ""))
    return found


def _rows(views: Sequence[PhotographView]) -> tuple[Row, ...]:
    return tuple(map(row, views))


def row(view: PhotographView) -> Row:
    """One photograph, with what its sender said."""
    said = view.texts.get("ja") or view.texts.get(view.language) or {}
    facts = (
        ("送った日時", f"{timezone.localtime(view.sent_at):%Y-%m-%d %H:%M}"),
        ("ことば", BY_CODE[view.language].name),
        ("撮った日", view.taken.isoformat() if view.taken else "書いていません"),
        ("そばに出す名前", view.credit or "出さない"),
        ("だれが使えるか", LICENCES[view.licence]),
        ("同意した文の版", view.terms),
        ("決めたあとの知らせ", "メールで送ります" if view.is_told else "送りません"),
    )  # fmt: skip
    reason = REASONS[Reason(view.reason)] if view.reason else ""
    return Row(view.id, said.get("alt", ""), view.stage, view.reports, reason, facts)


def initial(view: PhotographView) -> Mapping[str, str]:
    """What is said of it, as its form shows it."""
    said = {f"alt_{code}": text.get("alt", "") for code, text in view.texts.items()}
    return {**said, "spot": str(view.spot or "")}
