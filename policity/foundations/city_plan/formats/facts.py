"""Schemes of grades, stages of use and plans' frames as files that a city edits (TOML)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from policity.foundations.city_plan.rules.grading import Grade, Scheme
from policity.foundations.city_plan.rules.stages import Criterion, Kind, Stage
from policity.kit.eras import BadYear, read_fiscal

FACTS = files("policity.foundations.city_plan") / "facts"
FACETS = {"fields": "field", "viewpoints": "viewpoint", "challenges": "challenge", "goals": "goal"}
"""The lists of a plan's file, and which kind of facet each holds."""


class BadFrame(ValueError):  # noqa: N818  # the thing refused
    """Not a plan's frame. The message is Japanese, one line a fault."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A plan without its measures. `facets` by kind, each with name and text, in their order.

    `parent` and `revises` name other plans by their code; `parent` may be words for one that is
    not kept here.
    """

    code: str
    name: str
    subtitle: str
    first_year: int
    last_year: int
    vision: str
    principle: str
    parent: str
    revises: str
    scheme: str
    source: str
    is_sample: bool
    facets: Mapping[str, tuple[tuple[str, str], ...]]


@cache
def schemes() -> Mapping[str, Scheme]:
    """Every scheme of grades by its code."""
    return {
        code: Scheme(
            code=code,
            name=one["name"],
            source=one["source"],
            grades=tuple(map(_grade, one["grades"])),
            marks=tuple(map(_grade, one.get("marks", ()))),
            unclear=one["unclear"],
            directions=one.get("directions", {}),
        )
        for code, one in _toml("schemes.toml").items()
    }


@cache
def stages() -> Mapping[str, Stage]:
    """The stages of use by their code, in their order."""
    found = {
        code: Stage(
            code=code,
            name=one["name"],
            says=one["says"],
            questions=tuple(one["questions"]),
            weights={kind: one["weights"][kind] for kind in Kind},
            next=one.get("next", ""),
            forward=tuple(map(_criterion, one.get("forward", ()))),
            back=one.get("back", ""),
            backward=tuple(map(_criterion, one.get("backward", ()))),
        )
        for code, one in _toml("stages.toml").items()
    }
    for stage in found.values():
        for to in (stage.next, stage.back):
            if to and to not in found:
                raise ValueError(f"stage {stage.code} leads to {to}, which is none")
    return found


def read_frame(text: str) -> Frame:
    """A plan's frame. Raises BadFrame."""
    try:
        return frame_of(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadFrame(f"TOMLとして読めません: {error}") from error


def frame_of(found: Mapping[str, Any]) -> Frame:
    """The same, of what stood in the file. Raises BadFrame."""
    faults = [
        f"「{name}」がありません"
        for name in ("code", "name", "first_year", "last_year")
        if not found.get(name)
    ]
    if found.get("code") in TAKEN:
        faults.append(f"code「{found['code']}」は、ほかのページのアドレスなので使えません")
    if found.get("scheme", "aichi") not in schemes():
        faults.append(f"評価の区分「{found['scheme']}」はありません（{'、'.join(schemes())}）")
    years = [_year(found, name, faults) for name in ("first_year", "last_year")]
    if not faults and years[0] > years[1]:
        faults.append("計画の終わりが、始まりより前です")
    facets = {
        kind: tuple((one.get("name", ""), one.get("text", "")) for one in found.get(list_, ()))
        for list_, kind in FACETS.items()
    }
    faults += [
        f"{list_} の {number}番目に、名前（name）がありません"
        for list_, kind in FACETS.items()
        for number, (name, _) in enumerate(facets[kind], 1)
        if not name
    ]
    if faults:
        raise BadFrame("\n".join(faults))
    return Frame(
        first_year=years[0],
        last_year=years[1],
        scheme=found.get("scheme", "aichi"),
        is_sample=bool(found.get("is_sample", False)),
        facets=facets,
        **{name: str(found.get(name, "")) for name in _TEXTS},
    )


# What stands at /plan/… beside plans.
TAKEN = frozenset({"comments"})
_TEXTS = ("code", "name", "subtitle", "vision", "principle", "parent", "revises", "source")


def _year(found: Mapping[str, Any], name: str, faults: list[str]) -> int:
    try:
        return read_fiscal(str(found.get(name, "")))
    except BadYear:
        if found.get(name):
            faults.append(f"{name} は「令和6年度」か「2024」のように書いてください")
        return 0


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((FACTS / name).read_text("utf-8"))


def _grade(one: Mapping[str, Any]) -> Grade:
    bounds = {
        name: Fraction(one[name])
        for name in ("at_least", "better_than", "not_below")
        if name in one
    }
    return Grade(one["code"], one["name"], otherwise=one.get("otherwise", False), **bounds)


def _criterion(one: Mapping[str, Any]) -> Criterion:
    bounds = {name: Fraction(one[name]) for name in ("at_least", "below") if name in one}
    return Criterion(Kind(one["kind"]), one["years"], **bounds)
