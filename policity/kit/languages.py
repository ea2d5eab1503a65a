"""The five languages of every published page, in the order in which readers are offered them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the public site.

    `code` is Django's and our data's key, `prefix` the first part of its addresses, `html` the
    value of the lang attribute (BCP 47), `name` what its readers call it.
    """

    code: str
    prefix: str
    html: str
    name: str


LANGUAGES = (
    Language("ja", "/", "ja", "日本語"),
    Language("ja-easy", "/easy/", "ja", "やさしい日本語"),
    Language("en", "/en/", "en", "English"),
    Language("zh-hans", "/zh-hans/", "zh-Hans", "中文"),
    Language("ko", "/ko/", "ko", "한국어"),
)

BY_CODE = {language.code: language for language in LANGUAGES}


def split(address: str) -> tuple[Language, str]:
    """The language of a published address, and the rest of it without a leading slash.

    "/en/alerts/" → (English, "alerts/"); "/alerts/" → (Japanese, "alerts/").
    """
    for language in LANGUAGES[1:]:
        if address.startswith(language.prefix):
            return language, address[len(language.prefix) :]
    return LANGUAGES[0], address.removeprefix("/")
