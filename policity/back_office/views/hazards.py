"""Hazard maps: brought as a file, looked at as a draft, shown to residents and taken off."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from policity.back_office.forms.hazards import NONE, HazardLayerForm
from policity.back_office.presenters import hazards as present
from policity.back_office.views.frame import page, require
from policity.foundations.accounts.policies import Act
from policity.foundations.places import services
from policity.foundations.places.formats.hazards import BadHazardFile, read
from policity.foundations.places.queries.hazards import HazardView, hazard_layers
from policity.foundations.places.rules.hazards import State


@require_http_methods(["GET", "POST"])
@never_cache
def hazards(request: HttpRequest) -> HttpResponse:
    """Every map; a new one comes as a file, and is a draft at first."""
    user = require(request, Act.KEEP_HAZARDS)
    sent = request.method == "POST"
    form = HazardLayerForm(request.POST, request.FILES) if sent else HazardLayerForm()
    faults = form.faults if sent else []
    choose: tuple[str, ...] = ()
    if form.is_valid():
        said = form.cleaned_data
        try:
            found = read(form.data_sent)
            chosen = said["attribute"]
            if not chosen and found.attributes:
                choose = found.attributes
                faults = [
                    "深さの番号らしい属性があります。どれが深さかを選んで、"
                    "もう一度ファイルを選んでください。"
                ]
            else:
                row = services.take_hazard_layer(
                    hazard=said["hazard"],
                    title=said["title"],
                    source=said["source"],
                    as_of=said["as_of"],
                    areas=found.areas("" if chosen == NONE else chosen),
                    by=user,
                    now=timezone.now(),
                )
                messages.success(request, "下書きにしました。見てから、公開してください。")
                return redirect("back_office:hazard", row.pk)
        except BadHazardFile as error:
            faults = [str(error)]
        except services.HazardRefused as error:
            faults = [str(error)]
    context = {"form": form, "faults": faults, "choose": choose, "rows": present.rows()}
    return page(request, "hazards", context | {"none": NONE}, status=400 if faults else 200)


@require_safe
@never_cache
def hazard(request: HttpRequest, layer: int) -> HttpResponse:
    """One map as residents would see it."""
    require(request, Act.KEEP_HAZARDS)
    one = _layer(layer)
    shown, drawing, count = present.preview(one)
    context = {"row": present.row(one), "layer": shown, "map": drawing, "count": count}
    return page(request, "hazard", context)


@require_http_methods(["GET", "POST"])
@never_cache
def publish(request: HttpRequest, layer: int) -> HttpResponse:
    """Show it to residents, for the first time or again."""
    done = "公開しました。市民のページに出ます。"
    return _done(request, layer, services.publish_hazard_layer, done)


@require_http_methods(["GET", "POST"])
@never_cache
def withdraw(request: HttpRequest, layer: int) -> HttpResponse:
    """Take it off; it can be shown again."""
    done = "取り下げました。また公開できます。"
    return _done(request, layer, services.withdraw_hazard_layer, done)


def _done(request: HttpRequest, number: int, act: Callable[..., object], done: str) -> HttpResponse:
    user = require(request, Act.KEEP_HAZARDS)
    _layer(number)
    if request.method == "POST":
        try:
            act(number=number, by=user, now=timezone.now())
        except services.HazardRefused as error:
            messages.error(request, str(error))
        else:
            messages.success(request, done)
    return redirect("back_office:hazard", number)


def _layer(number: int) -> HazardView:
    for one in hazard_layers(*State):
        if one.id == number:
            return one
    raise Http404
