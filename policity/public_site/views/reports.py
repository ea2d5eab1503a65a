"""Reports for who writes pages: what a machine saw and a human has to see to."""

import re
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.permission_policies.pages import PagePermissionPolicy

from policity.public_site import policies
from policity.public_site.models import PageLink, TakenOver
from policity.public_site.rules import BROKEN_AFTER
from policity.public_site.rules.older import SAID

_FORMULA = re.compile(r"[\s]*[=+\-@\t\r]")


def safe(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    said = "" if cell is None else str(cell)
    return f"'{said}" if _FORMULA.match(said) else said


def mine(user: Any) -> Q:
    """Rows about pages that somebody may write, and those that have no page."""
    pages = PagePermissionPolicy().instances_user_has_any_permission_for(
        user, {"add", "change", "publish"}
    )
    return Q(page__in=pages) | Q(page=None)


class NeedFilter(WagtailFilterSet):  # type: ignore[misc]
    """Which of the pages that were taken over."""

    need = django_filters.ChoiceFilter(
        label="人の手が要るところ",
        choices=[(need.value, name) for need, (name, _) in SAID.items()],
        method="with_need",
    )
    live = django_filters.BooleanFilter(label="公開中", field_name="page__live")
    unseen = django_filters.BooleanFilter(
        label="まだ見ていない", field_name="looked_at", lookup_expr="isnull"
    )
    takeover = django_filters.ModelChoiceFilter(
        label="どの取り込みで", queryset=lambda request: policies.takeovers(request.user)
    )
    address = django_filters.CharFilter(label="前の住所に含む", lookup_expr="icontains")

    class Meta:
        model = TakenOver
        fields: ClassVar[list[str]] = []

    def with_need(
        self, rows: "QuerySet[TakenOver]", name: str, value: str
    ) -> "QuerySet[TakenOver]":
        """Those that need this."""
        return rows.filter(needs__icontains=f'"{value}"')


class Report(ReportView):  # type: ignore[misc]
    """A list with filters, as a page and as a file; nothing in the file is a formula."""

    permission_required = None
    permission_policy = None
    any_permission_required: ClassVar[list[str]] = []

    def get_filename(self) -> str:
        """Its name with the day."""
        return f"{self.index_url_name}-{timezone.localdate():%Y-%m-%d}"

    def preprocess_field_value(self, field: str, value: Any, export_format: str) -> Any:
        """No formulas."""
        return safe(super().preprocess_field_value(field, value, export_format))


class LookedColumn(Column):  # type: ignore[misc]
    """Whether somebody looked at it, and a button to say so."""

    cell_template_name = "public_site/looked.html"

    def render_cell_html(self, instance: TakenOver, parent_context: Any) -> str:
        """The button belongs to a form, so that it needs to know who asks."""
        request = parent_context["request"]
        context = {"one": instance, "narrowed": request.GET.urlencode()}
        return render_to_string(self.cell_template_name, context, request)


class TakenOverReport(Report):
    """The pages of an older site, and what each still needs."""

    model = TakenOver
    page_title = "前のサイトから取り込んだページ"
    header_icon = "download"
    index_url_name = "taken_over"
    index_results_url_name = "taken_over_results"
    filterset_class = NeedFilter
    default_ordering = "address"
    columns: ClassVar = [
        TitleColumn(
            "title", label="ページ", width="20%", accessor=lambda row: row.title or row.address,
            get_url=lambda row: (
                reverse("wagtailadmin_pages:edit", args=[row.page_id]) if row.page_id else None
            ),
        ),
        Column("state_said", label="いま", width="8%"),
        Column("needs_said", label="人の手が要るところ"),
        LookedColumn("looked_at", label="見たか", width="12%"),
        Column("office", label="担当", width="10%"),
        Column("day", label="前の更新日"),
        Column("address", label="前の住所"),
    ]  # fmt: skip
    list_export: ClassVar = [
        "address", "title", "state_said", "needs_said", "looked_at", "looked_by", "office", "day",
    ]  # fmt: skip
    export_headings: ClassVar = {
        "address": "前の住所", "title": "題", "state_said": "いま",
        "needs_said": "人の手が要るところ", "looked_at": "見た日時", "looked_by": "見た人",
        "office": "担当", "day": "前の更新日",
    }  # fmt: skip

    def get_queryset(self) -> "QuerySet[TakenOver]":
        """In the order of the older site's tree."""
        rows = TakenOver.objects.select_related("page", "looked_by").filter(mine(self.request.user))
        self.queryset = rows.order_by("address")
        return super().get_queryset()  # type: ignore[no-any-return]


class BrokenLinkFilter(WagtailFilterSet):  # type: ignore[misc]
    """Which of the broken links."""

    address = django_filters.CharFilter(label="リンクの先に含む", lookup_expr="icontains")

    class Meta:
        model = PageLink
        fields: ClassVar[list[str]] = []


class BrokenLinkReport(Report):
    """Links of published pages that lead nowhere: on which page, since when, and why."""

    model = PageLink
    page_title = "先のないリンク"
    header_icon = "link"
    index_url_name = "broken_links"
    index_results_url_name = "broken_links_results"
    filterset_class = BrokenLinkFilter
    default_ordering = "since"
    columns: ClassVar = [
        TitleColumn(
            "page", label="ページ", accessor="page.title",
            get_url=lambda row: reverse("wagtailadmin_pages:edit", args=[row.page_id]),
        ),
        Column("address", label="リンクの先"),
        Column("fault", label="どうなっているか"),
        Column("since", label="いつから"),
        Column("checked_at", label="さいごに見たとき"),
    ]  # fmt: skip
    list_export: ClassVar = ["page.title", "page.url", "address", "fault", "since"]
    export_headings: ClassVar = {
        "page.title": "ページ", "page.url": "ページの住所", "address": "リンクの先",
        "fault": "どうなっているか", "since": "いつから",
    }  # fmt: skip

    def get_queryset(self) -> "QuerySet[PageLink]":
        """The longest broken first."""
        rows = PageLink.objects.select_related("page").filter(mine(self.request.user))
        self.queryset = rows.filter(failed__gte=BROKEN_AFTER).order_by("since", "pk")
        return super().get_queryset()  # type: ignore[no-any-return]
