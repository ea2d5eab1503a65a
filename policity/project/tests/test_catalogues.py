"""Catalogues are built once, from what translators write, without what they are unsure of."""

import gettext
import os
from pathlib import Path

from policity.project import catalogues

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8"

msgid "避難所"
msgstr "Shelters"

#, fuzzy
msgid "川"
msgstr "Road"
"""


def test_a_catalogue_is_built_when_it_is_older_than_its_source(tmp_path: Path) -> None:
    source = tmp_path / "en" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO)
    target = source.with_suffix(".mo")

    assert catalogues.build(tmp_path) == [target]
    assert catalogues.build(tmp_path) == []
    os.utime(target, (0, 0))
    assert catalogues.build(tmp_path) == [target]

    with target.open("rb") as file:
        built = gettext.GNUTranslations(file)
    assert built.gettext("避難所") == "Shelters"
    assert built.gettext("川") == "川"
