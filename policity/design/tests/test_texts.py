"""Every word of the pages' frame exists in every language."""

import re
from pathlib import Path

import polib
import pytest

import policity
from policity.kit import ruby

ROOT = Path(policity.__path__[0])
LOCALES = ROOT / "design" / "locale"
# Staff read Japanese: the back office has no catalogue.
ROOMS = ("design", "public_site", "fields", "foundations")
SAID = re.compile(r"""\{% say(?:_plain)? "([^"]+)\"""")
MARKED = re.compile(r"""gettext(?:_noop)?\(\s*["']([^"']+)["']\s*\)""")
VALUE = re.compile(r"%\(\w+\)s")


def said() -> set[str]:
    found = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.html"):
            found |= set(SAID.findall(file.read_text("utf-8")))
        for file in (ROOT / room).rglob("*.py"):
            if "tests" not in file.parts:
                found |= set(MARKED.findall(file.read_text("utf-8")))
    assert found
    return found


@pytest.mark.parametrize("locale", ["ja_Easy", "en", "zh_Hans", "ko"])
def test_every_text_is_translated_and_none_is_idle(locale):
    entries = polib.pofile(str(LOCALES / locale / "LC_MESSAGES" / "django.po"))
    translated = {e.msgid for e in entries if e.msgstr and not e.fuzzy and not e.obsolete}
    assert translated == said()


@pytest.mark.parametrize("locale", ["ja_Easy", "en", "zh_Hans", "ko"])
def test_translations_keep_the_values(locale):
    for entry in polib.pofile(str(LOCALES / locale / "LC_MESSAGES" / "django.po")):
        assert set(VALUE.findall(entry.msgstr)) == set(VALUE.findall(entry.msgid)), entry.msgid


def test_easy_japanese_reads_every_kanji():
    for entry in polib.pofile(str(LOCALES / "ja_Easy" / "LC_MESSAGES" / "django.po")):
        assert ruby.readings_missing(entry.msgstr) == (), entry.msgid


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_no_japanese_is_left_in_other_languages(locale):
    for entry in polib.pofile(str(LOCALES / locale / "LC_MESSAGES" / "django.po")):
        assert not re.search(r"[ぁ-んァ-ヶ一-鿿]", entry.msgstr), entry.msgstr
