"""A small site of stories in two languages, over a table that every database here has."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from policity.foundations.publishing.services import mark_stale
from policity.kit.declare import Lane, PageFamily, Rendered, Stage

LANGUAGES = ("", "/en")
Told = dict[int, str]
# Pages of a size that a city's are, so that a half-written one would show.
FILLING = "".join(f"<li>{number} 田無町、芝久保町、谷戸町" for number in range(200))


def told() -> Told:
    """The stories as the database has them."""
    names = Group.objects.filter(name__contains="|").values_list("name", flat=True)
    return {int(number): text for number, _, text in sorted(name.partition("|") for name in names)}


def tell(number: int, text: str, *, now: datetime) -> None:
    """A story is told, or told anew."""
    with transaction.atomic():
        Group.objects.filter(name__startswith=f"{number}|").delete()
        Group.objects.create(name=f"{number}|{text}")
        mark_stale([f"story:{number}", "stories"], now=now)


def drop(number: int, *, now: datetime) -> None:
    """A story is withdrawn."""
    with transaction.atomic():
        Group.objects.filter(name__startswith=f"{number}|").delete()
        mark_stale([f"story:{number}", "stories"], now=now)


def page(title: str, links: Iterable[str]) -> bytes:
    """A page with links that a crawler finds."""
    inside = "".join(f'<a href="{link}">{link}</a>' for link in links)
    return f"<!doctype html><title>{title}</title>{inside}<ul>{FILLING}</ul>".encode()


def fixed(
    addresses: Iterable[str], make: Callable[[str, Told], Rendered]
) -> dict[str, Callable[..., object]]:
    """A family whose addresses are always the same."""
    always = tuple(addresses)

    def render(wanted: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
        stories = told()
        for address in wanted:
            yield address, make(address, stories) if address in always else None

    return {"addresses": lambda: always, "born_of": lambda key: (), "render": render}


def families(leaf_lane: Lane = Lane.ROUTINE) -> dict[str, PageFamily]:
    """A style sheet, stories, their lists and feed, and the home pages."""

    def stories_of(number: int) -> tuple[str, ...]:
        return tuple(f"{prefix}/stories/{number}/" for prefix in LANGUAGES)

    def born_of(key: str) -> tuple[str, ...]:
        kind, _, number = key.partition(":")
        return stories_of(int(number)) if kind == "story" else ()

    def leaves(wanted: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
        stories = told()
        for address in wanted:
            number = int(address.split("/")[-2])
            if number in stories:
                body = page(stories[number], ["/style.css", "/stories/", "/"])
                yield address, Rendered(body, frozenset({f"story:{number}"}))
            else:
                yield address, None

    def listed(address: str, stories: Told) -> Rendered:
        prefix = "/en" if address.startswith("/en") else ""
        links = [f"{prefix}/stories/{number}/" for number in sorted(stories)]
        return Rendered(page(" ".join(stories.values()), links), frozenset({"stories"}))

    def front(address: str, stories: Told) -> Rendered:
        links = ["/style.css", "/stories/", "/en/stories/", "/stories/feed.atom"]
        links += [f"/stories/{number}/" for number in sorted(stories)]
        return Rendered(page(" ".join(stories.values()), links), frozenset({"stories", "style"}))

    def style(address: str, stories: Told) -> Rendered:
        return Rendered(b"body { margin: 0 }", frozenset({"style"}))

    made = (
        PageFamily("t.style", Lane.ROUTINE, Stage.ASSET, **fixed(["/style.css"], style)),  # type: ignore[arg-type]
        PageFamily(
            "t.story",
            leaf_lane,
            Stage.LEAF,
            lambda: [address for number in told() for address in stories_of(number)],
            born_of,
            leaves,
        ),
        PageFamily(
            "t.lists",
            Lane.URGENT,
            Stage.LIST,
            **fixed(["/stories/", "/en/stories/", "/stories/feed.atom"], listed),  # type: ignore[arg-type]
        ),
        PageFamily("t.home", Lane.URGENT, Stage.HOME, **fixed(["/", "/en/"], front)),  # type: ignore[arg-type]
    )
    return {family.name: family for family in made}
