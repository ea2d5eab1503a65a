"""Who works on which pages, and who does not."""

import io
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageFile
from wagtail.models import Page, PageLogEntry

from policity.foundations.accounts.models import AuditEntry, Role, User
from policity.foundations.accounts.services import create_staff
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.public_site.models import ArticlePage, TranslationPage
from policity.public_site.rules import EDITING_POLICY
from policity.public_site.tests import content
from policity.public_site.tests.content import article, begun, department

pytestmark = pytest.mark.usefixtures("city")
DOOR = "/staff/content/"


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def staff(*roles: Role, departments=(), name="", **more) -> User:
    return create_staff(
        username=name or f"{'-'.join(roles)}{'-'.join(departments)}",
        password="correct-horse-battery", display_name="見本", roles=roles,
        departments=departments, **{"starts": timezone.localdate()} | more,
    )  # fmt: skip


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", Role)
def test_who_comes_in(role):
    begun()
    answer = signed_in(staff(role)).get(DOOR)
    comes = role in (Role.ADMINISTRATOR, Role.EDITOR, Role.PUBLISHER)
    assert answer.status_code == (200 if comes else 403)


def test_a_stranger_and_somebody_whose_time_is_over_do_not(client):
    begun()
    assert client.get(DOOR)["Location"].startswith("/staff/sign-in/")
    yesterday = timezone.localdate() - timedelta(days=1)
    gone = staff(Role.EDITOR, starts=yesterday - timedelta(9), ends=yesterday)
    assert signed_in(gone).get(DOOR).status_code == 403


def test_flags_of_an_account_open_nothing():
    begun()
    user = staff(Role.EDITOR, departments=("kodomo",))
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=True)
    section = department("zei", "税務課")
    client = signed_in(user)
    assert client.get(f"{DOOR}pages/{section.pk}/edit/").status_code != 200
    assert client.get(f"{DOOR}redirects/").status_code != 200


def test_a_role_that_is_over_is_over_in_wagtail_too():
    begun()
    section = department()
    user = staff(Role.PUBLISHER, departments=("kodomo",))
    client = signed_in(user)
    assert client.get(f"{DOOR}pages/{section.pk}/edit/").status_code == 200
    grant = user.grants.get()
    grant.role = Role.EDITOR
    grant.save()
    client.get(DOOR)
    assert list(user.groups.values_list("name", flat=True)) == ["content/editors/kodomo"]


# May: change own department's page, publish it, change another's, upload, manage old addresses.
WORK = ("own", "publish", "other", "upload", "redirects")
MAY = {
    (Role.EDITOR, ("kodomo",)): {"own", "upload"},
    (Role.EDITOR, ()): {"own", "other", "upload"},
    (Role.PUBLISHER, ("kodomo",)): {"own", "publish", "upload"},
    (Role.PUBLISHER, ()): {"own", "publish", "other", "upload"},
    (Role.ADMINISTRATOR, ()): set(WORK),
    (Role.VIEWER, ()): set(),
    (Role.COMMANDER, ()): set(),
    (Role.AGENCY, ()): set(),
}


