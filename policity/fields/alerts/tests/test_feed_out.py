"""The Atom feed that residents' readers ask for."""

from policity.fields.alerts.presenters.feed import feed
from policity.kit.languages import LANGUAGES


def test_a_feed_names_the_address_residents_use(settings):
    settings.PUBLIC_URL = "https://city.example"
    settings.WAGTAILADMIN_BASE_URL = "https://staff.example"
    for language in LANGUAGES:
        written = feed([], language, city_name="市").decode()
        assert f"https://city.example{language.prefix}alerts/feed.atom" in written
        assert "staff.example" not in written
