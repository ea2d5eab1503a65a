"""The page of drills: who may, what is refused in which words, what a drill came to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.test import Client

from policity.back_office.presenters.drills import outcome, seconds
from policity.back_office.services import Course, Drill, DrillRefused, begin_drill, stop_drill
from policity.back_office.tests.test_access import staff
from policity.foundations.accounts.models import Role, User

pytestmark = pytest.mark.usefixtures("city")

NOW = datetime(2026, 11, 25, 11, 30, tzinfo=UTC)
CREW = {Role.COMMANDER, Role.DUTY_OFFICER}
RESULT = {
    "targets": 2000,
    "states": {
        "unreachable": 167, "withdrawn": 0, "failed": 0, "queued": 0, "handed": 917,
        "delivered": 0, "seen": 0, "confirmed": 916,
    },
    "approve_s": 3.084,
    "first_handover_s": 0.41,
    "last_handover_s": 125.2,
    "unreached": [
        {"town": "泉町三丁目", "targets": 30, "unreached": 160, "reasons": {"unreachable": 160}},
        {"town": "", "targets": 9, "unreached": 7, "reasons": {"unreachable": 5, "withdrawn": 2}},
    ],
    "reasons": {"unreachable": 167},
    "answers": {"safe": 880, "help": 36},
    "messages": 6,
    "mails": 9000,
}  # fmt: skip
DONE = Drill(
    name="20261125-203000-heavy-rain", title="大雨", people=2000, at=NOW, by="見本 当直",
    course=Course.FINISHED, stopped_at=None, stopped_by="", result=RESULT,
    progress=("20:30:01 見本の市民2000人を作りました", "20:31:12 訓練は終わりました"),
)  # fmt: skip
RUNS = replace(DONE, course=Course.RUNNING, result=None)
STOPPED = replace(
    RUNS, course=Course.STOPPED, stopped_at=NOW, stopped_by="見本 本部長",
    progress=("20:30:09 見本 本部長が、訓練を止めました。",),
)  # fmt: skip


class Practice:
    """Where nothing is run."""

    most, people = 20_000, 2000
    found: tuple[Drill, ...] = ()
    asked: list[object] = []  # noqa: RUF012  # emptied by the fixture
    refuses = ""

    def titles(self):
        return {"heavy-rain": "大雨"}

    def drills(self):
        return self.found

    def begin(self, *, scenario, people, by, now):
        if self.refuses:
            raise DrillRefused(self.refuses)
        self.asked.append((scenario, people, by))
        return DONE.name

    def stop(self, name, *, by, now):
        if self.refuses:
            raise DrillRefused(self.refuses)
        self.asked.append((name, by))


@pytest.fixture
def practice(settings, monkeypatch) -> type[Practice]:
    settings.DRILLS = f"{__name__}.Practice"
    monkeypatch.setattr(Practice, "found", ())
    monkeypatch.setattr(Practice, "asked", [])
    monkeypatch.setattr(Practice, "refuses", "")
    return Practice


@pytest.fixture
def officer(client: Client) -> User:
    user = staff(Role.DUTY_OFFICER)
    client.force_login(user)
    return user


ADDRESSES = [
    ("get", "/staff/drills/", 200),
    ("post", "/staff/drills/", 302),
    ("get", f"/staff/drills/{DONE.name}/", 200),
    ("post", f"/staff/drills/{DONE.name}/stop/", 302),
]
FORM = {"scenario": "heavy-rain", "people": "60"}


@pytest.mark.parametrize(("method", "address", "status"), ADDRESSES)
@pytest.mark.parametrize("role", Role)
def test_who_may(client, practice, role, method, address, status):
    practice.found = (DONE,)
    client.force_login(staff(role))
    answer = getattr(client, method)(address, FORM)
    assert answer.status_code == (status if role in CREW else 403)
    assert bool(practice.asked) is (method == "post" and role in CREW)


@pytest.mark.parametrize(("method", "address"), [row[:2] for row in ADDRESSES])
def test_strangers_sign_in_first(client, practice, method, address):
    answer = getattr(client, method)(address, FORM)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/staff/sign-in/")
    assert practice.asked == []


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("put", "/staff/drills/", 405),
        ("post", f"/staff/drills/{DONE.name}/", 405),
        ("get", f"/staff/drills/{DONE.name}/stop/", 405),
        ("get", "/staff/drills/nothing/", 404),
        ("get", "/staff/drills/../", 404),
    ],
)
def test_wrong_methods_and_names(client, practice, officer, method, address, status):
    practice.found = (DONE,)
    assert getattr(client, method)(address).status_code == status


@pytest.mark.parametrize("role", sorted(set(Role) - CREW))
def test_the_menu_and_the_services_know_it_too(client, practice, role):
    user = staff(role)
    client.force_login(user)
    assert "/staff/drills/" not in client.get("/staff/").content.decode()
    with pytest.raises(DrillRefused):
        begin_drill(scenario="heavy-rain", people=10, by=user, now=NOW)
    with pytest.raises(DrillRefused):
        stop_drill(DONE.name, by=user, now=NOW)
    assert practice.asked == []


def test_a_press_begins_what_was_chosen_in_the_name_of_who_pressed(client, practice, officer):
    page = client.get("/staff/drills/").content.decode()
    assert 'href="/staff/drills/" aria-current="page"' in page
    assert "大雨" in page
    assert 'value="2000"' in page
    answer = client.post("/staff/drills/", FORM)
    assert answer["Location"] == f"/staff/drills/{DONE.name}/"
    assert practice.asked == [("heavy-rain", 60, "見本")]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"people": ""}, 400, "人数を入れてください"),
        ({"people": "many"}, 400, "数字だけで"),
        ({"people": "1.5"}, 400, "数字だけで"),
        ({"people": "0"}, 409, "1人から20,000人まで"),
        ({"people": "-3"}, 409, "1人から20,000人まで"),
        ({"people": "20001"}, 409, "1人から20,000人まで"),
        ({"scenario": ""}, 400, "えらんでください"),
        ({"scenario": "../x"}, 409, "えらんでください"),
    ],
)
def test_what_cannot_be_is_said_in_plain_words(client, practice, officer, changes, status, said):
    answer = client.post("/staff/drills/", FORM | changes)
    assert answer.status_code == status
    page = answer.content.decode()
    assert said in page
    assert f'value="{(FORM | changes)["people"]}"' in page
    assert practice.asked == []


@pytest.mark.parametrize("people", ["1", "20000", "２０００"])
def test_bounds_themselves_are_taken(client, practice, officer, people):
    assert client.post("/staff/drills/", FORM | {"people": people}).status_code == 302


def test_nothing_practised_yet(client, practice, officer):
    assert "まだ行っていません" in client.get("/staff/drills/").content.decode()


def test_while_one_runs_no_other_is_offered(client, practice, officer):
    practice.found = (RUNS,)
    page = client.get("/staff/drills/").content.decode()
    assert "見本 当直が始めました" in page
    assert "訓練を始める" not in page
    practice.refuses = "見本 当直が始めた訓練「大雨」が動いています。"
    answer = client.post("/staff/drills/", FORM)
    assert answer.status_code == 409
    assert practice.refuses in answer.content.decode()


def test_one_that_runs_says_how_far_it_is_and_can_be_stopped(client, practice, officer):
    practice.found = (RUNS,)
    page = client.get(f"/staff/drills/{DONE.name}/").content.decode()
    assert "見本の市民2000人を作りました" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "訓練を止める" in page
    answer = client.post(f"/staff/drills/{DONE.name}/stop/", follow=True)
    assert "止めるように伝えました" in answer.content.decode()
    assert practice.asked == [(DONE.name, "見本")]
    practice.refuses = "この訓練は、もう終わっています。"
    answer = client.post(f"/staff/drills/{DONE.name}/stop/", follow=True)
    assert practice.refuses in answer.content.decode()


def test_a_finished_one_says_what_it_came_to(client, practice, officer):
    practice.found = (DONE, STOPPED)
    listed = client.get("/staff/drills/").content.decode()
    assert "2,000人のうち 1,833人に渡りました。届かなかった人は 167人です。" in listed
    assert "途中で止めました" in listed
    assert "見本 本部長が、訓練を止めました。" in listed
    page = client.get(f"/staff/drills/{DONE.name}/").content.decode()
    for said in ("3.1秒", "0.4秒", "2分05秒", "泉町三丁目", "町が分からない人", "無事です 880人",
                 "手段なし 5人、取り下げ 2人", f"policity drill open {DONE.name}"):  # fmt: skip
        assert said in page, said
    assert "refresh" not in page
    assert "訓練を止める" not in page


def test_states_add_up_to_the_targets():
    found = outcome(DONE)
    counts = [int(count.replace(",", "")) for _, count, _ in found.states]
    assert sum(counts) == 2000
    assert outcome(RUNS) is None


def test_what_nobody_measured_is_said():
    assert seconds(None) == "測れませんでした"


def test_in_a_drills_home_it_says_where_drills_begin(client, practice, officer, settings):
    settings.DRILL = True
    page = client.get("/staff/drills/").content.decode()
    assert "市の職員の画面から始めてください" in page
    assert "訓練を始める" not in page


def test_the_chronology_says_who_began_and_who_stopped(client, practice, officer):
    ended = datetime(2026, 11, 25, 11, 32, tzinfo=UTC)
    command = replace(DONE, by="", people=0, result=RESULT | {"ended_at": ended.isoformat()})
    practice.found = (STOPPED, command)
    address = "/staff/chronology/?since=2026-11-25&until=2026-11-25&kind=drill"
    page = client.get(address).content.decode()
    assert "見本 当直が、訓練「大雨」を開始" in page
    assert "見本の市民 2,000人" in page
    assert "見本 本部長が、訓練「大雨」を途中で中止" in page
    assert "<p>訓練「大雨」を開始</p>" in page
    assert "<p>訓練「大雨」が終了</p>" in page
    assert "届かなかった人は 167人" in page