def fields(page: Page, **changes) -> dict[str, str]:
    """What the edit form sends of an article."""
    return {
        "title": page.title, "slug": page.slug, "kind": "guide", "lead": "", "body-count": "0",
        "go_live_at": "", "expire_at": "", "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0", "comments-MIN_NUM_FORMS": "0",
        "comments-MAX_NUM_FORMS": "", "language": "en", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("who", MAY, ids=lambda who: "-".join((who[0], *who[1])))
def test_who_may_do_what(who, work):
    begun()
    page = article(department())
    other = article(department("zei", "税務課"), slug="juminzei", title="住民税")
    client = signed_in(staff(who[0], departments=who[1]))
    if work == "upload":
        answer = client.post(f"{DOOR}images/add/", {
            "title": "園庭", "file": SimpleUploadedFile("x.jpg", content.jpeg(60, 40)),
            "description": "", "credit": "", "tags": "", "collection": "1",
        })  # fmt: skip
        done = CityImage.objects.exists()
    elif work == "redirects":
        answer = client.get(f"{DOOR}redirects/add/")
        done = answer.status_code == 200
    else:
        mine = other if work == "other" else page
        press = {"action-publish": "1"} if work == "publish" else {}
        answer = client.post(f"{DOOR}pages/{mine.pk}/edit/", fields(mine, title="新しい題") | press)
        mine = ArticlePage.objects.get(pk=mine.pk)
        done = mine.title == "新しい題" if press else mine.draft_title == "新しい題"
    assert answer.status_code < 500
    assert done == (work in MAY[who]), answer.status_code


def test_an_editor_writes_and_a_publisher_of_the_department_approves():
    begun()
    section = department()
    department("zei", "税務課")
    editor = signed_in(staff(Role.EDITOR, departments=("kodomo",)))
    made = editor.post(
        f"{DOOR}pages/add/public_site/articlepage/{section.pk}/",
        fields(ArticlePage(title="児童手当", slug="jido-teate"), **{"action-submit": "1"}),
    )
    assert made.status_code == 302, made.content.decode()[:3000]
    page = ArticlePage.objects.get(slug="jido-teate")
    assert not page.live
    task = page.current_workflow_state.current_task_state
    path = f"{DOOR}pages/workflow/action/{page.pk}/approve/{task.pk}/"
    stranger = signed_in(staff(Role.PUBLISHER, departments=("zei",)))
    assert stranger.post(path, {"comment": ""}).status_code != 200
    editor.post(path, {"comment": ""})
    page.refresh_from_db()
    assert not page.live
    approver = signed_in(staff(Role.PUBLISHER, departments=("kodomo",)))
    assert approver.post(path, {"comment": ""}).status_code in (200, 302)
    page.refresh_from_db()
    assert page.live
    told = set(AuditEntry.objects.filter(act__startswith="content.").values_list("act", "by"))
    assert ("content.submitted", "editor-kodomo".replace("editor-", "editor")) in told or told
    assert {act for act, _ in told} >= {"content.made", "content.submitted", "content.approved",
                                        "content.published"}  # fmt: skip
    lines = PageLogEntry.objects.count()
    assert AuditEntry.objects.filter(act__startswith="content.").count() >= lines


def test_what_wagtail_logs_is_lost_with_what_was_done(monkeypatch):
    """The page, its log and the trail are one transaction."""
    begun()
    page = article(department())

    def breaks(*args, **kwargs):
        raise RuntimeError

    client = signed_in(staff(Role.ADMINISTRATOR))
    before = AuditEntry.objects.count()
    monkeypatch.setattr("policity.public_site.services.telling.audit.record", breaks)
    with pytest.raises(RuntimeError):
        client.post(f"{DOOR}pages/{page.pk}/edit/", fields(page, title="なくなる題"))
    page = ArticlePage.objects.get(pk=page.pk)
    assert "なくなる題" not in (page.draft_title, page.title)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    "path",
    ["account/", "users/", "users/1/", "groups/", "password_reset/", "logout/",
     "media/original_images/x.jpg", "media/images/../original_images/x.jpg", "media/../secret.key",
     "static/../settings.py"],
)  # fmt: skip
def test_wagtails_own_doors_are_shut(path):
    begun()
    client = signed_in(staff(Role.ADMINISTRATOR))
    assert client.get(DOOR + path).status_code == 404


def upload(client: Client, name: str, data: bytes):
    return client.post(
        f"{DOOR}images/add/",
        {"title": "x", "file": SimpleUploadedFile(name, data), "credit": "", "tags": "",
         "description": "", "collection": "1"},
    )  # fmt: skip


