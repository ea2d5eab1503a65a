"""What a site of the disaster plan is, and what may be said of it."""

from collections.abc import Collection, Iterator
from enum import StrEnum

from policity.kit import ruby


class Kind(StrEnum):
    """Three kinds that are never mixed: where to flee, where to stay, who is received."""

    EMERGENCY_SITE = "emergency_site"
    SHELTER = "shelter"
    WELFARE_SHELTER = "welfare_shelter"


KIND_NAMES = {
    Kind.EMERGENCY_SITE: "指定緊急避難場所",
    Kind.SHELTER: "指定避難所",
    Kind.WELFARE_SHELTER: "福祉避難所",
}

HAZARDS = (
    "flood",
    "landslide",
    "storm_surge",
    "earthquake",
    "tsunami",
    "fire",
    "inland_flood",
    "volcano",
)
"""What an emergency site is designated for, in the order of the national table."""

BEYOND_KM = 5
"""A place further than this outside the box around its city is a slip of the hand."""


def problems(kind: Kind, hazards: Collection[str], receives: str) -> Iterator[str]:
    """What contradicts the kind of a site, in Japanese; nothing when all is well."""
    for hazard in hazards:
        if hazard not in HAZARDS:
            yield f"災害の種類「{hazard}」はありません（{'、'.join(HAZARDS)}）"
    if hazards and kind is not Kind.EMERGENCY_SITE:
        yield "災害の種類は指定緊急避難場所だけに書きます"
    if kind is Kind.WELFARE_SHELTER and not receives:
        yield "福祉避難所には受け入れる人を書いてください"
    if receives and kind is not Kind.WELFARE_SHELTER:
        yield "受け入れる人は福祉避難所だけに書きます"


def sign_problem(what: str, text: str) -> str:
    """Why a text may not stand in the city's data, in Japanese; empty when it may.

    Readings are put around these texts by us, and the signs of the markup would break a page.
    """
    if ruby.SIGNS.isdisjoint(text):
        return ""
    return f"{what}「{text}」に {{ | }} は使えません"
