"""How a drill is marked, in every channel and language: all marks are made here.

`titled` and `told` change nothing in a home that is no drill's, unless a message is a drill in
itself (`always`); what is marked already stays as it is. `marked` is for those who have asked.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.conf import settings

from policity.design import assets
from policity.kit import ruby
from policity.kit.languages import LANGUAGES

_JA = LANGUAGES[0].code
_STRIP = '<aside class="drill"'
# Pages without a body element of their own begin with their main part.
_BEGINNING = re.compile(r"<body\b[^>]*>|(?=<main\b)")
_HEADING = re.compile(r"<h1\b[^>]*>")
_LANGUAGE = re.compile(r'<html\b[^>]*\blang="([^"]+)"')
_EASY = re.compile(r'<body\b[^>]*\bclass="[^"]*\beasy\b')


@dataclass(frozen=True, slots=True)
class Mark:
    """The words of one language, with readings as markup."""

    word: str
    prefix: str
    sentence: str


def mark(code: str) -> Mark:
    """How a language marks a drill."""
    return _marks()[code]


def titled(text: str, code: str, *, always: bool = False) -> str:
    """A title or subject, marked in a drill's home."""
    if not (always or settings.DRILL):
        return text
    return mark(code).prefix + text.removeprefix(mark(code).prefix)


def untitled(text: str, code: str) -> str:
    """A title without its mark, for what puts something else before it and marks the whole."""
    return text.removeprefix(mark(code).prefix)


def told(text: str, code: str, *, joint: str = "\n", always: bool = False) -> str:
    """What is told, with the sentence before it in a drill's home."""
    sentence = mark(code).sentence
    if not (always or settings.DRILL) or text.startswith(sentence):
        return text
    return joint.join(filter(None, (sentence, text)))


def marked(html: str) -> str:
    """A whole page with the strip as its first element and the word before its titles.

    A page that is marked already stays as it is.
    """
    if _STRIP in html:
        return html
    mark = _marks()[_code(html)]
    strip = (
        f'{_STRIP} aria-label="{ruby.plain(mark.word)}"><b lang="ja">{_marks()[_JA].word}</b>'
        f"<span>{ruby.html(mark.sentence)}</span></aside>"
    )
    style = f"<style>{assets.inline('drill')}</style>"
    word = f'<span class="drill-word">{ruby.html(mark.word)}</span>'
    html = html.replace("<title>", f"{style}<title>{ruby.plain(mark.prefix)}", 1)
    html = _BEGINNING.sub(lambda found: found[0] + strip, html, count=1)
    return _HEADING.sub(lambda found: found[0] + word, html)


def _code(html: str) -> str:
    if _EASY.search(html):
        return "ja-easy"
    found = _LANGUAGE.search(html)
    said = found[1] if found else _JA
    return next((one.code for one in LANGUAGES if one.html == said), _JA)


@cache
def _marks() -> dict[str, Mark]:
    data = tomllib.loads((files("policity.design") / "drill.toml").read_text("utf-8"))
    return {one.code: Mark(**data[one.code]) for one in LANGUAGES}
