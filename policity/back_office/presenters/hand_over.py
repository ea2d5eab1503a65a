"""How things stand, in words: what a shift hands over, kept with its words as a record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from policity.back_office.presenters import orders
from policity.back_office.presenters.chronology import beside
from policity.fields.alerts import queries as alerts
from policity.fields.alerts.queries import records
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.rules.reach import reached
from policity.foundations.places import queries as places
from policity.foundations.places.rules.openings import OPENNESS_NAMES

SENDINGS = 50
NONE = "ありません"

Section = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Emergency:
    """The switch and what hangs on it."""

    standing: records.EmergencyView | None
    waiting: int


def emergency() -> Emergency:
    """Whether the city is in a state of emergency, and how many routine messages wait for it."""
    standing = records.emergency()
    return Emergency(standing, delivery.held_back() if standing else 0)


def standing(now: datetime) -> list[Section]:
    """Everything that the next shift finds: a name, and lines under it. Nobody's particulars."""
    found = {
        "災害対策本部": list(_headquarters(now)),
        "出ている避難情報": list(_orders(now)),
        "気象などの発表": list(_in_force(now)),
        "開いている避難所": list(_sites(now)),
        "送信中の知らせ": list(_sendings(now)),
        "助けの呼びかけ（担当ごと）": list(_calls()),
        "承認・確認を待つもの": list(_waiting(now)),
    }
    return [{"name": name, "lines": lines or [NONE]} for name, lines in found.items()]


def _headquarters(now: datetime) -> Iterator[str]:
    if one := records.emergency():
        yield f"設置　{beside(one.began_at, now)}から（{one.began_by}）　理由は{one.why}"


def _orders(now: datetime) -> Iterator[str]:
    for line in orders.overview().standing:
        yield f"{line.title}　{line.count}町（{line.towns}）　{beside(line.at, now)}から"


def _in_force(now: datetime) -> Iterator[str]:
    for event in alerts.in_force():
        level = f"（警戒レベル{event.level}相当）" if event.level else ""
        yield f"{event.name}{level}　{beside(event.changed_at, now)}から"


def _sites(now: datetime) -> Iterator[str]:
    openings = places.openings()
    found = [(site, openings[site.id]) for site in places.sites() if site.id in openings]
    for site, opening in found:
        if opening.state.is_open:
            people = "人数は分かりません" if opening.evacuees is None else f"{opening.evacuees}人"
            state, at = OPENNESS_NAMES[opening.state], beside(opening.at, now)
            yield f"{site.name}　{state}　{people}（{at}）"


def _sendings(now: datetime) -> Iterator[str]:
    for sent in delivery.sent(SENDINGS, now=now):
        states = sent.count.split.states
        if sent.expanding or states[State.QUEUED]:
            yield (
                f"「{sent.title}」　対象 {sent.count.targets:,}人、渡した人 {reached(states):,}人、"
                f"待ち {states[State.QUEUED]:,}人"
            )
    if (found := emergency()).waiting:
        yield f"急がない知らせ {found.waiting}件は、緊急時が終わるまで待っています"


def _calls() -> Iterator[str]:
    by_owner: dict[str, list[str]] = {}
    for alarm in delivery.open_alarms():
        by_owner.setdefault(alarm.owner, []).append(alarm.town or "町が分からない人")
    for owner, towns in by_owner.items():
        yield f"{owner or '担当なし'}　{len(towns)}件（{'、'.join(dict.fromkeys(towns))}）"


def _waiting(now: datetime) -> Iterator[str]:
    found = orders.overview()
    for what, lines in (("承認", found.submitted), ("事後の確認", found.unreviewed)):
        for line in lines:
            at = beside(line.at, now)
            yield f"{line.title}　{line.count}町（{line.towns}）の{what}　{at}から"
    for one in delivery.awaiting():
        yield f"「{one.title}」の送信の承認　{beside(one.since, now)}から"
