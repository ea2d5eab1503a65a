"""Registering and changing on the web: who may what, what a GET does, what strangers learn."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from lxml import html

from policity.design import assets
from policity.foundations.places import queries as places
from policity.foundations.places.models import City
from policity.foundations.residents import queries, services
from policity.foundations.residents.models import Address, Label, Resident
from policity.foundations.residents.rules import choices
from policity.foundations.residents.rules.links import Purpose
from policity.foundations.residents.services.registering import MAIL_AGAIN_AFTER, UNCONFIRMED_FOR
from policity.foundations.residents.signals import link_wanted
from policity.kit.languages import LANGUAGES
from policity.kit.severity import Severity

KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
PUSH = json.dumps({"endpoint": "https://push.example/1", "keys": KEYS})
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.code)
EVIL = "\"'><script>alert(1)</script>{a|b}{%(x)s"
WAYS = {Purpose.CONFIRM: "me/confirm/", Purpose.LEAVE: "me/leave/", Purpose.CHANGE: "me/"}
BUTTONS = ("choices", "place", "removed", "mail", "push", "push-off")
# Each kind of page, with the purpose of the link that opens it.
LINKED = [
    ("me/confirm/{}/", Purpose.CONFIRM),
    ("me/leave/{}/", Purpose.LEAVE),
    ("me/{}/", Purpose.CHANGE),
    ("register/done/{}/", Purpose.CHANGE),
    *[(f"me/{{}}/{button}/", Purpose.CHANGE) for button in BUTTONS],
]

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def town():
    return places.towns()[2]


@pytest.fixture
def resident(town):
    """Somebody whose mail address is confirmed."""
    number = services.register(
        town=town.id, language="ja", email="a@example.jp", now=timezone.now()
    )
    mail = Address.objects.get(resident=number, channel="mail")
    services.confirm_mail(resident=number, address=mail.pk, now=timezone.now())
    return number


@pytest.fixture
def web():
    """A browser that would be refused if anything rested on a cookie."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def wanted(monkeypatch):
    """The links that were asked for, as (resident, purpose)."""
    found = []

    def hear(*, resident, purpose, **_):
        found.append((resident, purpose))

    link_wanted.connect(hear, weak=False)
    yield found
    link_wanted.disconnect(hear)


def address(purpose, number, button=""):
    rest = f"{button}/" if button else ""
    return f"/{WAYS[purpose]}{link_of(purpose, number)}/{rest}"


def link_of(purpose, number):
    """As mails carry it: a link that confirms names the address it went to."""
    if purpose is not Purpose.CONFIRM:
        return queries.link(purpose, number)
    last = Address.objects.filter(resident=number, channel="mail").order_by("pk").last()
    return queries.link(purpose, number, last.pk if last else 0)


