"""Photographs from residents: read, kept without what cameras note, decided on, withdrawn, gone."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from PIL import Image, PngImagePlugin

from policity.fields.charm import queries, services
from policity.fields.charm.declarations import METRICS
from policity.fields.charm.formats.photographs import BadPhotograph, Fault
from policity.fields.charm.models import Contribution, Photograph, PhotographReport
from policity.fields.charm.presenters.photographs import TERMS as TEXT
from policity.fields.charm.presenters.photographs import pages
from policity.fields.charm.rules.photographs import (
    LARGEST,
    TERMS,
    WIDTHS,
    Licence,
    Reason,
    sizes,
)
from policity.fields.charm.services import fading, files
from policity.fields.charm.tests.conftest import NOW
from policity.fields.charm.tests.test_pages import FAMILIES, rendered, text
from policity.foundations.accounts.models import AuditEntry
from policity.foundations.delivery.models import Dispatch, Message
from policity.foundations.residents.models import Address, Resident
from policity.kit.languages import LANGUAGES

CAMERA = b"PLANTED-SERIAL-4711"
Stage = Photograph.Stage


def jpeg(width: int = 1600, height: int = 1200, **more: Any) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).convert("RGB").save(out, "JPEG", **more)
    return out.getvalue()


def noted() -> bytes:
    """A photograph as a telephone writes it: turned, and with all that it knows."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = CAMERA.decode()
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[29] = "N", (35.0, 43.0, 30.5), CAMERA.decode()
    exif.get_ifd(0x8769)[0xA431] = CAMERA.decode()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><GPSLatitude>' + CAMERA + b"</GPSLatitude>"
    return jpeg(exif=exif.tobytes(), xmp=xmp, comment=CAMERA) + CAMERA


@given(st.integers(1, 1920), st.integers(1, 1920))
def test_no_size_is_larger_than_the_photograph_or_of_another_shape(width, height):
    made = sizes(width, height)
    assert {across for across, _ in made} == {min(one, width) for one in WIDTHS}
    for across, down in made:
        assert abs(down - height * across / width) <= 1


def test_what_a_camera_notes_is_gone_and_the_photograph_is_upright():
    data = noted()
    assert data.count(CAMERA) >= 5
    shot = files.read(data, largest=LARGEST)
    assert (shot.width, shot.height) == (1200, 1600)
    assert CAMERA not in shot.body
    with Image.open(io.BytesIO(shot.body)) as kept:
        assert (kept.format, dict(kept.getexif()), kept.info.get("xmp")) == ("JPEG", {}, None)


def test_what_can_be_seen_through_becomes_white():
    out = io.BytesIO()
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", CAMERA.decode())
    Image.new("RGBA", (40, 30), (200, 0, 0, 0)).save(out, "PNG", pnginfo=notes)
    assert CAMERA in out.getvalue()
    shot = files.read(out.getvalue(), largest=LARGEST)
    assert CAMERA not in shot.body
    with Image.open(io.BytesIO(shot.body)) as kept:
        assert min(low for low, _ in kept.getextrema()) > 250  # type: ignore[misc]


def written(kind: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, kind)
    return out.getvalue()


def bomb() -> bytes:
    """A small file that says it is ten thousand pixels square."""
    out = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_every_kind_that_telephones_write_is_read(kind):
    assert files.read(written(kind), largest=LARGEST).width == 256


def test_two_photographs_in_one_file_as_telephones_write_are_one():
    out = io.BytesIO()
    first, second = (Image.linear_gradient("L").convert("RGB") for _ in range(2))
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert files.read(out.getvalue(), largest=LARGEST).width == 256


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.EMPTY),
        (b"x" * 11, Fault.LARGE),
        (b"words", Fault.UNREADABLE),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', Fault.UNREADABLE),
        (b"<html><script>x()</script>", Fault.UNREADABLE),
        (written("GIF"), Fault.UNREADABLE),
        (written("TIFF"), Fault.UNREADABLE),
        (jpeg()[:4000], Fault.UNREADABLE),
        (written("HEIF")[:300], Fault.HEIC),
        (bomb(), Fault.PIXELS),
    ],
    ids=range(10),
)
def test_what_is_no_photograph_is_refused_and_why(data, fault):
    with pytest.raises(BadPhotograph) as refused:
        files.read(data, largest=10 if fault is Fault.LARGE else LARGEST)
    assert refused.value.fault is fault


