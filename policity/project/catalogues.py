"""Builds the message catalogues (.mo) from the translators' files (.po), where they are newer."""

from pathlib import Path

import polib

LOCALES = Path(__file__).parent.parent / "design" / "locale"


def build(locales: Path = LOCALES) -> list[Path]:
    """Writes each outdated catalogue and gives the files written. Fuzzy entries are left out."""
    written = []
    for source in sorted(locales.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        part = target.with_suffix(".part")
        polib.pofile(str(source)).save_as_mofile(str(part))
        part.rename(target)
        written.append(target)
    return written


if __name__ == "__main__":
    build()
