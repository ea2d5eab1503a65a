"""What our templates say and draw: texts with readings, moments, levels, icons, assets."""

import re
import tomllib
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from policity.design import assets
from policity.kit import moments, ruby
from policity.kit.furigana import furigana
from policity.kit.languages import LANGUAGES, Language

register = template.Library()

# Stands between the phrases of a text: a line may end there, not elsewhere.
BREAK = "¦"
# A word longer than this may have to break on a narrow screen.
LONGEST_WORD = 10
_FORMS = {"full": moments.full, "dated": moments.dated, "day": moments.day}


@register.simple_tag
def say(text: str, **values: Any) -> SafeString:
    """A text of ours in the page's language, with readings: {% say "%(n)s か所" n=3 %}."""
    return said(gettext(text) % values) if values else _ours(text, get_language() or "ja")


@cache
def _ours(text: str, _language: str) -> SafeString:
    """A text that stands in a template: the same on every page of a language."""
    return said(gettext(text))


@register.simple_tag
def say_plain(text: str, **values: Any) -> str:
    """The same without readings, for attributes and titles."""
    return plainly(gettext(text) % values if values else gettext(text))


@register.filter
def said(text: str) -> SafeString:
    """A text from data, with readings and phrases. Escaped.

    A text with readings has spaces between its words: lines end there, never beside a reading.
    """
    if "{" in text:
        return mark_safe(" ".join(map(_word, text.split(" "))))  # noqa: S308  # _word escapes
    phrases = text.split(BREAK)
    if len(phrases) == 1:
        return _html(text)
    return format_html_join("", '<span class="ph">{}</span>', ((_html(p),) for p in phrases))


def _word(word: str) -> str:
    keep = "{" in word and len(ruby.plain(word)) <= LONGEST_WORD
    return f'<span class="w">{ruby.html(word)}</span>' if keep else ruby.html(word)


def _html(text: str) -> SafeString:
    return mark_safe(ruby.html(text))  # noqa: S308  # ruby.html escapes


@register.filter
def plainly(text: str) -> str:
    """A text from data without readings and phrase marks."""
    return ruby.plain(text.replace(BREAK, ""))


@register.filter
def foreign(text: str) -> str:
    """A text that somebody typed, for what reads markup: {% share_card name|foreign %}."""
    return ruby.foreign(text)


@register.filter
def typed(text: str) -> SafeString:
    """A Japanese text that somebody typed; in やさしい日本語 with readings from the dictionary."""
    text = foreign(text)
    return said(furigana(text, {}) if get_language() == "ja-easy" else text)


@register.filter
def phrased(text: str) -> SafeString:
    """A text from data whose sentences, in Japanese, rather begin on a line of their own."""
    if get_language() != "ja":
        return said(text)
    return said(re.sub(r"(。)(?=[^」）\n])", rf"\1{BREAK}", text))


@register.filter
def glossed(text: str) -> SafeString:
    """A name from data whose explanation in brackets, 大雨警報（雨で危ない）, stands below it."""
    found = re.fullmatch(r"(.+)（(.+)）", text)
    if not found or get_language() != "ja-easy":
        return said(text)
    return format_html('{} <span class="gloss">{}</span>', said(found[1]), said(found[2]))


@register.simple_tag
def when(at: datetime, form: str = "full") -> SafeString:
    """A moment in the city's time: {% when event.started_at %}, {% when at "dated" %}."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat(timespec="minutes"),
        said(_FORMS[form](local, get_language() or "ja")),
    )


# Stands for a page's address in what is drawn once: no text holds it.
_REST = "\ufdd0"


@register.simple_tag(takes_context=True)
def still(context: Context, template: str, **values: Any) -> SafeString:
    """An include that is drawn once for all pages of a language: {% still "design/foot.html" %}.

    It may tell what is named here, the city's name, and `rest` as part of an address, nothing else:
    what asks which page this is, is included.
    """
    language, city_name = context["language"], context.get("city_name", "")
    drawn = _still(template, language, city_name, tuple(values.items()))
    return mark_safe(drawn.replace(_REST, escape(context["rest"])))  # noqa: S308  # a template's


@lru_cache(256)
def _still(template: str, language: Language, city_name: str, values: tuple[Any, ...]) -> str:
    told = {"language": language, "languages": LANGUAGES, "city_name": city_name, "rest": _REST}
    return render_to_string(template, told | dict(values))


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A pictogram. It stands beside words, so readers of the page's text skip it."""
    return format_html(
        '<svg class="i" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(icons()[name]),  # noqa: S308  # our own file
    )


@cache
def icons() -> dict[str, str]:
    """Every pictogram by name."""
    return tomllib.loads((files("policity.design") / "icons.toml").read_text("utf-8"))


@register.simple_tag
def ladder(level: int) -> SafeString:
    """Five rising steps, as many filled as the level."""
    steps = (("on" if n < level else "off", f"{1 + 10.4 * n:.1f}", 25 - 6 * n, 6 + 6 * n)
             for n in range(5))  # fmt: skip
    return format_html(
        '<svg class="ladder" viewBox="0 0 52 32" aria-hidden="true" focusable="false">{}</svg>',
        format_html_join("", '<path class="{}" d="M{} {}h8v{}h-8z"/>', steps),
    )


@register.inclusion_tag("design/level.html")
def level_mark(level: int | None, name: str = "") -> dict[str, Any]:
    """A level by colour, number, shape and word; without a level, the word alone."""
    return {"level": level, "name": name}


@register.inclusion_tag("design/order_mark.html")
def order_mark(level: int) -> dict[str, Any]:
    """A level that the city itself has issued, 3 to 5: it is the level, not an equivalent."""
    return {"level": level}


@register.simple_tag
def inline_css(parts: str) -> SafeString:
    """Style sheets inside the page: {% inline_css "tokens base urgent" %}."""
    return mark_safe(assets.inline(parts))  # noqa: S308  # our own files


@register.simple_tag
def early_script() -> SafeString:
    """The script inside the page that runs before anything is drawn: {% early_script %}."""
    return mark_safe(assets.early())  # noqa: S308  # our own file


@register.simple_tag
def asset(name: str) -> str:
    """The published address of an asset: {% asset "app.css" %}."""
    return assets.address(name)
