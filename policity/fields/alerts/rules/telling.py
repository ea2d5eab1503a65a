"""The words of a message: what changed, in every language."""

from collections.abc import Mapping

from policity.fields.alerts.rules.bulletin import Change, Phenomenon, Severity
from policity.fields.alerts.rules.texts import Texts
from policity.kit.languages import LANGUAGES

# Which languages write brackets and colons in full width.
_WIDE = frozenset({"ja", "ja-easy", "zh-hans"})


def tell_texts(
    texts: Texts,
    *,
    phenomenon: Phenomenon,
    severity: Severity,
    level: int | None,
    change: Change,
    name: str,
    kind: str,
    withdrawal: bool,
) -> Mapping[str, Mapping[str, str]]:
    """Title and body of a message by language code; ja-easy with readings.

    "大雨警報（警戒レベル3相当）：発表". `name` is what the office calls it, `kind` the telegram's.
    What ended is named as it was; its body is empty, since there is nothing left to do.
    """
    word = "withdrawn" if withdrawal else change.value
    found = {}
    for language in LANGUAGES:
        code = language.code
        said = texts.say(code, phenomenon, severity, level)
        title = texts.called(code, phenomenon, severity, told=name, kind=kind)
        if level is not None:
            meaning = texts.level_name(code, level)
            title += f"（{meaning}）" if code in _WIDE else f" ({meaning})"
        colon = "：" if code in _WIDE else ": "
        over = withdrawal or change is Change.CANCELLED
        found[code] = {
            "title": f"{title}{colon}{texts.change_name(code, word)}",
            "body": "" if over else said.headline,
        }
    return found
