"""Made-up people come into a demo and nowhere else."""

import sys
from contextlib import suppress
from dataclasses import replace

import django
import pytest
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.city_plan.models import Facet, Plan
from policity.foundations.city_plan.queries import plan
from policity.foundations.city_plan.queries.evaluating import evaluate
from policity.foundations.places.models import City
from policity.foundations.residents.models import Resident
from policity.kit.eras import fiscal_year
from policity.project import demo, drill_play, environment
from policity.project import home as homes


def load_staff(home, patch):
    demo.load_staff(home, now=timezone.now())


def prepare(home, patch):
    """What every command does first, in a home that was never filled."""

    def python(module, *words, where):
        assert module == "policity.project.demo"
        demo.load(where.home)

    patch.setattr(homes, "_python", python)
    homes._fill(replace(environment.read(), home=home), lambda line: None)


def play(home, patch):
    patch.setattr(sys, "argv", ["drill_play", "heavy-rain", "10"])
    patch.setattr(django, "setup", lambda: None)
    patch.setattr(drill_play, "Play", lambda *_, **__: pytest.fail("it plays"))
    assert drill_play.main() == 1


ROADS = {
    "the loader": lambda home, patch: demo.load(home),
    "the staff alone": load_staff,
    "a command's preparation": prepare,
    "a drill's play": play,
}


@pytest.mark.django_db
@pytest.mark.parametrize("road", ROADS.values(), ids=ROADS)
def test_a_home_that_is_no_demo_takes_in_no_sample(tmp_path, settings, monkeypatch, road):
    assert not settings.DEMO
    with suppress(demo.NotADemoError):
        road(tmp_path, monkeypatch)
    assert not User.objects.exists()
    assert not City.objects.exists()
    assert not Resident.objects.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_what_is_refused_is_said(tmp_path):
    with pytest.raises(demo.NotADemoError, match="見本を読み込みません"):
        demo.load(tmp_path)
    with pytest.raises(demo.NotADemoError, match="見本の職員を作りません"):
        demo.load_staff(tmp_path, now=timezone.now())


@pytest.mark.django_db
def test_a_demo_has_sample_staff_that_say_so(tmp_path, settings):
    settings.DEMO = True
    demo.load(tmp_path)
    people = User.objects.all()
    assert people
    shipped = Plan.objects.get(is_sample=False)
    assert (shipped.first_year, shipped.facets.count()) == (2014, 18)
    now = timezone.now()
    this_year = fiscal_year(timezone.localdate(now))
    found = evaluate(plan(fiscal=this_year), this_year, now=now)
    assert found.is_sample
    assert {one.field for one in found.measures} == set(
        Facet.objects.filter(plan__code=found.code, kind="field").values_list("name", flat=True)
    )
    assert all(one.is_sample and one.name.startswith("見本") for one in found.measures)
    assert all(person.is_sample and person.display_name.startswith("見本") for person in people)
