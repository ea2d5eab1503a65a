"""What the kinds are called, and each option of theirs, in every language. Pure.

The words are data (`facts/texts.toml`); やさしい日本語 carries readings (`kit.ruby`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policity.foundations.residents.rules import choices
from policity.kit.severity import Severity

NOTHING = "none"
"""The option of hearing nothing of a kind; the others are severities."""


@dataclass(frozen=True, slots=True)
class KindText:
    """A kind in one language: its name, and each option, the widest first, `NOTHING` last.

    What has no degrees has one option besides that.
    """

    code: str
    name: str
    options: Mapping[str, str]

    def option(self, least: Severity | None) -> str:
        """What is heard of it, from a severity up; None is nothing."""
        return self.options[least.value if least else NOTHING]


@cache
def kind_texts(language: str) -> tuple[KindText, ...]:
    """Every kind that can be chosen and has words, in the order in which it is offered."""
    words = _read()
    return tuple(
        KindText(
            code,
            words[code]["name"][language],
            {one.value: words[code][one.value][language] for one in _degrees(kind)}
            | {NOTHING: words[NOTHING][language]},
        )
        for code, kind in choices.kinds().items()
        if code in words
    )


def _degrees(kind: choices.Kind) -> tuple[Severity, ...]:
    return tuple(Severity) if kind.degrees else (Severity.MINOR,)


@cache
def _read() -> Mapping[str, Any]:
    file = files("policity.foundations.residents") / "facts" / "texts.toml"
    return tomllib.loads(file.read_text("utf-8"))