def everything():
    """Every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found[table] = cursor.fetchall()
            if connection.vendor == "postgresql":
                # It may begin a large table where another's reading just is.
                found[table].sort(key=repr)
    return found


def document(body: bytes) -> Any:
    return html.document_fromstring(body)


def said(response):
    main = document(response.content).xpath("//main")[0]
    return " ".join(main.text_content().split())


# Who may.


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(("path", "opens"), LINKED)
def test_a_link_opens_what_it_was_written_for(web, resident, path, opens, purpose, method):
    before = everything()
    answer = getattr(web, method)("/" + path.format(link_of(purpose, resident)))
    if purpose is opens:
        assert answer.status_code in (200, 302)
    else:
        assert answer.status_code == 404
    if method != "post" or purpose is not opens:
        assert everything() == before


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("link", ["x", "A" * 32, "あ" * 32, "%00", "A" * 500, "..%2f..", "confirm"])
@pytest.mark.parametrize(("path", "opens"), LINKED)
def test_what_is_no_link_is_a_friendly_page(web, path, opens, link, method):
    before = everything()
    answer = getattr(web, method)("/en/" + path.format(link))
    assert answer.status_code == 404
    assert 'href="/en/register/"' in answer.content.decode()
    assert everything() == before


@EVERY_LANGUAGE
@pytest.mark.parametrize(("path", "opens"), LINKED)
def test_a_link_of_somebody_who_left_says_so(web, resident, path, opens, language):
    services.leave(resident=resident, now=timezone.now())
    answer = web.get(language.prefix + path.format(queries.link(opens, resident)))
    assert answer.status_code == 410
    assert f'href="{language.prefix}register/"' in answer.content.decode()


def test_another_s_link_is_made_by_nobody(web, resident):
    """One character of a link changed is no link, whichever it is."""
    link = queries.link(Purpose.CHANGE, resident)
    for at, sign in enumerate(link):
        other = link[:at] + ("A" if sign != "A" else "B") + link[at + 1 :]
        assert web.get(f"/me/{other}/").status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
@pytest.mark.parametrize("path", ["/register/", "/me/x/", "/me/leave/x/"])
def test_other_methods_are_refused(web, path, method):
    assert getattr(web, method)(path).status_code == 405


def test_without_a_slash_one_is_led_on(web, resident):
    link = address(Purpose.CHANGE, resident)
    for path in ("/register", "/ko/register", link.rstrip("/")):
        answer = web.get(path)
        assert (answer.status_code, answer["Location"]) == (301, path + "/")


# What every answer carries.


def answers(web, resident, town):
    """Every page in every state, by a name."""
    link = queries.link(Purpose.CHANGE, resident)
    for language in LANGUAGES:
        for path, opens in LINKED:
            yield web.get(language.prefix + path.format(queries.link(opens, resident)))
        for path in ("register/", "register/done/", "me/x/", "me/leave/x/"):
            yield web.get(language.prefix + path)
        yield web.get(f"{language.prefix}me/{link}/?done=mail")
        yield web.post(f"{language.prefix}register/", {"town": "泉町", "email": "x"})
        yield web.post(f"{language.prefix}register/", {"town": town.name, "push": PUSH})
        for button in BUTTONS:
            yield web.post(f"{language.prefix}me/{link}/{button}/", {"town": "x", "email": "x"})
    yield web.post(address(Purpose.CONFIRM, resident))
    yield web.post(address(Purpose.LEAVE, resident))


def test_no_answer_sets_a_cookie_or_is_kept_or_tells_others(web, resident, town):
    for answer in answers(web, resident, town):
        assert not answer.cookies
        assert "Set-Cookie" not in answer
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex"
        assert answer.get("Location", "/").startswith("/")
        assert not answer.get("Location", "/").startswith("//")
    assert not web.cookies


def test_pages_carry_no_script_of_their_own_and_no_style(web, resident, town):
    for answer in answers(web, resident, town):
        if answer.status_code == 302:
            continue
        page = document(answer.content)
        for script in page.xpath("//script"):
            if script.text == assets.early():
                continue
            assert not (script.text or "").strip()
            assert script.get("src").startswith("/assets/")
        assert not page.xpath("//style | //@style | //@onclick")
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
        for field in page.xpath("//input[not(@type='hidden')] | //select"):
            labels = page.xpath("//label[@for=$id]", id=field.get("id"))
            assert labels or field.getparent().tag == "label"
            for one in field.get("aria-describedby", "").split():
                assert one in ids


# Registering.


@EVERY_LANGUAGE
def test_one_registers_in_any_language(web, wanted, town, language):
    answer = web.get(f"{language.prefix}register/")
    assert answer.status_code == 200
    assert f'lang="{language.html}"' in answer.content.decode()
    answer = web.post(
        f"{language.prefix}register/", {"town": "泉町３－６", "email": "Taro＠EXAMPLE.jp "}
    )
    assert (answer.status_code, answer["Location"]) == (302, f"{language.prefix}register/done/")
    person = Resident.objects.get()
    assert (person.language, person.wants, person.quiet_from) == (language.code, "", None)
    assert [place.town_id for place in person.places.all()] == [town.id]
    mail = person.addresses.get()
    assert (mail.value, mail.confirmed_at) == ("Taro@example.jp", None)
    assert wanted == [(person.pk, Purpose.CONFIRM)]
    assert web.get(answer["Location"]).status_code == 200


def test_what_was_chosen_is_kept(web, town):
    web.post(
        "/register/",
        {
            "town": town.name,
            "email": "a@example.jp",
            "want_evacuation": "severe",
            "want_weather": "none",
            "want_earthquake": "moderate",
            "want_notice": "minor",
            "quiet_from": "２２:00",
            "quiet_to": "6:30",
            "born": "昭和２５",
        },
    )
    person = queries.registration(Resident.objects.get().pk)
    assert person.wants == {
        "evacuation": Severity.SEVERE,
        "earthquake": Severity.MODERATE,
        "notice": Severity.MINOR,
    }
    assert person.quiet == choices.Quiet(22 * 60, 6 * 60 + 30)
    assert person.born == 1950


def test_the_page_begins_with_the_defaults(web):
    page = document(web.get("/register/").content)
    chosen = {
        field.get("name"): field.xpath("option[@selected]/@value")
        for field in page.xpath("//select")
    }
    assert chosen == {
        f"want_{kind.code}": [kind.default.value if kind.default else "none"]
        for kind in choices.kinds().values()
    }
    # Sent as it is, it is no choice: whoever takes the defaults follows them.
    data = {name: values[0] for name, values in chosen.items()}
    web.post("/register/", {**data, "town": "泉町三丁目", "email": "a@example.jp"})
    assert Resident.objects.get().wants == ""


def test_notifications_alone_are_enough_and_lead_to_the_settings(web, wanted, town):
    answer = web.post("/en/register/", {"town": town.name, "push": PUSH})
    person = Resident.objects.get()
    assert answer["Location"] == f"/en/register/done/{queries.link(Purpose.CHANGE, person.pk)}/"
    settings = address(Purpose.CHANGE, person.pk).replace("/", "/en/", 1)
    assert f'href="{settings}"' in web.get(answer["Location"]).content.decode()
    assert person.addresses.get().confirmed_at
    assert wanted == []


def test_a_postal_code_asks_which_and_takes_the_answer(web, town):
    data = {"town": "202-0011", "email": "a@example.jp"}
    answer = web.post("/register/", data)
    page = document(answer.content)
    assert page.xpath("count(//input[@name='picked'])") == 6
    asked = page.xpath("//input[@name='asked']/@value")[0]
    web.post("/register/", {**data, "asked": asked, "picked": str(town.id)})
    assert Resident.objects.get().places.get().town_id == town.id


def test_whoever_writes_another_town_after_the_question_means_that_one(web, town):
    data = {"town": "南町一丁目", "asked": "202-0011", "picked": str(town.id)}
    web.post("/register/", {**data, "email": "a@example.jp"})
    assert Resident.objects.get().places.get().town.name == "南町一丁目"


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"town": ""}, "town", "郵便番号を入れてください"),
        ({"town": "泉丁"}, "town", "下から選ぶか"),
        ({"town": "大阪市北区"}, "town", "この市に見つかりません"),
        ({"town": "泉町"}, "town", "下から1つ選んで"),
        ({"town": "x", "asked": "x", "picked": "99999"}, "town", "この市に見つかりません"),
        ({"town": "x" * 30_000}, "town", "この市に見つかりません"),
        ({"email": ""}, "email", "通知を許可してください"),
        ({"email": "taro@example"}, "email", "name@example.jp"),
        ({"email": "a@b.jp\r\nBcc: c@d.jp"}, "email", "name@example.jp"),
        ({"email": "", "push": "{}"}, "push", "もう一度「通知を許可」"),
        ({"push": '{"endpoint": "http://x", "keys": {}}'}, "push", "もう一度「通知を許可」"),
        ({"quiet_from": "22:00"}, "quiet_to", "両方を入れてください"),
        ({"quiet_to": "6:00"}, "quiet_from", "両方を入れてください"),
        ({"quiet_from": "25:00", "quiet_to": "6:00"}, "quiet_from", "22:00 のように"),
        ({"born": "25"}, "born", "昭和25 のように"),
        ({"born": "2999"}, "born", "昭和25 のように"),
        ({"want_weather": "all"}, "want_weather", "一覧から選んで"),
        ({"town": "泉町\x00"}, "town", ""),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(web, data, field, words):
    sent = {"town": "泉町三丁目", "email": "a@example.jp", "quiet_from": "", **data}
    answer = web.post("/register/", sent)
    assert answer.status_code == 200
    assert not Resident.objects.exists()
    page = document(answer.content)
    summary = page.xpath("//*[@id='fault']")[0]
    assert f"#{field}" in summary.xpath(".//@href")
    beside = page.xpath("//*[@id=$id]", id=f"e-{field}")[0].text_content()
    assert words in beside
    assert summary.xpath("count(.//a)") == len(page.xpath("//p[starts-with(@id, 'e-')]"))
    for name in ("town", "email", "quiet_from", "quiet_to", "born"):
        typed = page.xpath("//input[@name=$name]/@value", name=name)[0]
        # A page cannot hold a NUL, nor one line two.
        assert typed.replace("\ufffd", "\x00").split() == sent.get(name, "").split()
    # What is folded and wrong is open.
    folded = page.xpath("//details[not(@open)]//p[starts-with(@id, 'e-')]")
    assert folded == []


@EVERY_LANGUAGE
def test_errors_are_in_the_page_s_language(web, language):
    answer = web.post(f"{language.prefix}register/", {"town": "", "email": "x"})
    faults = document(answer.content).xpath("//*[@id='fault']//a")
    assert len(faults) == 2
    if language.code in ("en", "ko", "zh-hans"):
        assert not re.search("[ぁ-ん]", "".join(fault.text_content() for fault in faults))
    if language.code == "ja-easy":
        assert all(fault.xpath(".//rt") for fault in faults)


@pytest.mark.parametrize("name", ["town", "asked", "email", "push", "quiet_from", "want_weather"])
@EVERY_LANGUAGE
def test_what_is_typed_is_never_markup(web, name, language):
    data = {"town": EVIL if name == "asked" else "x", name: EVIL}
    answer = web.post(f"{language.prefix}register/", data)
    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert b"<rt>b</rt>" not in answer.content


def test_a_known_address_tells_a_stranger_nothing(web, wanted, resident, town):
    Address.objects.update(added_at=timezone.now() - 2 * MAIL_AGAIN_AFTER)
    new = web.post("/register/", {"town": town.name, "email": "new@example.jp"})
    known = web.post("/register/", {"town": "南町一丁目", "email": "a@example.jp"})
    both = web.post("/register/", {"town": "南町一丁目", "email": "a@example.jp", "push": PUSH})
    for answer in (known, both):
        assert (answer.status_code, answer.content, answer["Location"]) == (
            new.status_code,
            new.content,
            new["Location"],
        )
    assert wanted[-1] == (resident, Purpose.CHANGE)
    assert queries.registration(resident).places[0].town == town
    assert not queries.registration(resident).push


# Confirming.


@EVERY_LANGUAGE
def test_a_button_confirms_and_a_look_does_not(web, wanted, town, language):
    web.post("/register/", {"town": town.name, "email": "a@example.jp"})
    person = Resident.objects.get().pk
    link = address(Purpose.CONFIRM, person).replace("/", language.prefix, 1)
    before = everything()
    answer = web.get(link)
    assert document(answer.content).xpath("count(//main//button)") == 1
    assert everything() == before
    answer = web.post(link)
    settings = address(Purpose.CHANGE, person).replace("/", language.prefix, 1)
    assert (answer.status_code, answer["Location"]) == (302, settings + "?done=confirmed")
    assert Address.objects.usable().filter(resident=person).exists()
    # A second press is none the worse.
    assert web.post(link)["Location"] == answer["Location"]


def test_a_day_later_it_is_too_late(web, town):
    web.post("/register/", {"town": town.name, "email": "a@example.jp"})
    person = Resident.objects.get().pk
    Address.objects.update(added_at=timezone.now() - UNCONFIRMED_FOR - timedelta(minutes=1))
    answer = web.post(address(Purpose.CONFIRM, person).replace("/", "/en/", 1))
    assert answer.status_code == 410
    assert "The 24 hours are over" in said(answer)
    assert not Address.objects.usable().exists()


# Settings.


def test_choices_change_and_the_page_follows_the_language(web, resident):
    answer = web.post(
        address(Purpose.CHANGE, resident, "choices"),
        {"language": "ko", "want_weather": "extreme", "want_notice": "none", "born": "1950"},
    )
    assert answer["Location"] == f"/ko{address(Purpose.CHANGE, resident)}?done=choices"
    person = queries.registration(resident)
    assert (person.language, person.wants["weather"]) == ("ko", Severity.EXTREME)
    assert person.wants["evacuation"] == choices.defaults()["evacuation"]
    page = document(web.get(answer["Location"]).content)
    assert page.xpath("//p[@class='done'][@role='status']")
    assert page.xpath("//select[@name='want_weather']/option[@selected]/@value") == ["extreme"]
    assert page.xpath("//input[@name='born']/@value") == ["1950"]
    # Whoever empties the field is forgotten.
    web.post(address(Purpose.CHANGE, resident, "choices"), {"language": "ko", "born": ""})
    assert queries.registration(resident).born is None


def test_places_come_and_go_and_one_stays(web, resident, town):
    add, remove = (address(Purpose.CHANGE, resident, name) for name in ("place", "removed"))
    assert web.post(add, {"town": "南町1", "label": "school"}).status_code == 302
    first, second = queries.registration(resident).places
    assert (second.town.name, second.label) == ("南町一丁目", Label.SCHOOL)
    for wrong in ({"town": "南町一丁目"}, {"town": "泉町"}, {"town": "南町二丁目", "label": "x"}):
        answer = web.post(add, wrong)
        assert b'id="fault"' in answer.content
    assert len(queries.registration(resident).places) == 2
    assert web.post(remove, {"place": first.id}).status_code == 302
    assert "1つ残して" in said(web.post(remove, {"place": second.id}))
    assert [place.id for place in queries.registration(resident).places] == [second.id]


def test_nobody_removes_another_s_place(web, resident, town):
    other = services.register(town=town.id, language="en", email="b@example.jp", now=timezone.now())
    for name in ("南町一丁目", "南町二丁目"):
        web.post(address(Purpose.CHANGE, resident, "place"), {"town": name})
        web.post(address(Purpose.CHANGE, other, "place"), {"town": name})
    theirs = queries.registration(other).places
    for place in [*theirs, 10**30, -1, "x"]:
        number = getattr(place, "id", place)
        web.post(address(Purpose.CHANGE, resident, "removed"), {"place": number})
    assert queries.registration(other).places == theirs


def test_another_address_waits_for_its_owner(web, resident, wanted):
    mail = address(Purpose.CHANGE, resident, "mail")
    assert "もう届いています" in said(web.post(mail, {"email": "a@example.jp"}))
    assert web.post(mail, {"email": "b@example.jp"}).status_code == 302
    person = queries.registration(resident)
    assert (person.mail, person.mail_waiting) == ("a@example.jp", "b@example.jp")
    assert person.mail_confirmed_at is not None
    assert wanted == [(resident, Purpose.CONFIRM)]
    assert "まだ確かめていません" in said(web.get(address(Purpose.CHANGE, resident)))


def test_a_dead_address_says_so(web, resident):
    dead = services.Dead(resident, "mail", "", "550 5.1.1")
    services.retire([dead], now=timezone.now())
    assert "届かなくなりました" in said(web.get(address(Purpose.CHANGE, resident)))


def test_notifications_go_on_and_off_but_something_is_left(web, resident):
    on, off = (address(Purpose.CHANGE, resident, name) for name in ("push", "push-off"))
    assert web.post(on, {"push": PUSH}).status_code == 302
    assert queries.registration(resident).push
    assert web.post(off).status_code == 302
    assert not queries.registration(resident).push
    web.post(on, {"push": PUSH})
    Address.objects.filter(resident=resident, channel="mail").delete()
    assert "ほかに受け取る方法がありません" in said(web.post(off))
    assert queries.registration(resident).push


def test_only_known_words_are_said_of_what_was_done(web, resident):
    for word in ("<script>alert(1)</script>", "nothing", "__class__"):
        answer = web.get(address(Purpose.CHANGE, resident), {"done": word})
        assert answer.status_code == 200
        assert b"alert(1)" not in answer.content
        assert b'role="status"' not in answer.content.partition(b"<form")[0]


@pytest.mark.parametrize("name", ["town", "asked", "email", "push", "quiet_to", "language"])
@pytest.mark.parametrize("button", BUTTONS)
def test_what_comes_back_to_the_settings_is_never_markup(web, resident, button, name):
    data = {"town": EVIL if name == "asked" else "x", name: EVIL}
    answer = web.post(address(Purpose.CHANGE, resident, button), data)
    assert b"<script>alert" not in answer.content


def test_a_mail_address_with_signs_of_ours_is_shown_as_it_is(web, resident):
    Address.objects.update(value="{a|b}@example.jp")
    answer = web.get(address(Purpose.CHANGE, resident).replace("/", "/easy/", 1))
    assert answer.status_code == 200
    assert b"<rt>b</rt>" not in answer.content


# Leaving.


@EVERY_LANGUAGE
def test_a_button_leaves(web, resident, language):
    link = address(Purpose.LEAVE, resident).replace("/", language.prefix, 1)
    assert document(web.get(link).content).xpath("count(//main//button)") == 1
    assert Resident.objects.exists()
    assert web.post(link).status_code == 200
    assert not Resident.objects.exists()
    assert web.post(link).status_code == 200
    assert web.get(link).status_code == 410


def test_one_click_leaves_and_is_answered_in_a_word(web, resident):
    """RFC 8058: no cookie, no page, no redirect, and again as often as a program likes."""
    link = address(Purpose.LEAVE, resident)
    body = "List-Unsubscribe=One-Click"
    for _ in range(2):
        answer = web.post(link, body, content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer.content) == (200, b"OK")
        assert answer["Content-Type"].startswith("text/plain")
        assert "Location" not in answer
    assert not Resident.objects.exists()
    answer = web.post(link, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"OK")


# The city behind it.


def test_without_a_city_a_page_says_so(web):
    City.objects.update(is_here=False)
    for path in ("/register/", "/me/x/", "/easy/register/"):
        answer = web.get(path)
        assert answer.status_code == 503
        assert answer["Cache-Control"] == "no-store"


def test_a_page_costs_the_same_for_many_as_for_one(web, resident, django_assert_num_queries):
    for name in ("南町一丁目", "南町二丁目", "南町三丁目", "南町四丁目"):
        web.post(address(Purpose.CHANGE, resident, "place"), {"town": name})
    web.get("/register/")
    with django_assert_num_queries(2):
        web.get("/register/")
    with django_assert_num_queries(6):
        web.get(address(Purpose.CHANGE, resident))
    lonely = services.register(
        town=places.towns()[0].id, language="ja", email="c@example.jp", now=timezone.now()
    )
    with django_assert_num_queries(6):
        web.get(address(Purpose.CHANGE, lonely))


def test_notifications_are_offered_once_the_city_has_its_key(web, tmp_path, settings):
    settings.HOME = tmp_path
    assert b"data-push" not in web.get("/register/").content
    # RFC 8291, appendix A: a private key and its public half.
    (tmp_path / "vapid.key").write_text("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw\n")
    public = (
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    )
    assert f'data-push="{public}"'.encode() in web.get("/register/").content
