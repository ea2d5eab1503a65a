"""From stale to written: the order, the failures, and changes that come in the middle."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from policity.foundations.publishing import queries
from policity.foundations.publishing.models import Page, PageKey, Showing
from policity.foundations.publishing.rules import file_of
from policity.foundations.publishing.services import (
    RenderReport,
    deepen,
    ensure_shown,
    mark_stale,
    rebuild,
    recording,
    render_due,
    render_step,
    rendering,
    verify,
)
from policity.foundations.publishing.services import tree as files
from policity.foundations.publishing.tests import stories
from policity.foundations.work import services as work
from policity.foundations.work.models import Item
from policity.kit.declare import Lane, PageFamily, Rendered, Stage

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def written(site):
    """The site with two stories, written."""
    stories.tell(1, "rain", now=NOW)
    stories.tell(2, "wind", now=NOW)
    rebuild()
    render_due(now=NOW)
    return site


@pytest.fixture
def moves(monkeypatch):
    """The order in which addresses are written and removed."""
    seen: list[tuple[str, str]] = []
    write, remove = files.write, files.remove

    def writing(pages):
        seen.extend(("write", address) for address in pages)
        return write(pages)

    def removing(addresses):
        seen.extend(("remove", address) for address in addresses)
        remove(addresses)

    monkeypatch.setattr(files, "write", writing)
    monkeypatch.setattr(files, "remove", removing)
    return seen


def text_of(address: str) -> str:
    return (files.read(address) or b"").decode()


def test_everything_declared_is_written(written, tree):
    assert files.present() == {
        "/style.css",
        *("/stories/1/", "/en/stories/1/", "/stories/2/", "/en/stories/2/"),
        *("/stories/", "/en/stories/", "/stories/feed.atom"),
        *("/", "/en/"),
    }
    assert "/stories/2/" in text_of("/")
    assert not Item.objects.exists()
    assert set(PageKey.objects.filter(page__address="/").values_list("key", flat=True)) == {
        "stories",
        "style",
    }


def test_what_is_linked_to_is_written_first(site, moves):
    stories.tell(1, "rain", now=NOW)
    rebuild()
    render_due(now=NOW)
    stages = [
        ("/style.css",),
        ("/en/stories/1/", "/stories/1/"),
        ("/en/stories/", "/stories/", "/stories/feed.atom"),
        ("/", "/en/"),
    ]
    addresses = [address for _, address in moves]
    for stage in stages:
        batch, addresses = addresses[: len(stage)], addresses[len(stage) :]
        assert sorted(batch) == sorted(stage)
    assert addresses == []


def test_what_goes_is_removed_after_the_last_link_to_it(written, moves):
    stories.drop(1, now=LATER)
    report = render_due(now=LATER)
    assert set(moves[-2:]) == {("remove", "/stories/1/"), ("remove", "/en/stories/1/")}
    assert report == RenderReport(written=5, removed=2)
    assert not Page.objects.filter(address__contains="stories/1/").exists()
    assert not files.exists("/stories/1/")


def test_removals_run_from_home_to_leaves(written, declare, moves, tree):
    declare({name: gone(family) for name, family in written.items()})
    rebuild()
    render_due(now=LATER)
    stages = {
        address: family.stage for family in written.values() for address in family.addresses()
    }
    removed = [stages[address] for _, address in moves]
    assert removed == sorted(removed, reverse=True)
    assert len(removed) == 10
    assert files.present() == set()


def gone(family: PageFamily) -> PageFamily:
    return replace(family, render=lambda addresses: ((address, None) for address in addresses))


def test_what_stays_the_same_is_not_written_again(written, moves):
    mark_stale(["style", "stories"], now=LATER)
    assert render_due(now=LATER) == RenderReport(unchanged=6)
    assert moves == []


def test_a_page_that_cannot_be_rendered_holds_up_nothing(written, declare):
    story = written["t.story"]

    def render(addresses):
        for address in addresses:
            if address == "/stories/1/":
                raise ValueError("no such word")
            yield from story.render([address])

    declare(written | {"t.story": replace(story, render=render)})
    stories.tell(1, "storm", now=LATER)
    assert render_due(now=LATER) == RenderReport(written=6, failed=1)
    assert "storm" in text_of("/")
    assert "rain" in text_of("/stories/1/")
    item = Item.objects.get()
    assert item.last_error == "ValueError('no such word')"
    assert item.due > LATER
    declare(written)
    render_due(now=LATER + timedelta(minutes=5))
    assert "storm" in text_of("/stories/1/")


def broken(addresses):
    raise ValueError("no such word")


def test_a_change_is_shown_when_its_last_urgent_page_is_written(written, declare):
    home = written["t.home"]
    declare(written | {"t.home": replace(home, render=broken)})
    stories.tell(1, "storm", now=LATER)
    shown = Showing.objects.latest("pk")
    render_due(now=LATER)
    shown.refresh_from_db()
    assert Item.objects.filter(due__lte=LATER).count() == 0
    assert shown.shown_at is None, "its home pages failed: they are not due, and not written"
    stories.tell(2, "a change that writes other pages", now=LATER)
    declare(written)
    render_due(now=LATER + timedelta(minutes=5))
    shown.refresh_from_db()
    assert shown.shown_at is not None
    assert shown.shown_at >= LATER + timedelta(minutes=5)


def test_a_page_that_waits_for_its_time_keeps_no_change_open(site, declare):
    def render(addresses):
        for address in addresses:
            yield address, Rendered(b"x", frozenset({"word"}), LATER)

    page = PageFamily("p", Lane.URGENT, Stage.LEAF, lambda: ["/p/"], lambda key: (), render)
    declare({"p": page})
    rebuild()
    render_due(now=NOW)
    mark_stale(["word"], now=NOW)
    render_due(now=NOW)
    assert Item.objects.get().due == LATER
    assert Showing.objects.get().shown_at is not None


def test_a_family_that_forgets_a_page_is_asked_again(written, declare):
    story = written["t.story"]
    declare(written | {"t.story": replace(story, render=lambda addresses: iter(()))})
    stories.tell(1, "storm", now=LATER)
    assert render_due(now=LATER).failed == 2
    assert "rain" in text_of("/stories/1/")


def test_an_address_out_of_the_folder_is_refused(site, declare, tree):
    def render(addresses):
        for address in addresses:
            yield address, Rendered(b"x", frozenset())

    bad = PageFamily("bad", Lane.URGENT, Stage.LEAF, lambda: ["/../x"], lambda key: (), render)
    declare({"bad": bad})
    rebuild()
    assert render_due(now=NOW).failed == 1
    assert not (tree.parent / "x").exists()


def test_a_full_disk_is_a_failure_like_any_other(written, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    stories.tell(1, "storm", now=LATER)
    with monkeypatch.context() as patched:
        patched.setattr(files, "_write_whole", full)
        assert render_due(now=LATER).failed == 7
    assert "rain" in text_of("/")
    render_due(now=LATER + timedelta(minutes=5))
    assert "storm" in text_of("/")


def test_a_change_during_a_render_is_not_lost(written, declare):
    story = written["t.story"]
    told_meanwhile: list[int] = []

    def render(addresses):
        yield from list(story.render(addresses))
        if not told_meanwhile:
            told_meanwhile.append(1)
            stories.tell(1, "third", now=LATER)

    declare(written | {"t.story": replace(story, render=render)})
    stories.tell(1, "second", now=LATER)
    render_due(now=LATER)
    assert "third" in text_of("/stories/1/")
    assert "third" in text_of("/en/")


def test_a_new_key_that_changes_before_it_is_recorded_is_not_lost(site, declare):
    """The page depends on a key that no record knows yet; only the count of changes tells."""
    state = {"text": "old"}

    def render(addresses):
        text = state["text"]
        if text == "old":
            state["text"] = "new"
            mark_stale(["word"], now=NOW)
        for address in addresses:
            yield address, Rendered(text.encode(), frozenset({"word"}))

    page = PageFamily("p", Lane.URGENT, Stage.LEAF, lambda: ["/p/"], lambda key: (), render)
    declare({"p": page})
    rebuild()
    render_due(now=NOW)
    assert files.read("/p/") == b"new"


def test_a_list_never_links_to_what_was_born_while_it_was_rendered(written, declare, monkeypatch):
    lists = written["t.lists"]
    born: list[int] = []

    def render(addresses):
        if not born:
            born.append(9)
            stories.tell(9, "born meanwhile", now=LATER)
        yield from lists.render(addresses)

    declare(written | {"t.lists": replace(lists, render=render)})
    write = files.write

    def checked(pages):
        for address, body in pages.items():
            if b'href="/stories/9/"' in body:
                assert files.exists("/stories/9/"), f"{address} links to what is not there"
        return write(pages)

    monkeypatch.setattr(files, "write", checked)
    mark_stale(["stories"], now=LATER)
    render_due(now=LATER)
    assert "/stories/9/" in text_of("/stories/")


def test_what_comes_back_before_it_is_removed_stays(written):
    stories.drop(1, now=LATER)
    while Item.objects.exclude(kind="page:gone").exists():
        render_step(now=LATER)
    assert Item.objects.filter(kind="page:gone").count() == 2
    stories.tell(1, "back again", now=LATER)
    render_due(now=LATER)
    assert "back again" in text_of("/stories/1/")
    assert verify(now=LATER).differences == ()


def test_an_interrupted_write_is_done_again_even_back_to_the_same_bytes(written, monkeypatch):
    """Files are at B and the record at A; the next render gives A again."""
    before = files.read("/")

    class Killed(BaseException):
        pass

    def killed(batch, now):
        if ("t.home", "/") in batch.held:
            raise Killed
        recording.record(batch, now)

    stories.tell(1, "storm", now=LATER)
    with monkeypatch.context() as patched:
        patched.setattr(rendering, "record", killed)
        with pytest.raises(Killed):
            render_due(now=LATER)
    assert "storm" in text_of("/")
    stories.tell(1, "rain", now=LATER)
    render_due(now=LATER)
    assert files.read("/") == before
    assert verify(now=LATER).differences == ()


def test_the_leases_of_the_dead_are_taken_over_at_once(written):
    stories.tell(1, "storm", now=LATER)
    for kind in ("page:leaf", "page:list", "page:home"):
        for lane in Lane:
            work.claim(kind, lane=lane, now=LATER, lease=timedelta(hours=1), limit=100)
    assert render_due(now=LATER).written == 7


def test_urgent_alone_leaves_the_others_for_later(written):
    stories.tell(1, "storm", now=LATER)
    assert render_due(now=LATER, lane=Lane.URGENT).written == 5
    assert "rain" in text_of("/stories/1/")
    assert render_due(now=LATER).written == 2


def test_a_page_is_rendered_again_when_its_time_has_passed(site, declare):
    until = NOW + timedelta(hours=1)
    state = {"rendered": 0}

    def render(addresses):
        state["rendered"] += 1
        for address in addresses:
            yield address, Rendered(str(state["rendered"]).encode(), frozenset(), until)

    page = PageFamily("p", Lane.URGENT, Stage.LEAF, lambda: ["/p/"], lambda key: (), render)
    declare({"p": page})
    rebuild()
    render_due(now=NOW)
    assert render_due(now=until - timedelta(minutes=1)) == RenderReport()
    assert render_due(now=until) == RenderReport(written=1)
    assert render_due(now=until + timedelta(days=1)) == RenderReport(), "once, and not for ever"


def test_waiting_for_the_pen_within_a_transaction_is_refused(written, monkeypatch):
    monkeypatch.setattr(files, "pen", lambda: pytest.fail("it would wait for ever"))
    stories.tell(1, "storm", now=LATER)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        render_due(now=LATER)


def test_a_family_s_name_may_change(written, declare):
    home = written.pop("t.home")
    declare(written | {"t.front": replace(home, name="t.front")})
    rebuild()
    render_due(now=LATER)
    assert files.exists("/")
    assert Page.objects.get(address="/").family == "t.front"
    # Put before the name changed, and come to only now.
    work.put("page:leaf", ["t.home/"], lane=Lane.URGENT, due=NOW)
    render_due(now=LATER)
    assert files.exists("/")
    assert verify(now=LATER).differences == ()


def test_idle_work_makes_brotli_files_smaller_and_keeps_their_bytes(written, tree):
    before = {path: path.stat().st_size for path in tree.rglob("*.br")}
    assert Page.objects.filter(dense=False).count() == 10
    while deepen(now=LATER):
        pass
    assert not Page.objects.filter(dense=False).exists()
    after = {path: path.stat().st_size for path in tree.rglob("*.br")}
    assert sum(after.values()) < sum(before.values())
    assert verify(now=LATER).differences == ()
    stories.tell(1, "storm", now=LATER)
    render_due(now=LATER)
    assert Page.objects.filter(dense=False).count() == 7


def test_idle_work_gives_way_to_urgent_work(written, monkeypatch):
    mark_stale(["stories"], now=LATER)
    monkeypatch.setattr(brotli, "compress", lambda body, quality: time.sleep(0.5))
    start = time.monotonic()
    assert not deepen(now=LATER)
    assert time.monotonic() - start < 0.3


def test_idle_work_keeps_its_hands_off_a_page_that_changed(written, monkeypatch, tree):
    oldest = Page.objects.order_by("rendered_at").first()
    assert oldest is not None
    compress = brotli.compress

    def slow(body, quality):
        (tree / file_of(oldest.address)).write_bytes(b"written meanwhile")
        return compress(body, quality=quality)

    monkeypatch.setattr(brotli, "compress", slow)
    before = {path: path.read_bytes() for path in tree.rglob("*.br")}
    deepen(now=LATER)
    assert before == {path: path.read_bytes() for path in tree.rglob("*.br")}


def test_idle_work_mends_what_somebody_else_changed(written, tree):
    (tree / "stories/1/index.html").write_bytes(b"scribble")
    while deepen(now=LATER):
        render_due(now=LATER)
    assert verify(now=LATER).differences == ()


@pytest.mark.parametrize("suffix", ["", ".br", ".gz"])
@pytest.mark.parametrize("problem", ["missing", "extra", "different"])
def test_verify_notices_and_rebuild_mends(written, tree, problem, suffix):
    part = tree / f"stories/1/index.html{suffix}"
    if problem == "missing":
        part.unlink()
    elif problem == "different":
        part.write_bytes(brotli.compress(b"old") if suffix == ".br" else b"old")
    else:
        part = tree / f"stories/old{suffix}"
        part.write_bytes(b"old")
    found = verify(now=LATER)
    assert found.checked == 10
    assert len(found.differences) == 1
    expected = "different" if suffix and problem == "missing" else problem
    assert found.differences[0].problem == expected
    assert found.differences[0].address == ("/stories/old" if problem == "extra" else "/stories/1/")
    rebuild()
    render_due(now=LATER)
    assert verify(now=LATER).differences == ()


def test_verify_is_not_fooled_by_pages_that_wait(written):
    stories.tell(1, "storm", now=NOW)
    assert verify(now=LATER).differences == ()
    assert "storm" in text_of("/")


def test_verify_says_what_cannot_be_rendered(written, declare):
    declare(written | {"t.home": replace(written["t.home"], render=broken)})
    problems = {(one.address, one.problem) for one in verify(now=LATER).differences}
    assert problems == {("/", "unrendered"), ("/en/", "unrendered")}


def test_the_commands(written, tree, capsys):
    call_command("publish", "verify", "--json")
    assert capsys.readouterr().out == '{"waiting": 0, "checked": 10, "differences": []}\n'
    (tree / "index.html").write_bytes(b"scribble")
    with pytest.raises(SystemExit) as stopped:
        call_command("publish", "verify", "--json")
    assert stopped.value.code == 1
    assert '"problem": "different"' in capsys.readouterr().out
    call_command("publish", "rebuild")
    call_command("publish", "verify")
    stories.tell(1, "storm", now=NOW)
    call_command("publish", "run")
    assert "storm" in text_of("/")


def test_a_change_that_makes_many_pages_writes_each_once(site):
    rebuild()
    render_due(now=NOW)
    for number in range(22):
        stories.tell(number, "rain", now=NOW)
    assert render_due(now=LATER).written == 49


def test_the_families_of_installed_apps_are_found():
    queries.families.cache_clear()
    for name, family in queries.families().items():
        assert family.name == name
        assert isinstance(family, PageFamily)


def test_a_command_writes_what_no_worker_writes(written):
    stories.tell(1, "storm", now=NOW)
    ensure_shown(now=timezone.now())
    assert "storm" in text_of("/")


def test_a_command_leaves_its_pages_to_a_living_worker_for_a_while(written, settings, monkeypatch):
    beat = Path(settings.HOME) / "run" / "worker.alive"
    beat.parent.mkdir(exist_ok=True)
    beat.touch()
    monkeypatch.setattr(rendering, "PATIENCE", timedelta(seconds=0.2))
    stories.tell(1, "snow", now=NOW)
    ensure_shown(now=timezone.now())
    beat.unlink()
    assert "snow" in text_of("/"), "a worker that hangs is not waited for without end"


def test_a_command_does_not_take_a_page_that_failed_for_shown(
    written, declare, settings, monkeypatch
):
    """The worker tried, and rests before it tries again: this is no reason to say it is shown."""
    declare(written | {"t.home": replace(written["t.home"], render=broken)})
    stories.tell(1, "storm", now=NOW)
    render_due(now=timezone.now())
    beat = Path(settings.HOME) / "run" / "worker.alive"
    beat.touch()
    looks: list[float] = []

    def glance(seconds):
        looks.append(seconds)
        if len(looks) == 3:  # the worker tries again
            declare(written)
            render_due(now=timezone.now() + timedelta(minutes=5))

    monkeypatch.setattr(time, "sleep", glance)
    ensure_shown(now=timezone.now())
    beat.unlink()
    assert len(looks) == 3
    assert "storm" in text_of("/")
