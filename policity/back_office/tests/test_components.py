"""The page of components: for all staff, in five languages, with what is really used."""

import re
from pathlib import Path

import pytest

import policity
from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import Role
from policity.kit.languages import LANGUAGES

pytestmark = pytest.mark.django_db

STYLES = Path(policity.__path__[0]) / "design" / "static" / "design"
# Style sheets that the page does not use: what they draw is another page altogether.
OTHERS = {
    "staff.css": "the back office, which this page is not drawn with",
    "records.css": "the back office's records",
    "error.css": "a page in five languages, drawn as a whole",
    "paper.css": "a sheet of A4",
    "tokens.css": "colours and sizes, no component",
}
# Classes without a specimen, and why.
WITHOUT = {
    "page": "the frame of a page that is read",
    "page__all": "the same, as wide as the screen",
    "because": "two sections side by side, as .halves",
    "dim-art": "the front page's picture, which fills a screen",
    "scene": "the front page's picture",
    "scene__art": "the front page's picture",
    "scene__back": "the front page's picture",
    "scene__in": "the front page's picture",
    "state__since": "drawn by state.js",
    "moving__name": "drawn by map.js, once the map is opened",
    "moving__zoom": "drawn by map.js, once the map is opened",
    "reading": "hidden where early.js does not run, as in the back office",
    "reading__said": "hidden where early.js does not run",
    "report": "a report that goes to print",
    "report__contents": "a report that goes to print",
    "report__cover": "a report that goes to print",
    "report__sheet": "a report that goes to print",
    "report__ways": "a report that goes to print",
}


@pytest.mark.parametrize("role", Role)
def test_all_staff_see_it_but_experts_from_outside(client, role):
    client.force_login(create(role, "asker"))
    seen = client.get("/staff/components/").status_code
    assert seen == (403 if role is Role.ASSESSOR else 200)


def test_a_stranger_does_not(client):
    assert client.get("/staff/components/").status_code == 302


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_shown_in_each_language(client, language):
    client.force_login(create(Role.VIEWER, "asker"))
    said = client.get(f"/staff/components/?language={language.code}").content.decode()
    assert f'<html lang="{language.html}">' in said
    assert said.count('class="lv lv--') == 5 + 1 + 3 + 6 + 3 + 1
    assert ('<body class="easy">' in said) == (language.code == "ja-easy")
    assert "TemplateDoesNotExist" not in said


def test_another_language_is_japanese(client):
    client.force_login(create(Role.VIEWER, "asker"))
    assert '<html lang="ja">' in client.get("/staff/components/?language=xx").content.decode()


def classes(sheet: Path) -> set[str]:
    """What a style sheet has rules for."""
    css = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    return set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"{[^{}]*}", "{}", css)))


def test_what_residents_pages_are_drawn_with_has_a_specimen(client):
    client.force_login(create(Role.VIEWER, "asker"))
    said = "".join(
        client.get(f"/staff/components/?language={code}").content.decode()
        for code in ("ja", "ja-easy")
    )
    shown = {name for names in re.findall(r' class="([^"]*)"', said) for name in names.split()}
    sheets = {sheet.name: classes(sheet) for sheet in STYLES.glob("*.css")}
    assert sheets.keys() >= OTHERS.keys()
    drawn = set[str]().union(*(found for name, found in sheets.items() if name not in OTHERS))
    assert sorted(drawn - shown - WITHOUT.keys()) == [], "show it on the page of components"
    assert sorted(WITHOUT.keys() & shown) == [], "it has a specimen now"
    assert sorted(WITHOUT.keys() - drawn) == [], "no style sheet has it any more"