@given(st.binary(max_size=400), st.sampled_from(["JPEG", "PNG", "WEBP", "HEIF"]))
def test_any_bytes_are_a_photograph_or_refused(data, kind):
    head = HEADS[kind]
    for some in (data, head[: len(head) // 2] + data):
        try:
            files.read(some, largest=LARGEST)
        except BadPhotograph:
            continue


HEADS = {kind: written(kind) for kind in ("JPEG", "PNG", "WEBP", "HEIF")}


def test_another_text_to_agree_to_is_another_version():
    """What was agreed to is known by its version: who changes the text changes both here."""
    digest = sha256("\n".join(TEXT).encode()).hexdigest()[:12]
    assert (TERMS, digest) == ("2026-11", "a6917b29396c")


@pytest.mark.parametrize(("count", "made"), [(0, 1), (1, 1), (24, 1), (25, 2), (49, 3)])
def test_a_gallery_has_a_page_for_each_so_many(count, made):
    assert pages(count) == made


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def send(city, media, django_capture_on_commit_callbacks):
    """Photographs that somebody sent: `send(2, email=...)` gives their numbers."""

    def send(count: int = 1, *, now: datetime = NOW, **said: Any) -> list[int]:
        fields: dict[str, Any] = {
            "alt": "朝の公園", "language": "ja", "licence": Licence.CC_BY, "credit": "緑町の人",
        }  # fmt: skip
        shots = [files.read(noted(), largest=LARGEST) for _ in range(count)]
        sent = services.Sent(**(fields | said))
        number = services.receive(sent=sent, shots=shots, now=now)
        return list(
            Photograph.objects.filter(contribution=number)
            .values_list("pk", flat=True)
            .order_by("pk")
        )

    return send


def lying(media: Any) -> list[Any]:
    return [file for file in media.rglob("*") if file.is_file()]


def made(*names: str) -> dict[str, bytes]:
    return {address: body for name in names for address, body in rendered(name).items()}


PUBLIC = ("charm-spots", "charm-gallery", "charm-photographs")


def test_nothing_that_is_written_says_where_it_was_taken(send, staff, media):
    (number,) = send()
    services.publish(photograph=number, by=staff, now=NOW)
    found = lying(media)
    # One as it is kept, and three widths in two formats.
    assert len(found) == 7
    for file in found:
        assert CAMERA not in file.read_bytes(), file
    assert all(CAMERA not in body for body in made(*PUBLIC).values())


def test_it_is_on_no_page_before_it_is_published_and_then_on_each(send, shown, staff):
    spot = shown[0]
    (number,) = send(spot=spot, taken=date(2026, 11, 3))
    assert rendered("charm-photographs") == {}
    assert not any("緑町の人".encode() in body for body in made(*PUBLIC).values())
    services.publish(photograph=number, by=staff, now=NOW)
    shots = rendered("charm-photographs")
    assert {address.rpartition(".")[2] for address in shots} == {"webp", "jpg"}
    assert set(FAMILIES["charm-photographs"].born_of(queries.photograph_key(number))) == set(shots)
    spots, galleries = rendered("charm-spots"), rendered("charm-gallery")
    for language in LANGUAGES:
        for body in (spots[f"{language.prefix}charm/spots/{spot}/"],
                     galleries[f"{language.prefix}charm/photographs/"]):  # fmt: skip
            page: Any = html.document_fromstring(body)
            (image,) = page.xpath("//ul[@class='shots']//img")
            assert image.get("src") in shots
            assert image.get("alt")
            said = text(body)
            assert "緑町の人" in said
            assert "CC BY 4.0" in said
            links = page.xpath("//ul[@class='shots']//a/@href")
            assert f"{language.prefix}charm/photographs/report/{number}/" in links
    other = shown[1]
    assert "緑町の人" not in text(spots[f"/charm/spots/{other}/"])


def test_who_sent_it_takes_it_back_and_nothing_is_left(
    send, shown, staff, media, django_capture_on_commit_callbacks
):
    kept, other = send(2, spot=shown[0])
    sent = Photograph.objects.get(pk=kept).contribution_id
    services.publish(photograph=kept, by=staff, now=NOW)
    services.report(photograph=kept, text="まちがい", now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.withdraw(contribution=sent, photograph=kept, now=NOW)
    assert len(lying(media)) == 1
    assert rendered("charm-photographs") == {}
    assert not any("緑町の人".encode() in body for body in made(*PUBLIC).values())
    row = Photograph.objects.get(pk=kept)
    assert (row.file, row.texts, row.spot, row.stage) == ("", {}, None, Stage.WITHDRAWN)
    assert not PhotographReport.objects.exists()
    assert not services.withdraw(contribution=sent, photograph=kept, now=NOW)
    # Somebody else's link takes back nothing.
    assert not services.withdraw(contribution=sent + 1, photograph=other, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.withdraw(contribution=sent, photograph=other, now=NOW)
    assert lying(media) == []
    assert Contribution.objects.get(pk=sent).credit == ""
    acts = list(AuditEntry.objects.filter(act="photograph.withdrawn").values_list("by", flat=True))
    assert acts == ["", ""]


def test_what_was_decided_is_undone(send, staff, media, django_capture_on_commit_callbacks):
    (number,) = send()
    services.publish(photograph=number, by=staff, now=NOW)
    with pytest.raises(services.PhotographRefused, match="もう決めて"):
        services.decline(photograph=number, reason=Reason.UNCLEAR, note="", by=staff, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        services.take_back(photograph=number, by=staff, now=NOW)
    assert rendered("charm-photographs") == {}
    assert len(lying(media)) == 1
    services.decline(photograph=number, reason=Reason.PEOPLE, note="子ども", by=staff, now=NOW)
    services.take_back(photograph=number, by=staff, now=NOW)
    row = Photograph.objects.get(pk=number)
    assert (row.stage, row.reason, row.note) == (Stage.WAITING, "", "")
    services.publish(photograph=number, by=staff, now=NOW)
    assert len(rendered("charm-photographs")) == 6


def test_the_plan_counts_what_residents_contributed_and_says_what_it_leaves_out(send, staff):
    (metric,) = METRICS
    before, after = NOW - timedelta(days=1), NOW + timedelta(days=1)
    assert metric.read(before, after).reason
    first, second, third, _ = send(4)
    for number in (first, second):
        services.publish(photograph=number, by=staff, now=NOW)
    assert services.withdraw(
        contribution=Photograph.objects.get(pk=second).contribution_id, photograph=second, now=NOW
    )
    services.decline(photograph=third, reason=Reason.UNCLEAR, note="", by=staff, now=NOW)
    found = metric.read(before, after)
    assert (found.number, found.rows) == (Decimal(1), 1)
    assert found.left_out == {"公開しない": 1, "確認待ち": 1, "取り下げ": 1}
    assert metric.read(NOW + timedelta(seconds=1), after).number is None
    assert metric.read(before, NOW).number is None


def test_nothing_is_published_without_saying_in_japanese_what_can_be_seen(send, staff):
    (number,) = send(language="en", alt="A park in the morning")
    with pytest.raises(services.PhotographRefused, match="日本語"):
        services.publish(photograph=number, by=staff, now=NOW)
    texts = {"en": {"alt": "A park in the morning"}, "ja": {"alt": "朝の公園"}}
    services.mend(photograph=number, texts=texts, spot=None, by=staff, now=NOW)
    services.publish(photograph=number, by=staff, now=NOW)
    galleries = rendered("charm-gallery")
    assert b'alt="A park in the morning"' in galleries["/en/charm/photographs/"]
    assert 'alt="朝の公園" lang="ja"'.encode() in galleries["/ko/charm/photographs/"]
    with pytest.raises(services.PhotographRefused, match="日本語"):
        services.mend(photograph=number, texts={}, spot=None, by=staff, now=NOW)


def test_the_gallery_has_a_card_where_it_is_shared(city):
    for prefix, title in (("/", "みんなの写真"), ("/easy/", "みんなの 写真")):
        page: Any = html.document_fromstring(
            rendered("charm-gallery")[f"{prefix}charm/photographs/"]
        )
        told = {meta.get("property"): meta.get("content") for meta in page.iter("meta")}
        assert told["og:title"] == title
        assert told["og:url"].endswith(f"{prefix}charm/photographs/")
        assert told["og:image"]


def test_more_than_staff_can_look_at_is_not_taken(send, media, monkeypatch):
    monkeypatch.setattr("policity.fields.charm.services.photographs.MOST_WAITING", 2)
    send(2)
    with pytest.raises(services.PhotographRefused, match="たくさん"):
        send(1)
    assert len(lying(media)) == Photograph.objects.count() == 2


def test_what_cannot_be_written_down_leaves_no_file(send, media):
    with pytest.raises(ValueError, match="アドレス"):
        send(1, email="no address")
    assert lying(media) == []


def told() -> list[tuple[str, str, str]]:
    """What was put on the road: its title, where it leads, and to which page."""
    rows = Dispatch.objects.order_by("message_id").select_related("message")
    return [(row.message.texts["ja"]["title"], row.leads_to, row.path) for row in rows]


def confirm() -> None:
    Address.objects.update(confirmed_at=NOW)


def test_whoever_gives_an_address_is_told_and_asked_whose_it_is(send, staff):
    first, second = send(2, email="p1@example.jp", language="ja")
    own = queries.own_page(Photograph.objects.get(pk=first).contribution_id)
    assert told() == [("写真を受け取りました", "confirm", own)]
    assert Dispatch.objects.get().audience["persons"] == [Resident.objects.get().pk]
    confirm()
    services.publish(photograph=first, by=staff, now=NOW)
    # Once, when all is decided.
    assert len(told()) == 1
    services.decline(photograph=second, reason=Reason.UNCLEAR, note="{夜|よる}", by=staff, now=NOW)
    assert told()[1:] == [("送ってくれた写真について", "", own)]
    last = Message.objects.order_by("-pk")[0]
    assert "1枚を、公開しました" in last.texts["ja"]["body"]
    assert "見えにくい" in last.texts["ja"]["body"]
    assert "hard to make out" in last.texts["en"]["body"]
    # What staff wrote is no markup of ours.
    assert "{" not in last.texts["en"]["body"]


def test_nobodys_mailbox_is_filled_by_somebody_else(send):
    mailed = []
    for minutes in (0, 1, 6, 12, 18, 24, 30):
        send(email="p1@example.jp", now=NOW + timedelta(minutes=minutes))
        mailed.append(len(told()))
    # Not within five minutes, and no more than for five forms a day.
    assert mailed == [1, 1, 2, 3, 4, 4, 4]


def test_without_an_address_nobody_is_told(send, staff):
    (number,) = send()
    services.publish(photograph=number, by=staff, now=NOW)
    assert told() == []


def test_whoever_leaves_the_citys_lists_is_told_nothing_more(send, staff):
    from policity.foundations.residents import services as residents

    (number,) = send(email="p1@example.jp")
    residents.leave(resident=Resident.objects.get().pk, now=NOW)
    services.publish(photograph=number, by=staff, now=NOW)
    assert len(told()) == 1
    assert Contribution.objects.get().person is None


def test_what_was_declined_is_deleted_and_nobody_is_known_any_more(
    send, staff, media, django_capture_on_commit_callbacks
):
    (number,) = send(email="p1@example.jp")
    confirm()
    services.decline(photograph=number, reason=Reason.UNCLEAR, note="", by=staff, now=NOW)
    before = NOW + timedelta(seconds=1)
    assert fading.declined_due(before=NOW) == fading.persons_due(before=NOW) == 0
    assert fading.declined_due(before=before) == fading.persons_due(before=before) == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert fading.fade_declined(before=before, now=NOW) == 1
    assert lying(media) == []
    assert fading.fade_declined(before=before, now=NOW) == 0
    with pytest.raises(services.PhotographRefused, match="もどせません"):
        services.take_back(photograph=number, by=staff, now=NOW)
    assert fading.fade_persons(before=before, now=NOW) == 1
    assert not Resident.objects.exists()
    assert fading.persons_due(before=before) == 0


def test_a_guest_who_is_still_to_hear_of_a_photograph_stays(send, staff):
    from policity.foundations.residents import services as residents

    send(email="p1@example.jp")
    person = Resident.objects.get().pk
    assert residents.part(persons=[person], now=NOW) == 0
    Contribution.objects.update(person=None)
    assert residents.part(persons=[person], now=NOW) == 1


def test_a_file_that_nobody_knows_of_goes_a_day_later(send, media):
    send()
    (media / "photographs" / "0123-480.webp").write_bytes(b"left over")
    # The clock of the disk is today's.
    today = datetime.now(UTC)
    assert files.left_over(now=today) == []
    assert files.left_over(now=today + timedelta(days=2)) == ["photographs/0123-480.webp"]


def test_how_much_was_sent_in_a_period(send):
    send(2)
    send(1, now=NOW + timedelta(days=1))
    day = timedelta(days=1)
    assert queries.count_contributed(since=NOW, until=NOW + day) == 2
    assert queries.count_contributed(since=NOW - day, until=NOW) == 0
    assert queries.count_contributed(since=NOW, until=NOW + 2 * day) == 3


def test_pages_ask_the_database_as_often_for_one_photograph_as_for_many(
    send, shown, staff, django_assert_max_num_queries
):
    for number in send(5, spot=shown[0]):
        services.publish(photograph=number, by=staff, now=NOW)
    for name in ("charm-gallery", "charm-photographs", "charm-spots"):
        addresses = list(FAMILIES[name].addresses())
        with django_assert_max_num_queries(8):
            list(FAMILIES[name].render(addresses))
