"""The pages of an ordinary day, as a tree that departments write.

A page's address comes from its place in the tree; what it says in another language is a page of
its own below it (docs/adr/0021), and answers at the same address with that language before it.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Length, Substr
from django.http import HttpRequest, HttpResponse
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.forms.pages import CopyForm
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page

from policity.foundations.accounts.models import Department, User
from policity.foundations.publishing.models import CityDocument, CityImage
from policity.kit import ruby
from policity.kit.languages import BY_CODE, LANGUAGES
from policity.public_site.blocks import BODY
from policity.public_site.rules import LONGEST_ADDRESS, Kind, Listing, rest_of, slug_fault
from policity.public_site.rules.older import Fault, Need, said

HOME_PATH = "/home/"
OTHER_LANGUAGES = [(one.code, one.name) for one in LANGUAGES[1:]]
# A step of treebeard's path: four signs for each level.
STEP = Page.steplen


class TreeForm(WagtailAdminPageForm):  # type: ignore[misc]
    """What can only be said once it is known below which page it will stand."""

    def clean(self) -> dict[str, Any]:
        """The name in the address is free, the address is not too long, a language is there once.

        It stands here, for Wagtail tells its forms where a new page will be, and not the page.
        """
        cleaned: dict[str, Any] = super().clean()
        language = cleaned.get("language")
        if language and not Page._slug_is_available(language, self.parent_page, self.instance):
            self.add_error("language", "このことばの翻訳は、もうあります。そちらを直してください。")
        slug = cleaned.get("slug")
        if slug:
            fault = slug_fault(slug, below=_above(self.parent_page))
            if not fault and len(self.parent_page.url_path) + len(slug) > LONGEST_ADDRESS:
                fault = "住所が長すぎます。短い名前にしてください。"
            if fault:
                self.add_error("slug", fault)
        return cleaned


class TreeCopyForm(CopyForm):  # type: ignore[misc]
    """A copy takes no name that is another's where it will stand."""

    def clean(self) -> dict[str, Any]:
        """The name is free."""
        cleaned: dict[str, Any] = super().clean()
        parent = cleaned.get("new_parent_page") or self.page.get_parent()
        fault = slug_fault(cleaned.get("new_slug") or "x", below=_above(parent))
        if fault:
            self.add_error("new_slug", fault)
        return cleaned


def _above(parent: Page) -> str:
    """The address of the page above; a new home page's own parent has none."""
    path: str = parent.url_path
    return rest_of(path, HOME_PATH) if path.startswith(HOME_PATH) else path


class TreePage(Page):  # type: ignore[misc]
    """What every page of ours has: a sentence that says what it is for, and a body."""

    lead = models.TextField("このページで分かること（一文か二文）", max_length=200, blank=True)
    body = StreamField(BODY, verbose_name="本文", blank=True)
    is_sample = models.BooleanField("見本", default=False, editable=False)

    class Meta:
        abstract = True

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    # Nothing here is seen by programs alone: the lead is what search engines are told.
    promote_panels: ClassVar = [MultiFieldPanel([FieldPanel("slug")], heading="住所")]
    base_form_class = TreeForm
    copy_form_class = TreeCopyForm
    # Presenters know of models, and not the other way round: `apps` says who draws a preview.
    previewed: ClassVar[Callable[["TreePage"], bytes]]

    def get_url_parts(self, request: HttpRequest | None = None) -> tuple[int, str, str] | None:
        """Where residents read it; Wagtail's own views serve nobody."""
        sites = self._get_relevant_site_root_paths(request)
        if not sites:
            return None
        language, path = self.address_in()
        return sites[0].site_id, settings.PUBLIC_URL.rstrip("/"), language + path

    def address_in(self) -> tuple[str, str]:
        """The language's prefix, and the address after it."""
        return LANGUAGES[0].prefix, rest_of(self.url_path, HOME_PATH)

    def can_move_to(self, parent: Page) -> bool:
        """Not where its name is another's."""
        return not self.fault_below(parent) and bool(super().can_move_to(parent))

    def fault_below(self, parent: Page) -> str:
        """Why it may not stand below a page by its name; empty: it may."""
        return slug_fault(self.slug, below=_above(parent))

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """The page as it would be, while it is being written."""
        return HttpResponse(type(self).previewed(self))


class HomePage(TreePage):
    """What stands on the first page of an ordinary day below the city's state: its entrances."""

    parent_page_types: ClassVar = ["wagtailcore.Page"]
    subpage_types: ClassVar = [
        "public_site.SectionPage", "public_site.ArticlePage", "public_site.TranslationPage",
    ]  # fmt: skip
    max_count = 1

    class Meta:
        verbose_name = "トップページ"


