"""A session that ends while somebody writes costs a password, and no words."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpResponse
from django.test import Client, RequestFactory

from policity.back_office.tests.test_access import PASSWORD, staff
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.foundations.accounts.models import Role
from policity.foundations.accounts.tests.factors import sign_in

pytestmark = pytest.mark.django_db


@keeps_typing
def form(request):
    return HttpResponse("the form")


def ask(method, data=None):
    request = getattr(RequestFactory(), method)("/staff/somewhere/?x=1", data)
    request.user = AnonymousUser()
    request.session = {}
    request._messages = FallbackStorage(request)
    return request


def test_a_stranger_who_only_looks_is_sent_to_sign_in():
    answer = form(ask("get"))
    assert answer["Location"] == "/staff/sign-in/?next=/staff/somewhere/%3Fx%3D1"


def test_what_was_typed_stands_in_the_sign_in_page():
    answer = form(ask("post", {"words": "橋は<通れません>", "csrfmiddlewaretoken": "secret"}))
    page = answer.content.decode()
    assert "書いた内容は残して" in page
    assert "words=%E6%A9%8B" in page
    assert "secret" not in page
    assert "<通れません>" not in page


def test_it_waits_behind_both_steps_even_after_a_wrong_one(client: Client, city):
    user = staff(Role.DUTY_OFFICER)
    sent = {"next": "/staff/somewhere/", "kept": "words=a&towns=1&towns=2"}
    wrong = client.post("/staff/sign-in/", sent | {"username": user.username, "password": "wrong"})
    assert "words=a&amp;towns=1&amp;towns=2" in wrong.content.decode()
    right = sign_in(client, user, PASSWORD, **sent)
    assert right["Location"] == "/staff/somewhere/"
    request = RequestFactory().get("/staff/elsewhere/")
    request.session = client.session
    assert typed_before(request) is None
    request = RequestFactory().get("/staff/somewhere/")
    request.session = client.session
    typed = typed_before(request)
    assert (typed["words"], typed.getlist("towns")) == ("a", ["1", "2"])
    assert typed_before(request) is None


def test_nothing_is_carried_without_end():
    assert len(form(ask("post", {"words": "x" * 10**6})).content) < 60_000
