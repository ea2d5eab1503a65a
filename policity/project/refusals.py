"""What the framework refuses, in words: staff read in Japanese what to do, residents in theirs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from policity.kit.languages import split
from policity.public_site.presenters import error

# What happened, and what to do now.
STAFF = {
    "400": (
        "受けとれませんでした",
        "ブラウザーの上にある住所が、管理者から聞いたものと同じか、確かめてください。"
        "同じなら、画面を開き直して、もう一度ためしてください。",
    ),
    "403": (
        "この画面を使う役割がありません",
        "何も変わっていません。仕事に必要なときは、管理者に役割をたのんでください。",
    ),
    "404": ("このページはありません", "住所がちがうか、もうなくなりました。"),
    "csrf": (
        "送られたものを、受けとりませんでした",
        "画面を開いたあとで、サインインし直したか、長い時間がたちました。何も変わっていません。"
        "前の画面にもどって文を控え、画面を開き直して、もう一度送ってください。",
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A name that is not ours, or something that no form of ours sends."""
    return _told(request, "400", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Something that this person's roles do not let them do."""
    return _told(request, "403", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing is there."""
    return _told(request, "404", status=404)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not got from us, or long ago (CSRF)."""
    return _told(request, "csrf", status=403)


def _told(request: HttpRequest, kind: str, *, status: int) -> HttpResponse:
    if request.path_info.startswith("/staff/"):
        title, body = STAFF[kind]
        context = {"title": title, "body": body}
        return render(request, "back_office/refused.html", context, status=status)
    return HttpResponse(error("404", split(request.path_info)[0]), status=status)