class SectionPage(TreePage):
    """A page that leads on: a department's, a theme's, or a list gathered from the whole tree."""

    lists = models.CharField(
        "下にならべるもの",
        max_length=20,
        default=Listing.CHILDREN.value,
        choices=[
            (Listing.CHILDREN.value, "この下のページ"),
            (Listing.NEWS.value, "すべてのお知らせ（新しい順）"),
            (Listing.GUIDES.value, "すべての手つづき・案内"),
            (Listing.FAQ.value, "すべてのよくある質問"),
            (Listing.FILES.value, "すべてのファイル"),
        ],
    )
    department = models.OneToOneField(
        Department,
        verbose_name="この課のページ",
        help_text="えらぶと、この下のページを、この課の職員だけが書けるようになります。",
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    phone = models.CharField("電話", max_length=20, blank=True)
    place = models.CharField("場所", max_length=200, blank=True)
    hours = models.CharField("受付時間", max_length=200, blank=True)
    email = models.EmailField("メール", blank=True)

    content_panels: ClassVar = [
        *TreePage.content_panels,
        MultiFieldPanel(
            [FieldPanel("phone"), FieldPanel("place"), FieldPanel("hours"), FieldPanel("email")],
            heading="問い合わせ先（この下のページにも出ます）",
        ),
    ]
    settings_panels: ClassVar = [
        # Whose pages these are is decided by the administrator (services.editing).
        FieldPanel("department", permission="public_site.change_sectionpage"),
        FieldPanel("lists", permission="public_site.change_sectionpage"),
        *Page.settings_panels,
    ]
    parent_page_types: ClassVar = ["public_site.HomePage", "public_site.SectionPage"]
    subpage_types: ClassVar = [
        "public_site.SectionPage", "public_site.ArticlePage", "public_site.TranslationPage",
    ]  # fmt: skip

    class Meta:
        verbose_name = "見出しページ（課・分野・一覧）"


class ArticlePage(TreePage):
    """A page that is read: an article, news, a guide, answers to questions."""

    kind = models.CharField(
        "種類",
        max_length=20,
        default=Kind.ARTICLE.value,
        choices=[
            (Kind.ARTICLE.value, "記事"),
            (Kind.NEWS.value, "お知らせ"),
            (Kind.GUIDE.value, "手つづき・案内（〜したい）"),
            (Kind.FAQ.value, "よくある質問"),
        ],
        db_index=True,
    )
    content_panels: ClassVar = [
        *Page.content_panels, FieldPanel("kind"), FieldPanel("lead"), FieldPanel("body"),
    ]  # fmt: skip
    parent_page_types: ClassVar = ["public_site.HomePage", "public_site.SectionPage"]
    subpage_types: ClassVar = ["public_site.TranslationPage"]

    class Meta:
        verbose_name = "ページ"


class TranslationPage(TreePage):
    """What the page above says, in one more language. Its address is that page's.

    In やさしい日本語 a reading may be written by hand, {漢字|かんじ}; the others are found.
    """

    language = models.CharField("ことば", max_length=10, choices=OTHER_LANGUAGES)

    content_panels: ClassVar = [
        FieldPanel("language"), *TreePage.content_panels,
    ]  # fmt: skip
    promote_panels: ClassVar = []
    parent_page_types: ClassVar = [
        "public_site.HomePage", "public_site.SectionPage", "public_site.ArticlePage",
    ]  # fmt: skip
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "翻訳（やさしい日本語・外国語）"

    def clean(self) -> None:
        """One for each language; its name in the tree is the language's."""
        self.slug = self.language
        super().clean()
        for name in ("title", "lead"):
            try:
                ruby.plain(getattr(self, name))
            except ValueError as error:
                fault = (
                    "ふりがなは {漢字|かんじ} と書きます。{ と | と } の数をたしかめてください。"
                )
                raise ValidationError({name: fault}) from error

    def address_in(self) -> tuple[str, str]:
        """The address of the page above, in this language."""
        above = self.url_path.rstrip("/").rpartition("/")[0] + "/"
        return BY_CODE[self.language].prefix, rest_of(above, HOME_PATH)

    def get_admin_display_title(self) -> str:
        """Which language it is, before what it is called."""
        return f"［{BY_CODE[self.language].name}］{self.draft_title or self.title}"


def above() -> Substr:
    """The tree path of the page above, to be asked for in a query."""
    return Substr("path", 1, Length("path") - STEP)


class Reading(models.Model):
    """How a word is read on pages in やさしい日本語, where the dictionary reads it wrongly."""

    word = models.CharField("ことば", max_length=50, unique=True)
    reading = models.CharField("読みかた（ひらがな）", max_length=100)

    class Meta:
        verbose_name = "読みかた"
        verbose_name_plural = "読みかた"

    def __str__(self) -> str:
        return f"{self.word}（{self.reading}）"

    def clean(self) -> None:
        """Neither holds the signs with which readings are written."""
        if ruby.SIGNS & {*self.word, *self.reading}:
            raise ValidationError("{ と | と } は、使えません。")


class Shown(models.Model):
    """What a published page shows: pictures and files have an address as long as one does."""

    page = models.ForeignKey(Page, related_name="+", on_delete=models.CASCADE)
    picture = models.ForeignKey(CityImage, related_name="+", on_delete=models.CASCADE, null=True)
    file = models.ForeignKey(CityDocument, related_name="+", on_delete=models.CASCADE, null=True)

    def __str__(self) -> str:
        return f"{self.page_id}: {self.picture_id or self.file_id}"


class Takeover(models.Model):
    """An older site that somebody takes over at the desk: from a file, or from its address.

    `source` is that address, or the file's name. `notes` say what could not be read; `left` counts
    the pages that stayed because somebody had worked on them.
    """

    class State(models.TextChoices):
        """How far it has come."""

        WAITING = "waiting", "進めています"
        DONE = "done", "取り込みました"
        BROKEN_OFF = "broken_off", "途中で止まりました"
        UNDOING = "undoing", "取り消しています"
        UNDONE = "undone", "取り消しました"

    source = models.CharField(max_length=500)
    section = models.ForeignKey(Page, related_name="+", on_delete=models.SET_NULL, null=True)
    main = models.CharField(max_length=200, blank=True)
    drop = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, related_name="+", on_delete=models.PROTECT)
    ended_at = models.DateTimeField(null=True)
    left = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=300, blank=True)
    notes = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.source

    @property
    def is_under_way(self) -> bool:
        """Whether the worker has it."""
        return self.state in (self.State.WAITING, self.State.UNDOING)