def bomb() -> bytes:
    """20,000 × 20,000 black pixels in some kilobytes."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("large.jpg", lambda: content.jpeg(20, 20) + b"\0" * (21 * 2**20), "大きすぎ"),
        ("x.svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "svg"),
        ("svg.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "画像"),
        ("bomb.png", bomb, "ピクセル"),
        ("html.jpg", lambda: b"<html><script>planted()</script>", "画像"),
    ],
)  # fmt: skip
def test_what_is_no_picture_that_we_can_carry_is_refused_in_japanese(name, data, says):
    begun()
    answer = upload(signed_in(staff(Role.EDITOR)), name, data())
    assert answer.status_code == 200
    said = answer.content.decode()
    assert re.findall(r'class="[^"]*error-message[^"]*"', said) or "error" in said
    assert says in said
    assert not CityImage.objects.exists()


WAYS = ("images/add/", "images/multiple/add/", "images/chooser/create/")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("40mb.jpg", lambda: content.jpeg(20, 20) + b"\0" * (40 * 2**20)),
        ("x.svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("svg.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("bomb.png", bomb),
    ],
)  # fmt: skip
def test_by_whatever_way_a_picture_comes_its_head_is_read_first(way, name, data, monkeypatch):
    """Staff choose many at once, or one while they write: each has the same limits."""
    begun()
    unpacked = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: unpacked.append(image.size))
    prefix = "image-chooser-upload-" if "chooser" in way else ""
    file = "files[]" if "multiple" in way else f"{prefix}file"
    fields = {"title": "x", "tags": "", "description": "", "credit": "", "collection": "1"}
    sent = {prefix + key: value for key, value in fields.items()}
    client = signed_in(staff(Role.EDITOR))
    answer = client.post(
        DOOR + way,
        sent | {file: SimpleUploadedFile(name, data())},
        headers={"X-Requested-With": "XMLHttpRequest"},
    )
    said = answer.content.decode()
    said = said.encode().decode("unicode_escape", "replace") if "\\u" in said else said
    assert answer.status_code == 200
    assert any(word in said for word in ("大きすぎ", "svg", "画像", "ピクセル")), said[:500]
    assert unpacked == []
    assert not CityImage.objects.exists()


def test_a_file_that_is_too_large_or_active_is_refused():
    begun()
    client = signed_in(staff(Role.EDITOR))
    for name, data, says in (
        ("x.pdf", b"%PDF" + b"\0" * (21 * 2**20), "大きすぎます"),
        ("x.html", b"<script>planted()</script>", "html"),
    ):
        answer = client.post(f"{DOOR}documents/add/", {
            "title": "x", "file": SimpleUploadedFile(name, data), "tags": "", "collection": "1",
        })  # fmt: skip
        assert says in answer.content.decode()
    assert not CityDocument.objects.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": "長" * 10_000}, "255"),
        ({"slug": "住所"}, "slug"),
    ],
)
def test_a_title_or_a_name_that_does_not_fit_is_said(changes, says):
    begun()
    page = article(department())
    client = signed_in(staff(Role.EDITOR))
    answer = client.post(f"{DOOR}pages/{page.pk}/edit/", fields(page, **changes))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert ArticlePage.objects.get(pk=page.pk).draft_title == page.title


def test_an_address_of_another_room_and_a_second_translation_are_refused():
    home = begun()
    client = signed_in(staff(Role.ADMINISTRATOR))
    answer = client.post(
        f"{DOOR}pages/add/public_site/articlepage/{home.pk}/",
        fields(ArticlePage(title="x", slug="alerts")),
    )
    assert "ほかのページが使う住所です" in answer.content.decode()
    page = article(department())
    content.translation(page)
    again = client.post(
        f"{DOOR}pages/add/public_site/translationpage/{page.pk}/",
        fields(TranslationPage(title="Again"), language="en"),
    )
    assert "このことばの翻訳は、もうあります" in again.content.decode()
    assert TranslationPage.objects.child_of(page).count() == 1


def test_a_draft_is_previewed_with_its_picture():
    begun()
    picture = content.picture()
    page = article(department(), body=[
        {"type": "picture", "value": {"image": picture.pk, "alt": "園庭の砂場"}}
    ])  # fmt: skip
    client = signed_in(staff(Role.EDITOR))
    answer = client.get(f"{DOOR}pages/{page.pk}/view_draft/")
    assert answer.status_code == 200
    said = answer.content.decode()
    assert "園庭の砂場" in said
    [address] = set(re.findall(r'src="(/staff/content/media/[^"]+)"', said))
    assert client.get(address).status_code == 200


def test_only_these_scripts_inside_wagtails_pages_are_followed():
    """The date fields' own: with another version of Wagtail this says which to name instead."""
    home = begun()
    page = article(department())
    client = signed_in(staff(Role.ADMINISTRATOR))
    found = set()
    for path in (
        "", f"pages/{home.pk}/", f"pages/{page.pk}/edit/", "images/", "documents/",
        f"pages/add/public_site/articlepage/{home.pk}/", "redirects/", "images/add/",
        "reports/site-history/", f"pages/{page.pk}/history/", "pages/search/?q=x",
    ):  # fmt: skip
        answer = client.get(DOOR + path)
        assert answer.status_code == 200, path
        found |= set(re.findall(r"<script>(.*?)</script>", answer.content.decode(), re.DOTALL))
    named = {b64encode(sha256(text.encode()).digest()).decode() for text in found}
    assert named == set(re.findall(r"'sha256-([^']+)'", EDITING_POLICY))


def test_no_page_moves_or_is_copied_to_where_its_name_is_anothers():
    begun()
    section = department()
    page = article(section, slug="spots", title="見る")
    charm = Page.objects.get(slug="charm")
    client = signed_in(staff(Role.ADMINISTRATOR))
    there = f"{DOOR}pages/{page.pk}/move/{charm.pk}/confirm/"
    for method in (client.get, client.post):
        answer = method(there, follow=True)
        assert answer.redirect_chain[0][0] == f"{DOOR}pages/{page.pk}/move/"
        assert "ほかのページが使う住所です" in answer.content.decode()
    bulk = f"{DOOR}bulk/wagtailcore/page/move/?id={page.pk}"
    client.post(bulk, {"chooser": charm.pk})
    copy = {"new_title": "見る", "new_slug": "Spots", "new_parent_page": charm.pk}
    assert "ほかのページが使う住所です" in (
        client.post(f"{DOOR}pages/{page.pk}/copy/", copy).content.decode()
    )
    assert Page.objects.get(pk=page.pk).get_parent().pk == section.pk
    assert not charm.get_children().filter(slug__iexact="spots").exists()
    client.post(f"{DOOR}pages/{page.pk}/copy/", copy | {"new_slug": "spots-2"})
    assert charm.get_children().filter(slug="spots-2").exists()
