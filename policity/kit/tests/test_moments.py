from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.kit import moments, ruby
from policity.kit.languages import LANGUAGES

EVENING = datetime(2026, 9, 18, 20, 40)  # noqa: DTZ001  # a moment as it is read


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ja", "9月18日(金) 20時40分"),
        (
            "ja-easy",
            "9{月|がつ}18{日|にち} {金曜日|きんようび} {午後|ごご} 8{時|じ}40{分|ぷん}",
        ),
        ("en", "Fri 18 Sep, 20:40"),
        ("zh-hans", "9月18日（周五） 20:40"),
        ("ko", "9월 18일(금) 20시 40분"),
    ],
)
def test_each_language_says_a_moment_its_own_way(code, said):
    assert moments.full(EVENING, code) == said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ja", "2026年9月18日(金) 20時40分"),
        ("en", "Fri 18 Sep 2026, 20:40"),
        ("ko", "2026년 9월 18일(금) 20시 40분"),
    ],
)
def test_what_may_be_long_ago_has_its_year(code, said):
    assert moments.dated(EVENING, code) == said


@given(st.datetimes())
def test_easy_japanese_reads_every_kanji_of_every_moment(at):
    assert ruby.readings_missing(moments.dated(at, "ja-easy")) == ()


@given(st.datetimes(), st.sampled_from([language.code for language in LANGUAGES]))
def test_a_moment_names_its_day(at, code):
    assert str(at.day) in ruby.plain(moments.date(at, code))


@pytest.mark.parametrize(
    ("day", "reading"), [(1, "ついたち"), (14, "じゅうよっか"), (20, "はつか"), (21, "にち")]
)
def test_days_with_a_reading_of_their_own(day, reading):
    assert f"|{reading}}}" in moments.date(EVENING.replace(day=day), "ja-easy")


@pytest.mark.parametrize(
    ("minute", "reading"), [(1, "ぷん"), (5, "ふん"), (10, "ぷん"), (59, "ふん")]
)
def test_minutes_change_their_sound(minute, reading):
    assert moments.clock(EVENING.replace(minute=minute), "ja-easy").endswith(f"|{reading}}}")


def test_a_full_hour_needs_no_minutes_in_easy_japanese():
    assert moments.clock(EVENING.replace(hour=0, minute=0), "ja-easy") == "{午前|ごぜん} 0{時|じ}"
