"""A template and what it tells become the bytes of a page, in one language."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from policity.design import drills
from policity.kit.languages import LANGUAGES, Language


def page(template: str, language: Language, rest: str, context: Mapping[str, Any]) -> bytes:
    """Render a template that extends one of ours.

    `rest` is the address without its language ("alerts/"). The context holds `city_name` (with
    readings in やさしい日本語) besides what the template wants.
    """
    with translation.override(language.code):
        html = render_to_string(
            template,
            {**context, "language": language, "rest": rest, "languages": LANGUAGES},
        )
    squeezed = re.sub(r"\s*\n\s*", "\n", html)
    return (drills.marked(squeezed) if settings.DRILL else squeezed).encode()
