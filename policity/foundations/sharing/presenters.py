"""What a poster says, in the language of its page."""

from django.utils import translation
from django.utils.translation import gettext

from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.publishing.services import tree
from policity.foundations.sharing.formats import Poster, pdf, said
from policity.foundations.sharing.queries import LinkView
from policity.kit import ruby
from policity.kit.languages import split


def poster(link: LinkView) -> bytes | None:
    """The poster of a link as PDF; None where its page is not published any more."""
    body = tree.read(link.address)
    if body is None:
        return None
    page, (language, _) = said(body), split(link.address)
    with translation.override(language.code):
        how = ruby.plain(gettext("カメラで読みとるか、下のアドレスを開いてください。"))
    city = ruby.plain(places.city_name(places_queries.city(), language.code))
    return pdf(Poster(city, page.title, page.lead, link.url, link.words, how, language.html))
