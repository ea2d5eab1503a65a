"""Reading telegrams into bulletins beside lxml merely parsing the same bytes.

Every XML file of the real data of JMA, unpacked. Both in one process, in turns; ours includes the
guard, the code tables and every event of every area. Files that give no events count too: the
reader must look at them as well.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from lxml import etree

from policity.fields.alerts import formats
from policity.fields.alerts.rules.bulletin import Refused
from policity.fields.alerts.sources import folder

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "jma"
ROUNDS = 12
GOAL = 0.33


def _ours(data: bytes) -> object:
    try:
        return formats.read(data)
    except Refused as reason:
        return reason


def _seconds(read: Callable[[bytes], object], data: bytes) -> float:
    start = perf_counter()
    read(data)
    return perf_counter() - start


def _round(files: list[bytes], *, ours_first: bool) -> tuple[float, float]:
    """Seconds of ours and of the peer over all files, in turns file by file."""
    ours = peer = 0.0
    for data in files:
        if ours_first:
            ours += _seconds(_ours, data)
        peer += _seconds(etree.fromstring, data)
        if not ours_first:
            ours += _seconds(_ours, data)
    return ours, peer


def measure() -> dict[str, object]:
    """Bytes per second, medians over the rounds; `spread` is that of the ratio."""
    files = [
        folder.read(file, limit=formats.LIMIT)
        for file in sorted(DATA.rglob("*"))
        if file.name.endswith((".xml", ".xml.gz"))
    ]
    size = sum(map(len, files))
    _round(files, ours_first=True)  # warms both
    # Who comes second finds the bytes in the cache: they take turns in that too.
    turns = [_round(files, ours_first=bool(turn % 2)) for turn in range(ROUNDS)]
    ratios = [peer / ours for ours, peer in turns]
    return {
        "name": "bulletin",
        "figure": round(size / median(ours for ours, _ in turns)),
        "unit": "bytes/s",
        "peer": f"lxml {etree.__version__} parsing only",
        "peer_figure": round(size / median(peer for _, peer in turns)),
        "ratio": round(median(ratios), 3),
        "spread": round((max(ratios) - min(ratios)) / median(ratios), 3),
        "goal": GOAL,
    }
