"""Writes docs/telegrams.md from our tables and the real data.

`python -m policity.fields.alerts.tests.telegrams_doc` writes it; a test compares.
"""

from collections import defaultdict
from pathlib import Path

from policity.fields.alerts import formats
from policity.fields.alerts.rules import codes
from policity.fields.alerts.rules.bulletin import Format, Ignored, Refused
from policity.fields.alerts.sources import folder

ROOT = Path(__file__).parents[4]
DOC = ROOT / "docs" / "telegrams.md"

HEAD = f"""# Telegrams and alerts: what is read, and what is left aside

Written by `python -m policity.fields.alerts.tests.telegrams_doc`; a test compares it with what
the reader really does with every file of the real data (`data/jma` and `data/cap`, not part of this
repository). The tables behind it are `policity/fields/alerts/facts/{{kinds,codes,cap}}.toml`.

## How

- 気象庁防災情報XML is known by its root element, its kind by `Control/Title`. CAP 1.0, 1.1 and 1.2
  are known by their namespace. Everything else is refused.
- Refused means broken, cut, too large (over {formats.LIMIT // 1024 // 1024} MB unpacked),
  with a doctype, or not a telegram. Ignored means sound, of a kind that gives no events.
- An event is one phenomenon in one area. All areas of all layers are read; for a place the finest
  layer that speaks of it answers alone. If a telegram names municipalities and ours is not among
  them, what it says of the prefecture is not about us.
- A code that no table knows becomes the phenomenon `other` under its own name, with the severity
  that the name says (注意報, 警報, 危険警報, 特別警報).
- 発表 is `issued`, or `raised` where LastKind names a lower grade of the same phenomenon; 継続 is
  `continued`, "特別警報から警報" `lowered`, 解除 `cancelled` with the grade that ended.
- 取消 gives no events of its own: its identity says what is withdrawn.
- A river's municipalities come from its 浸水想定地区; the short form without them speaks of its
  prefectures.
- CAP: status System and Draft are tests; Update supersedes what it refers to; Error withdraws it;
  severity Unknown is `minor`; there is never a level. Info blocks in several languages are one
  alert. **Signatures are read past, not verified.**

## These give events

| kind | Control/Title | reader | states everything in force of | real files |
|---|---|---|---|---|
"""


def text(shared_data: Path) -> str:
    """The whole document, from the files as they are now."""
    read: dict[str, list[str]] = defaultdict(list)
    ignored: dict[str, list[str]] = defaultdict(list)
    refused: dict[str, list[str]] = defaultdict(list)
    for top in ("jma", "cap"):
        for file in sorted((shared_data / top).rglob("*")):
            if not file.is_file():
                continue
            name = file.relative_to(shared_data).as_posix()
            try:
                bulletin = formats.read(folder.read(file, limit=formats.LIMIT))
            except Ignored as reason:
                ignored[f"{reason.bulletin.kind}: {reason}"].append(name)
            except Refused as reason:
                refused[str(reason)].append(name)
            else:
                read[bulletin.kind].append(name)
    return HEAD + _kinds(read) + "\n" + _left("Ignored", ignored) + "\n" + _left("Refused", refused)


def _kinds(read: dict[str, list[str]]) -> str:
    rows = [
        f"| {kind.code} | {title} | {kind.family} "
        f"| {', '.join(sorted(kind.scope)) or '–'} | {len(read[kind.code])} |\n"
        for title, kind in codes.KINDS.items()
    ]
    cap = f"| {Format.CAP.upper()} | (CAP 1.0–1.2) | cap | – | {len(read['CAP'])} |\n"
    return "".join(rows) + cap


def _left(title: str, groups: dict[str, list[str]]) -> str:
    parts = [f"## {title}\n"]
    for reason, names in sorted(groups.items()):
        parts.append(f"\n**{reason}**\n\n" + "".join(f"- {name}\n" for name in names))
    return "".join(parts)


if __name__ == "__main__":
    DOC.write_text(text(ROOT.parent / "shared" / "data"), encoding="utf-8")
