"""What Wagtail's own pages show of ours, and what they leave out."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.widgets import Button
from wagtail.contrib.redirects import views as redirects
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from policity.foundations.accounts.models import Department
from policity.public_site.forms import OldAddressForm
from policity.public_site.models import Reading, TreePage
from policity.public_site.queries import stored
from policity.public_site.rules.older import said
from policity.public_site.services.checking import faults
from policity.public_site.views import importing
from policity.public_site.views.reports import BrokenLinkReport, TakenOverReport


class Departments(SnippetViewSet):  # type: ignore[misc]
    """The departments of the city hall; the administrator's."""

    model = Department
    icon = "group"
    add_to_admin_menu = True
    menu_label = "課"
    list_display = ("name", "slug")


class Readings(SnippetViewSet):  # type: ignore[misc]
    """How the city reads its words."""

    model = Reading
    icon = "openquote"
    add_to_admin_menu = True
    menu_label = "読みかた"
    list_display = ("word", "reading")


register_snippet(Departments)
register_snippet(Readings)

# Wagtail's own form lets redirects go in a circle; it offers no place to say which form to take.
redirects.CreateView.form_class = redirects.EditView.form_class = OldAddressForm
redirects.RedirectForm = OldAddressForm


@hooks.register("register_admin_menu_item")  # type: ignore[untyped-decorator]
def back_to_the_board() -> MenuItem:
    """The way back into the back office."""
    return MenuItem("情報本部へ", reverse("back_office:board"), icon_name="arrow-left", order=10)


@hooks.register("register_page_listing_more_buttons")  # type: ignore[untyped-decorator]
@hooks.register("register_page_header_buttons")  # type: ignore[untyped-decorator]
def short_links(page: Any, user: Any, **_: Any) -> Iterator[Button]:
    """From a page that residents can read to its short links, their figures and posters."""
    if isinstance(page, TreePage) and page.live and getattr(user, "keeps_links", False):
        query = urlencode({"address": "".join(page.address_in())})
        url = f"{reverse('back_office:links')}?{query}"
        yield Button("短いアドレスとポスター", url, icon_name="link", priority=35)


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def report_addresses() -> list[URLPattern]:
    """Our reports, among Wagtail's."""
    reports = {"taken-over": TakenOverReport, "broken-links": BrokenLinkReport}
    return [
        address
        for place, report in reports.items()
        for address in (
            path(f"reports/{place}/", report.as_view(), name=report.index_url_name),
            path(
                f"reports/{place}/results/",
                report.as_view(results_only=True),
                name=report.index_results_url_name,
            ),
        )
    ]


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def importing_addresses() -> list[URLPattern]:
    """Where an older site is taken over."""
    at = "import/<int:number>/"
    return [
        path("import/", importing.takeovers, name="takeovers"),
        path(at, importing.takeover, name="takeover"),
        path(f"{at}stop/", importing.stop, name="stop_takeover"),
        path(f"{at}go-on/", importing.go_on, name="go_on_takeover"),
        path(f"{at}undo/", importing.undo, name="undo_takeover"),
        path("reports/taken-over/<int:number>/looked/", importing.looked, name="looked_at_taken"),
    ]


@hooks.register("register_admin_menu_item")  # type: ignore[untyped-decorator]
def takeovers() -> MenuItem:
    """The way there."""
    return MenuItem("前のサイトの取り込み", reverse("takeovers"), icon_name="download", order=850)


@hooks.register("register_reports_menu_item")  # type: ignore[untyped-decorator]
def taken_over() -> MenuItem:
    """What came from the older site."""
    url = reverse("taken_over")
    return MenuItem("前のサイトから", url, icon_name="download", order=1100)


@hooks.register("register_reports_menu_item")  # type: ignore[untyped-decorator]
def broken_links() -> MenuItem:
    """Links that lead nowhere."""
    return MenuItem("先のないリンク", reverse("broken_links"), icon_name="link", order=1110)


@hooks.register("after_create_page")  # type: ignore[untyped-decorator]
@hooks.register("after_edit_page")  # type: ignore[untyped-decorator]
def say_what_is_wrong(request: HttpRequest, page: Any) -> None:
    """Whoever saves or submits a page hears what some of its readers cannot use."""
    if isinstance(page, TreePage) and (found := faults(stored(page))):
        messages.warning(request, f"だれもが読めるように、見直してください: {said(found)}")


@hooks.register("before_move_page")  # type: ignore[untyped-decorator]
def say_why_it_cannot_move(request: HttpRequest, page: Any, parent: Any) -> HttpResponse | None:
    """Whoever moves a page to where its name is another's is told so, and chooses again."""
    fault = page.fault_below(parent) if isinstance(page, TreePage) else ""
    if not fault:
        return None
    messages.error(request, fault)
    return redirect("wagtailadmin_pages:move", page.pk)
