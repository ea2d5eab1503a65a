"""The published files that a browser searches without a server."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from policity.foundations.search.rules.static import SUMMARY, deltas, number_of
from policity.kit import ruby


def shard_files(
    documents: Iterable[tuple[int, str, str]], wanted: Collection[int], of: int
) -> dict[int, bytes]:
    """Files of signs, by number: which documents have each of the signs that are in the file.

    `{"of": 16, "t": {"避難": [3, 1]}, "x": {…}}`: documents 3 and 4 have it in their title, others
    in their text. `documents` are in the order of their numbers.
    """
    titles: dict[int, dict[str, list[int]]] = {shard: defaultdict(list) for shard in wanted}
    texts: dict[int, dict[str, list[int]]] = {shard: defaultdict(list) for shard in wanted}
    for number, *said in documents:
        for found, signs in zip((titles, texts), said, strict=True):
            for sign in signs.split():
                if (shard := number_of(sign) % of) in found:
                    found[shard][sign].append(number)
    return {
        shard: _json({"of": of, "t": _listed(titles[shard]), "x": _listed(texts[shard])})
        for shard in wanted
    }


def titles_file(lines: Sequence[tuple[int, str, str, str, str]]) -> bytes:
    """Titles by number: where a document leads, its title, how its text begins, and its kind."""
    return _json(
        {
            str(number): [address, title, _beginning(text), kind]
            for number, address, title, text, kind in lines
        }
    )


def _beginning(text: str) -> str:
    """How a text begins: a word with a reading whole or not at all."""
    said, length = "", 0
    for base, reading in ruby.parts(text):
        room = SUMMARY - length
        if len(base) > room:
            return said + ("" if reading else base[:room]) + "…"
        said += f"{{{base}|{reading}}}" if reading else base
        length += len(base)
    return said


def _listed(found: dict[str, list[int]]) -> dict[str, list[int]]:
    return {sign: list(deltas(found[sign])) for sign in sorted(found)}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
