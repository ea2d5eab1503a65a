"""What the city does with what it hears, and in which words: read, tried, changed."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms import RuleForm, TextForm
from policity.back_office.presenters import rules as present
from policity.back_office.presenters import texts as present_texts
from policity.back_office.views.chronology import RESTORED
from policity.back_office.views.frame import page, require
from policity.back_office.views.sign_in import keeps_typing, typed_before
from policity.fields.alerts.queries import words
from policity.fields.alerts.rules import edits
from policity.fields.alerts.rules.bulletin import Phenomenon, Refused, Severity
from policity.fields.alerts.rules.edits import Book, Entry
from policity.fields.alerts.rules.response import Answer
from policity.fields.alerts.services import editing
from policity.foundations.accounts.models import User
from policity.foundations.accounts.policies import Act

SAVED_RULE = "きまりを変えました。次に来る電文から、このとおりにします。"
SAVED_TEXT = (
    "文面を変えました。市民のページは、すぐに新しくなります。送り終えた知らせは、そのままです。"
)


@require_safe
@never_cache
def rules(request: HttpRequest) -> HttpResponse:
    """What is done with each phenomenon, by how grave it is."""
    require(request, Act.READ_RULES)
    context = {
        "lines": present.rules(),
        "severities": present.severities(),
        "history": words.history(book=Book.RULES, limit=20),
    }
    return page(request, "rules", context)


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def rule(request: HttpRequest, phenomenon: str) -> HttpResponse:
    """One phenomenon: what is done with it, what another choice would do, and that choice."""
    require(request, Act.READ_RULES)
    if phenomenon not in set(Phenomenon):
        raise Http404
    found = Phenomenon(phenomenon)
    if request.method == "GET":
        typed = typed_before(request)
        if typed is not None:
            messages.success(request, RESTORED)
            form = RuleForm(typed)
            return _rule(request, found, form.chosen, form=form)
        data = _data(request, Book.RULES, found)
        return _rule(request, found, present.answers_of(found, data))
    form = RuleForm(request.POST, request.FILES)
    if form.fault or not form.saves:
        return _rule(request, found, form.chosen, form=form, fault=form.fault)
    try:
        editing.edit_rule(found, form.chosen, by=_user(request), now=timezone.now(), **form.reason)
    except editing.EditError as error:
        return _rule(request, found, form.chosen, form=form, fault=str(error))
    messages.success(request, SAVED_RULE)
    return redirect("back_office:rule", found)


def _rule(
    request: HttpRequest,
    phenomenon: Phenomenon,
    chosen: Mapping[Severity, Answer],
    *,
    form: RuleForm | None = None,
    fault: str = "",
) -> HttpResponse:
    telegram = None
    if form is not None and (data := form.telegram()):
        try:
            telegram = present.of_file(data, phenomenon, chosen)
        except Refused as error:
            fault = (
                "このファイルは、電文として読めません。気象庁の電文か CAP の XML ファイルを"
                f"えらんでください。（情報システムの担当への手がかり：{error}）"
            )
    context = {
        "found": present.rule(phenomenon, chosen),
        "telegram": telegram,
        "why": form.why if form else "",
        "tried": form is not None,
        "fault": fault,
        "page": "rules",
    }
    return page(request, "rule", context, status=400 if fault else 200)


@require_safe
@never_cache
def texts(request: HttpRequest) -> HttpResponse:
    """Every text that staff may change, or those that have the words that were asked for."""
    require(request, Act.READ_RULES)
    asked = request.GET.get("q", "")[:100]
    context = {
        "groups": present_texts.texts(asked),
        "asked": asked,
        "history": words.history(limit=20),
    }
    return page(request, "texts", context)


@keeps_typing
@require_http_methods(["GET", "POST"])
@never_cache
def text(request: HttpRequest, book: str, key: str) -> HttpResponse:
    """One entry in five languages: as it is, as it would look, and changed."""
    require(request, Act.READ_RULES)
    entry = edits.entries(Book(book)).get(key) if book in (Book.ALERTS, Book.ORDERS) else None
    if entry is None:
        raise Http404
    if request.method == "GET":
        typed = typed_before(request)
        if typed is not None:
            messages.success(request, RESTORED)
            form = TextForm(entry, typed)
            return _text(request, entry, form.wanted, form=form)
        data = _data(request, entry.book, key)
        return _text(request, entry, present_texts.said_of(entry, data))
    form = TextForm(entry, request.POST)
    if not form.saves or edits.faults(entry, form.wanted):
        return _text(request, entry, form.wanted, form=form)
    try:
        editing.edit_text(entry, form.wanted, by=_user(request), now=timezone.now(), **form.reason)
    except editing.EditError as error:
        return _text(request, entry, form.wanted, form=form, fault=str(error))
    messages.success(request, SAVED_TEXT)
    return redirect("back_office:text", entry.book, key)


def _text(
    request: HttpRequest,
    entry: Entry,
    wanted: edits.Words,
    *,
    form: TextForm | None = None,
    fault: str = "",
) -> HttpResponse:
    found = present_texts.text(entry, wanted, tried=form is not None, now=timezone.now())
    if found.faulty and not fault:
        fault = "直すところがあります。しるしのある文面を確かめてください。"
    context = {
        "found": found,
        "why": form.why if form else "",
        "tried": form is not None and not found.faulty,
        "fault": fault,
        "page": "texts",
    }
    return page(request, "text", context, status=400 if fault else 200)


def _user(request: HttpRequest) -> User:
    return require(request, Act.EDIT_RULES)


def _data(request: HttpRequest, book: Book, subject: str) -> dict[str, Any]:
    """What differs from what ships: now, or as an earlier change left it (?edit=; 0: nothing)."""
    asked = request.GET.get("edit")
    if asked is None:
        return words.current().data(book, subject)
    if asked == "0":
        return {}
    history = words.history(book=book, subject=subject)
    found = next((edit for edit in history if str(edit.number) == asked), None)
    if found is None:
        raise Http404
    return found.data
