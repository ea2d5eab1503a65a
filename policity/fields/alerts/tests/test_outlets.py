"""What is told by hand fits where it is put."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.fields.alerts.rules.outlets import Outlet, fit, outlets

X = Outlet("x", "X", "", "x", 0, 280)
PLAIN = Outlet("a", "A", "", "characters", 15, 20)
LINES = st.lists(st.text(max_size=30), max_size=4)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("避難指示", 8),
        ("避難 https://city.example.jp/evacuation/123456789/", 2 * 2 + 1 + 23),
        ("é—…", 1 + 1 + 2),
        ("🏠", 2),
    ],
)
def test_x_counts_as_x_does(text, length):
    assert X.length(text) == length


@given(st.sampled_from([X, PLAIN]), st.lists(st.text(max_size=30), min_size=1), st.lists(LINES))
def test_what_fits_fits_and_is_whole(outlet, titles, bodies):
    found = fit(outlet, titles, bodies)
    if found is None:
        return
    assert outlet.length(found.title) <= outlet.title
    assert found.length == outlet.length(found.body) <= outlet.body
    lead = [] if outlet.title else titles[:1]
    assert found.body in ["\n".join(line for line in [*lead, *lines] if line) for lines in bodies]


def test_the_fullest_that_fits_is_taken():
    found = fit(
        PLAIN, ["避難指示（警戒レベル4、全員避難）", "避難指示"], [["あ" * 21], ["い" * 20], ["う"]]
    )
    assert (found.title, found.body) == ("避難指示", "い" * 20)


def test_nothing_is_cut_to_fit():
    assert fit(PLAIN, ["題" * 16], [["あ"]]) is None
    assert fit(PLAIN, ["題"], [["あ" * 21]]) is None


def test_every_outlet_says_how():
    assert [one.code for one in outlets()] == ["area-mail", "l-alert", "x"]
    assert all(one.how and one.body for one in outlets())
