"""Taking over lists of facilities, and writing one by hand. A list touches nothing but its own."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from policity.foundations.accounts.models import User
from policity.foundations.accounts.services import audit
from policity.foundations.places.formats.facilities import FacilityList, kinds
from policity.foundations.places.models import City, Facility, Town
from policity.foundations.places.queries.facilities import FACILITIES, facility_key
from policity.foundations.places.rules import facilities as rules
from policity.foundations.places.rules.facilities import FEATURES, LONGEST, Plan
from policity.foundations.places.rules.hours import to_json
from policity.foundations.places.rules.sites import BEYOND_KM, sign_problem
from policity.foundations.publishing.services import mark_stale
from policity.kit.addresses import parse
from policity.kit.geometry import beyond_km, from_geojson
from policity.kit.web import is_web_address

log = structlog.get_logger("policity.places")

_NAMES = {
    "name": "名前", "kana": "よみ", "address": "住所", "phone": "電話番号",
    "where": "建物の中の場所", "hours_note": "時間のことば", "notes": "説明", "url": "アドレス",
}  # fmt: skip
_FIELDS = (
    "kind", "name", "kana", "address", "lat", "lon", "phone", "url", "where", "hours",
    "hours_note", "features", "notes",
)  # fmt: skip


class FacilityRefused(ValueError):  # noqa: N818  # what is the case, in the reader's words
    """It was not recorded. The message is one Japanese sentence that says what to do."""


def plan(*, source: str, found: FacilityList) -> Plan:
    """What taking a list in would do, without doing it. Two queries."""
    return rules.plan(_have(source), [_values(row) for row in found.rows])


def take_list(
    *, source: str, found: FacilityList, by: User | None, now: datetime, seen: Plan | None = None
) -> Plan:
    """Make a list's facilities what it says now, all or none; those it lacks are closed.

    What staff wrote by hand and what other lists brought is not looked at. `seen` is the plan that
    the person saw: raises FacilityRefused where another one would be carried out by now, and for
    a list without a name.
    """
    source = source.strip()[:100]
    if not source:
        raise FacilityRefused("一覧の名前を入れてください。")
    with transaction.atomic():
        city = City.objects.here().select_for_update().get()
        wanted = {row.source_id: _values(row) for row in found.rows}
        todo = rules.plan(_have(source), list(wanted.values()))
        if seen is not None and seen != todo:
            raise FacilityRefused(
                "見たあとに、ほかの人が変えました。まだ取り込んでいません。もう一度、ファイルを選んでください。"
            )
        # Of this list; among them those that it lacked for a while, and has again.
        rows = {row.source_id: row for row in Facility.objects.filter(city=city, source=source)}
        towns, before = _towns(), (city.prefecture, city.name)
        new: list[Facility] = []
        changed: list[Facility] = []
        for key in (*todo.new, *todo.changed):
            row = rows.get(key) or Facility(city=city, source=source, source_id=key)
            _write(row, wanted[key], towns, before, now)
            (changed if row.pk else new).append(row)
        for key in todo.gone:
            rows[key].closed_at = now
            changed.append(rows[key])
        Facility.objects.bulk_create(new)
        fields = [*_FIELDS, "town", "revision", "changed_at", "closed_at"]
        Facility.objects.bulk_update(changed, fields)
        if todo.anything:
            mark_stale({FACILITIES, *(facility_key(row.pk) for row in new + changed)}, now=now)
            audit.record(
                "facilities.imported", on=f"places.city:{city.code}", by=by, now=now,
                title=source, count=len(found.rows),
            )  # fmt: skip
    log.info("facilities taken", by=by and by.pk, new=len(new), changed=len(changed))
    return todo


def write_facility(
    *,
    number: int | None,
    written: rules.Facility,
    by: User | None,
    now: datetime,
    seen: int = 0,
    is_sample: bool = False,
) -> Facility:
    """Write a facility by hand: a new one, or anew one that staff wrote. Raises FacilityRefused.

    `seen` is the revision that was changed: what somebody else wrote meanwhile stays.
    """
    with transaction.atomic():
        city = City.objects.here().get()
        row = _own(number) if number else Facility(city=city, is_sample=is_sample)
        if number and row.revision != seen:
            raise FacilityRefused(
                "ほかの人が、先に変えました。いまの内容を見て、もう一度変えてください。"
            )
        values = _values(written)
        if wrong := _problem(written, city):
            raise FacilityRefused(wrong)
        _write(row, values, _towns(), (city.prefecture, city.name), now)
        row.save()
        mark_stale({FACILITIES, facility_key(row.pk)}, now=now)
        act = "facility.changed" if number else "facility.added"
        audit.record(act, on=f"places.facility:{row.pk}", by=by, now=now)
    return row


def close_facility(*, number: int, by: User, now: datetime) -> None:
    """Take one that staff wrote off the pages: it is gone. Raises FacilityRefused."""
    with transaction.atomic():
        row = _own(number)
        row.closed_at, row.changed_at = now, now
        row.save()
        mark_stale({FACILITIES, facility_key(row.pk)}, now=now)
        audit.record("facility.closed", on=f"places.facility:{row.pk}", by=by, now=now)


def _own(number: int) -> Facility:
    row = Facility.objects.here().select_for_update(of=("self",)).filter(pk=number).first()
    if row is None:
        raise FacilityRefused("この施設は、もうありません。一覧を読み直してください。")
    if row.source:
        raise FacilityRefused(
            f"この施設は、一覧「{row.source}」のものです。もとのファイルを直して、取り込んでください。"
        )
    return row


def _have(source: str) -> dict[str, dict[str, Any]]:
    rows = Facility.objects.here().filter(source=source)
    return {row.source_id: {name: getattr(row, name) for name in ("source_id", *_FIELDS)}
            for row in rows}  # fmt: skip


def _values(written: rules.Facility) -> dict[str, Any]:
    found = asdict(written)
    found["hours"] = to_json(written.hours) if written.hours else None
    found["features"] = list(written.features)
    return found


def _write(
    row: Facility,
    values: Mapping[str, Any],
    towns: Mapping[str, Town],
    before: tuple[str, ...],
    now: datetime,
) -> None:
    for name in _FIELDS:
        setattr(row, name, values[name])
    town, _ = parse(row.address, tuple(towns), before)
    row.town = towns[town] if town else None
    row.revision, row.changed_at, row.closed_at = row.revision + 1, now, None


def _towns() -> dict[str, Town]:
    return {town.name: town for town in Town.objects.here()}


def _problem(written: rules.Facility, city: City) -> str:
    """Why a facility cannot be so, in one Japanese sentence; empty when it can."""
    if not written.name.strip():
        return "名前を入れてください。"
    if written.kind not in kinds():
        return "種類を選んでください。"
    if set(written.features) - set(FEATURES):
        return "設備は、一覧から選んでください。"
    for field, name in _NAMES.items():
        text = getattr(written, field)
        if len(text) > LONGEST[field]:
            return f"{name}は、{LONGEST[field]}文字までにしてください。"
        if fault := sign_problem(name, text):
            return f"{fault}。"
    if written.url and not is_web_address(written.url):
        return "アドレスを、https:// から入れてください。"
    if (written.lat is None) != (written.lon is None):
        return "緯度と経度は、両方入れるか、両方空にしてください。"
    if written.lat is not None and written.lon is not None:
        away = beyond_km(from_geojson(city.boundary), (written.lon, written.lat))
        if not away <= BEYOND_KM:
            return f"緯度{written.lat}、経度{written.lon}は市の外です。"
    return ""
