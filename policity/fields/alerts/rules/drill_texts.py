"""What may be said in a drill to real people, in every language. The words: `facts/drills.toml`.

None of them bears a mark: whoever sends it puts the mark before it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from policity.kit.languages import LANGUAGES


@dataclass(frozen=True, slots=True)
class DrillText:
    """One drill as staff choose it: title and body by language. `checked_by`: empty for nobody."""

    code: str
    name: str
    checked_by: str
    texts: Mapping[str, Mapping[str, str]]


@cache
def drill_texts() -> Mapping[str, DrillText]:
    """Every text that there is, by its code. Raises KeyError where a language is missing."""
    file = files("policity.fields.alerts") / "facts" / "drills.toml"
    return {
        code: DrillText(
            code,
            words["name"],
            words["checked_by"],
            {one.code: dict(words[one.code]) for one in LANGUAGES},
        )
        for code, words in tomllib.loads(file.read_text("utf-8")).items()
    }
