"""JMA's areas contain one another, in two trees: that of the weather and that of earthquakes."""

from collections.abc import Mapping
from enum import StrEnum


class Layer(StrEnum):
    """A layer of one of the trees. A code may stand in several layers of one tree."""

    CLASS20 = "class20"  # 市町村等
    CLASS15 = "class15"  # 市町村等をまとめた地域
    CLASS10 = "class10"  # 一次細分区域
    OFFICE = "office"  # 府県予報区
    CENTER = "center"  # 地方予報区
    QUAKE_CITY = "quake_city"
    QUAKE_AREA = "quake_area"
    QUAKE_PREF = "quake_pref"


TREES = (
    (Layer.CLASS20, Layer.CLASS15, Layer.CLASS10, Layer.OFFICE, Layer.CENTER),
    (Layer.QUAKE_CITY, Layer.QUAKE_AREA, Layer.QUAKE_PREF),
)
"""Finest layer first; a parent stands in the next layer."""


def lineage(code: str, parents: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """The code, then the codes that contain it, finest first, the weather's before earthquakes'.

    `parents` maps (layer, code) to the containing code. A code in no layer stands alone.
    """
    found = [code]
    for tree in TREES:
        at = code
        start = next((i for i, layer in enumerate(tree) if (layer, at) in parents), len(tree))
        for layer in tree[start:]:
            if (layer, at) not in parents:
                break
            found.append(at)
            at = parents[layer, at]
    return tuple(dict.fromkeys(found))
