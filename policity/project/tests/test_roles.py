"""What is installed and what works follows from the role alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policity.foundations.crossing.queries import _joined
from policity.foundations.publishing.queries import families
from policity.foundations.work.queries import handlers
from policity.kit.declare import Crossing
from policity.kit.sides import Role, Side
from policity.project.settings import installed

TOLD = Crossing("k", "name", Side.INTERNAL, str, timedelta(hours=1))


def slice_of(monkeypatch: pytest.MonkeyPatch, app: str, side: Side) -> None:
    """As if a slice of ours had said something else."""
    monkeypatch.setattr(f"{app}.SIDE", side)


@pytest.mark.parametrize(
    ("role", "there", "works"),
    [(Role.INTERNET, False, False), (Role.INTERNAL, True, True), (Role.ALL, True, True)],
)
def test_an_internal_slice_is_not_even_installed_where_the_internet_reaches(
    monkeypatch: pytest.MonkeyPatch, role: Role, there: bool, works: bool
) -> None:
    app = "policity.foundations.residents"
    slice_of(monkeypatch, app, Side.INTERNAL)
    assert (app in installed.installed(role)) is there
    assert installed.at_work(app, role) is works
    assert "django.contrib.auth" in installed.installed(role)


def test_a_slice_that_does_not_say_its_side_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("policity.foundations.residents.SIDE")
    with pytest.raises(AttributeError, match="SIDE"):
        installed.installed(Role.ALL)


def test_inside_nothing_is_published_but_what_staffs_pages_are_drawn_with(settings) -> None:
    settings.ROLE = Role.INTERNAL
    assert set(families.__wrapped__()) == {"assets"}
    settings.ROLE = Role.INTERNET
    assert {"home", "alerts", "assets"} < set(families.__wrapped__())


def test_what_is_internal_is_published_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    slice_of(monkeypatch, "policity.fields.alerts", Side.INTERNAL)
    with pytest.raises(ValueError, match="alerts is internal"):
        families.__wrapped__()


def test_inside_nobody_works_on_telling_residents(settings) -> None:
    def kinds() -> set[str]:
        return {handler.kind for handler in handlers.__wrapped__()}

    everything = kinds()
    settings.ROLE = Role.INTERNAL
    assert {"pages", "health", "crossing"} < kinds()
    settings.ROLE = Role.INTERNET
    assert kinds() == everything
    settings.ROLE = Role.INTERNAL
    assert not any(
        handler.run.__module__.startswith(("policity.foundations.delivery", "policity.fields"))
        for handler in handlers.__wrapped__()
    )


def test_one_slice_says_who_takes_and_another_who_gives() -> None:
    give, take = (lambda: None), (lambda value, made_at, now: None)
    whole = replace(TOLD, give=give, take=take)
    assert _joined(replace(TOLD, take=take), replace(TOLD, give=give)) == whole
    assert _joined(replace(TOLD, take=take), whole) == whole
    for other in (
        replace(TOLD, give=lambda: None),
        replace(TOLD, to=Side.INTERNET),
        replace(TOLD, schema=int),
    ):
        with pytest.raises(ValueError, match="taken"):
            _joined(whole, other)
