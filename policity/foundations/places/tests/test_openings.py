"""Staff say how a site stands; what others have said meanwhile is never overwritten."""

from datetime import timedelta

import pytest

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.places import declarations, queries
from policity.foundations.places.models import City, Opening, Site
from policity.foundations.places.rules.openings import Openness
from policity.foundations.places.services import (
    ChangedMeanwhile,
    OpeningRefused,
    close_all,
    edit_site,
    set_opening,
    take_back,
)
from policity.foundations.places.tests.conftest import NOW

LATER = NOW + timedelta(minutes=7)
OPEN, CROWDED, FULL, CLOSED = Openness.OPEN, Openness.CROWDED, Openness.FULL, Openness.CLOSED


def person(username, name) -> User:
    return create_staff(
        username=username, password="correct-horse-battery", display_name=name,
        roles=[Role.SITE_STAFF], starts=NOW.date(),
    )  # fmt: skip


@pytest.fixture
def anna(here):
    return person("anna", "見本 アンナ")


@pytest.fixture
def ben(here):
    return person("ben", "見本 ベン")


@pytest.fixture
def school(here):
    return Site.objects.get(source_id="E1322900002201").pk


def say(site, state, by, *, seen, evacuees=None, note="", now=NOW) -> Opening:
    return set_opening(
        site=site, state=state, evacuees=evacuees, note=note, by=by, now=now, seen=seen
    )


def stands(site):
    found = queries.openings().get(site)
    return found and (found.state, found.before, found.evacuees, found.note, found.by)


def test_a_site_nobody_opened_is_not_among_the_openings(school):
    assert queries.openings() == {}


def test_the_newest_is_how_it_stands_and_all_stays_on_record(school, anna, ben):
    first = say(school, OPEN, anna, seen=0)
    assert stands(school) == (OPEN, Openness.UNOPENED, None, "", "見本 アンナ")
    say(school, FULL, ben, seen=first.pk, evacuees=350, note=" 体育館だけ ", now=LATER)
    assert stands(school) == (FULL, OPEN, 350, "体育館だけ", "見本 ベン")
    assert Opening.objects.count() == 2
    assert queries.openings()[school].at == LATER


def test_pages_that_name_sites_are_rendered_again_in_the_same_transaction(school, anna, stale):
    row = say(school, OPEN, anna, seen=0)
    wanted = {declarations.SITES, f"places:site:{school}"}
    take_back(opening=row.pk, by=anna, now=NOW)
    assert stale == [wanted, wanted]


def test_a_second_tap_is_no_change(school, anna, stale):
    first = say(school, OPEN, anna, seen=0)
    again = say(school, OPEN, anna, seen=0)
    assert (again.pk, len(stale), Opening.objects.count()) == (first.pk, 1, 1)


def test_nobody_is_counted_in_a_site_that_is_shut(school, anna):
    first = say(school, OPEN, anna, seen=0, evacuees=84)
    say(school, CLOSED, anna, seen=first.pk, evacuees=84)
    assert stands(school) == (CLOSED, OPEN, None, "", "見本 アンナ")


def test_what_somebody_else_said_meanwhile_is_not_overwritten(school, anna, ben, stale):
    first = say(school, OPEN, anna, seen=0)
    say(school, FULL, ben, seen=first.pk, evacuees=350)
    with pytest.raises(ChangedMeanwhile) as refused:
        say(school, CLOSED, anna, seen=first.pk, now=LATER)
    for word in ("見本 ベンさん", "18時00分", "満員", "350人", "記録していません"):
        assert word in str(refused.value)
    assert stands(school)[0] is FULL
    assert len(stale) == 2
    # Who opens a site that a colleague has just opened with a number of people sees it first.
    with pytest.raises(ChangedMeanwhile):
        say(school, OPEN, anna, seen=0)


def test_ones_own_other_page_is_named_so(school, anna):
    first = say(school, OPEN, anna, seen=0)
    say(school, FULL, anna, seen=first.pk)
    with pytest.raises(ChangedMeanwhile, match=r"^先に、あなたが"):
        say(school, CROWDED, anna, seen=first.pk)


@pytest.mark.parametrize("how", ["gone", "elsewhere", "unknown"])
def test_only_the_citys_own_sites_are_opened(school, anna, stale, how):
    if how == "gone":
        Site.objects.filter(pk=school).update(closed_at=NOW)
    elif how == "elsewhere":
        City.objects.update(is_here=False)
    with pytest.raises(OpeningRefused, match="一覧にありません"):
        say(school if how != "unknown" else 0, OPEN, anna, seen=0)
    assert (stale, Opening.objects.count()) == ([], 0)


