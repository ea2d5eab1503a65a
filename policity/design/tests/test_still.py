"""What is drawn once for all pages of a language is as if it were drawn on each."""

import pytest
from django.template import Context
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString

from policity.design.templatetags.policity import still
from policity.kit.languages import LANGUAGES, Language

RESTS = ("", "alerts/", 'a"><script>/')


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("design/languages.html", {}),
        ("design/state.html", {}),
        ("design/foot.html", {"live": ""}),
        ("design/foot.html", {"live": True}),
    ],
)
def test_it_says_of_each_page_what_an_include_would(
    language: Language, template: str, told: dict[str, object]
):
    for city in ("見本市", "{別|べつ}の市"):
        for rest in RESTS:
            context: dict[str, object] = {
                "language": language,
                "languages": LANGUAGES,
                "city_name": city,
                "rest": rest,
            }
            with translation.override(language.code):
                once: SafeString = still(Context(context), template, **told)
                assert once == render_to_string(template, context | told)