class TakenOver(models.Model):
    """A page of an older site, by its address there, and the page here that it became.

    `revision` is what was written when it was last taken over: another one since is an editor's,
    and stays. `needs` are the rules' faults that a human has to see to.
    `takeover` is the one at the desk that wrote it, and `before` the revision that stood there
    until then; without one the page came with it.
    """

    address = models.CharField(max_length=700, unique=True)
    page = models.ForeignKey(Page, related_name="+", on_delete=models.SET_NULL, null=True)
    takeover = models.ForeignKey(
        Takeover, related_name="pages", on_delete=models.SET_NULL, null=True
    )
    before = models.PositiveIntegerField(null=True)
    title = models.CharField(max_length=255, blank=True)
    revision = models.PositiveIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    day = models.DateField(null=True)
    office = models.CharField(max_length=100, blank=True)
    needs = models.JSONField(default=list)
    taken_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)
    looked_by = models.ForeignKey(User, related_name="+", on_delete=models.PROTECT, null=True)

    class Meta:
        verbose_name = verbose_name_plural = "前のサイトのページ"

    def __str__(self) -> str:
        return self.address

    @property
    def needs_said(self) -> str:
        """What a human has to see to, in words, with where it is."""
        return said([Fault(Need(need), what) for need, what in self.needs])

    @property
    def state_said(self) -> str:
        """How far its page here has come."""
        if self.page is None:
            return "こちらで消した" if self.revision else "取り込めていない"
        if self.page.live:
            return "公開中"
        return "下書き" if self.page.latest_revision_id == self.revision else "直している"


class TakenFile(models.Model):
    """A file or a picture of an older site, by its address there, and what it became here."""

    address = models.CharField(max_length=700, unique=True)
    picture = models.ForeignKey(CityImage, related_name="+", on_delete=models.CASCADE, null=True)
    file = models.ForeignKey(CityDocument, related_name="+", on_delete=models.CASCADE, null=True)
    digest = models.CharField(max_length=64)
    takeover = models.ForeignKey(
        Takeover, related_name="files", on_delete=models.SET_NULL, null=True
    )

    def __str__(self) -> str:
        return self.address


class PageLink(models.Model):
    """Where a published page leads: another site's address, or "page:12", "file:5" of ours.

    `failed` counts the days on which it did not answer, one after another.
    """

    page = models.ForeignKey(Page, related_name="+", on_delete=models.CASCADE)
    address = models.CharField(max_length=500)
    checked_at = models.DateTimeField(null=True)
    failed = models.PositiveSmallIntegerField(default=0)
    since = models.DateField(null=True)
    last_failed = models.DateField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "リンク"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["page", "address"], name="page_link_once")
        ]
        indexes: ClassVar = [
            # The next to be asked, at night.
            models.Index(fields=["checked_at"], name="page_link_checked"),
        ]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.address}"
