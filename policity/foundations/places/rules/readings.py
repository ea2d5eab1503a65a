"""How a town is read aloud. The reading of its number follows from the number."""

import re

_ONES = ("", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_BEFORE_CHOME = {"いち": "いっ", "はち": "はっ", "じゅう": "じゅっ"}
_KANA_ENDS = re.compile("^([ぁ-んァ-ヶー]*)(.*?)([ぁ-んァ-ヶー]*)$")


def chome_kana(chome: int) -> str:
    """The reading of 一丁目 … 九十九丁目: 3 → さんちょうめ."""
    ten, one = divmod(chome, 10)
    tens = "" if not ten else "じゅう" if ten == 1 else f"{_ONES[ten]}じゅう"
    said = tens + _ONES[one]
    for plain, sound in _BEFORE_CHOME.items():
        if said.endswith(plain):
            said = said.removesuffix(plain) + sound
    return f"{said}ちょうめ"


def easy_name(base: str, kana: str, chome: str, chome_reading: str) -> str:
    """A town with furigana: ひばりが{丘|おか}{一丁目|いっちょうめ}. Without kana the base is bare.

    `chome` is the number as written (一丁目), empty where the town has none.
    """
    front, middle, end = _KANA_ENDS.fullmatch(base).groups()  # type: ignore[union-attr]
    if kana.startswith(front) and kana.endswith(end) and middle:
        said = kana.removeprefix(front).removesuffix(end)
        name = f"{front}{{{middle}|{said}}}{end}" if said else base
    else:
        name = f"{{{base}|{kana}}}" if kana and middle else base
    return name + (f"{{{chome}|{chome_reading}}}" if chome else "")