@pytest.mark.parametrize("wrong", [{"evacuees": -1}, {"evacuees": 20_001}, {"note": "x" * 101}])
def test_what_cannot_be_is_refused(school, anna, stale, wrong):
    with pytest.raises(OpeningRefused):
        say(school, OPEN, anna, seen=0, **wrong)
    assert (stale, Opening.objects.count()) == ([], 0)


def test_taking_back_makes_it_stand_as_before(school, anna, ben):
    first = say(school, CROWDED, anna, seen=0, evacuees=84, note="北門から")
    second = say(school, CLOSED, anna, seen=first.pk, now=LATER)
    take_back(opening=second.pk, by=ben, now=LATER)
    assert stands(school) == (CROWDED, CLOSED, 84, "北門から", "見本 ベン")
    assert Opening.objects.count() == 3


def test_the_first_opening_of_a_site_can_be_taken_back(school, anna):
    take_back(opening=say(school, OPEN, anna, seen=0).pk, by=anna, now=NOW)
    assert stands(school)[0] is Openness.UNOPENED


def test_only_the_newest_is_taken_back(school, anna, ben):
    first = say(school, OPEN, anna, seen=0)
    say(school, FULL, ben, seen=first.pk)
    with pytest.raises(ChangedMeanwhile):
        take_back(opening=first.pk, by=anna, now=LATER)
    with pytest.raises(OpeningRefused):
        take_back(opening=0, by=anna, now=LATER)
    assert stands(school)[0] is FULL


def test_all_are_closed_that_were_listed(here, anna, stale):
    pks = list(Site.objects.values_list("pk", flat=True)[:4])
    seen = {pk: say(pk, state, anna, seen=0).pk for pk, state in zip(
        pks, (OPEN, CROWDED, FULL, CLOSED), strict=True)}  # fmt: skip
    seen.pop(pks[3])
    stale.clear()
    assert close_all(seen=seen, by=anna, now=LATER) == 3
    assert stale == [{declarations.SITES, *(f"places:site:{pk}" for pk in pks[:3])}]
    assert {one.state for one in queries.openings().values()} == {CLOSED}


@pytest.mark.parametrize("meanwhile", ["changed", "opened", "closed"])
def test_none_is_closed_when_the_list_is_no_longer_true(here, anna, ben, meanwhile):
    one, two, three = Site.objects.values_list("pk", flat=True)[:3]
    seen = {pk: say(pk, OPEN, anna, seen=0).pk for pk in (one, two)}
    if meanwhile == "changed":
        say(two, FULL, ben, seen=seen[two])
    elif meanwhile == "opened":
        say(three, OPEN, ben, seen=0)
    else:
        say(two, CLOSED, ben, seen=seen[two])
    before = Opening.objects.count()
    with pytest.raises(ChangedMeanwhile, match="閉じていません"):
        close_all(seen=seen, by=anna, now=LATER)
    assert Opening.objects.count() == before


def test_where_none_is_open_closing_all_is_nothing(here, anna, stale):
    assert close_all(seen={}, by=anna, now=NOW) == 0
    assert stale == []


@pytest.mark.parametrize("count", [1, 50])
def test_openings_take_one_query(here, anna, count, django_assert_num_queries):
    for pk in Site.objects.values_list("pk", flat=True)[:count]:
        say(pk, FULL, anna, seen=say(pk, OPEN, anna, seen=0).pk)
    with django_assert_num_queries(1):
        assert len(queries.openings()) == count
    with django_assert_num_queries(1):
        assert len(queries.openings_log(NOW)) == 2 * count


def test_a_site_that_is_gone_is_no_longer_open(school, anna):
    say(school, OPEN, anna, seen=0)
    Site.objects.filter(pk=school).update(closed_at=NOW)
    assert queries.openings() == {}
    # What was done to it is still told.
    assert len(queries.openings_log(NOW)) == 1


def test_the_chronology_has_who_set_what_in_order(school, anna, ben):
    first = say(school, OPEN, anna, seen=0)
    second = say(school, OPEN, anna, seen=first.pk, evacuees=12, now=NOW + timedelta(minutes=1))
    say(school, CLOSED, ben, seen=second.pk, now=LATER)
    lines = queries.openings_log(NOW + timedelta(seconds=1))
    assert [(x.by, x.site, x.state_from, x.state_to, x.evacuees) for x in lines] == [
        ("見本 アンナ", "中原小学校", OPEN, OPEN, 12),
        ("見本 ベン", "中原小学校", OPEN, CLOSED, None),
    ]
    assert queries.openings_log(LATER + timedelta(seconds=1)) == ()


def test_editing_a_master_record_opens_nothing(school, anna):
    say(school, OPEN, anna, seen=0)
    before = queries.openings()
    edit_site(school, by=anna, now=LATER, name="新しい名前", hazards=["earthquake"])
    edit_site(school, by=anna, now=LATER, address="西東京市泉町三丁目６－８")
    assert queries.openings() == before
    assert Opening.objects.count() == 1
