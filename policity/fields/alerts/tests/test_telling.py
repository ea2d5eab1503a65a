"""The words of a message."""

from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.bulletin import CAP, Change, Phenomenon, Severity
from policity.fields.alerts.rules.telling import tell_texts
from policity.fields.alerts.rules.texts import shipped as texts
from policity.kit import ruby
from policity.kit.languages import LANGUAGES


def told(change=Change.ISSUED, withdrawal=False, level=3, name="レベル３大雨警報", kind="VPWW54"):
    return tell_texts(
        texts(),
        phenomenon=Phenomenon.HEAVY_RAIN,
        severity=Severity.MODERATE,
        level=level,
        change=change,
        name=name,
        kind=kind,
        withdrawal=withdrawal,
    )


def test_japanese_calls_it_what_the_office_calls_it():
    assert told()["ja"]["title"] == "レベル３大雨警報（警戒レベル3相当）：発表"
    assert "Heavy rain" in told()["en"]["title"]


def test_another_senders_message_has_none_of_jmas_names():
    titles = {code: text["title"] for code, text in told(name="Flash rain", kind=CAP).items()}
    assert titles["ja"] == "大雨（警戒）（警戒レベル3相当）：発表"
    assert "warning" not in titles["en"]
    assert "경보" not in titles["ko"]


def test_what_is_over_asks_for_nothing():
    for over in (told(Change.CANCELLED), told(withdrawal=True)):
        assert all(text["body"] == "" for text in over.values())
    assert told(withdrawal=True)["ja"]["title"].endswith("取り消し")
    assert told(Change.CANCELLED)["ja"]["title"].endswith("解除")


@given(
    st.sampled_from(list(Phenomenon)),
    st.sampled_from(list(Severity)),
    st.sampled_from([None, 2, 3, 4, 5]),
    st.sampled_from(list(Change)),
    st.booleans(),
)
def test_every_message_has_a_title_in_every_language(phenomenon, severity, level, change, back):
    found = tell_texts(
        texts(),
        phenomenon=phenomenon,
        severity=severity,
        level=level,
        change=change,
        name="名前",
        kind="VPWW54",
        withdrawal=back,
    )
    assert list(found) == [language.code for language in LANGUAGES]
    for text in found.values():
        assert ruby.plain(text["title"])
    assert ruby.readings_missing(found["ja-easy"]["title"]) == ()
