"""Every page that we draw, by the same measures: axe, 400 %, weight, stillness, the keyboard.

What is visited stands in visits.py; a template that is not there is noticed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import BrowserContext, Page, Request

from policity.foundations.publishing.formats import page as drawn
from policity.kit.languages import BY_CODE
from policity.project import front
from tests.journeys import visits
from tests.journeys.test_registering import FINGER, NARROW, PHONE, RULES, SMALL, UNFOLD
from tests.journeys.visits import Visit
from tests.living import City, demo

pytestmark = [pytest.mark.journey, pytest.mark.process]

# Bytes of the answers to a first visit, as they were sent, without photographs.
HEAVIEST = 150 * 1024
# Layout shift as browsers add it up (web-vitals, CLS).
SHIFT = 0.05
PHOTOGRAPHS = ("image/jpeg", "image/webp", "image/avif")
# Japanese has everything; these are the widest words, and the tallest.
OTHERS = ("en", "ja-easy")

# What devices ask for beside our ordinary colours. High contrast takes the same away by day and in
# the dark (tokens.css): it is looked at once.
COLOURS: tuple[dict[str, str], ...] = (
    {"color_scheme": "dark", "contrast": "no-preference"},
    {"color_scheme": "light", "contrast": "more"},
)
PALE = """axe.run({ runOnly: ["color-contrast"], resultTypes: ["violations"] })
    .then(seen => seen.violations.flatMap(one => one.nodes.map(node => node.html.slice(0, 160))))"""

# Adds up what moves without anybody having pressed anything.
WATCH = """window.shifted = 0; new PerformanceObserver(list => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({ type: "layout-shift", buffered: true });"""
# What Tab should reach: of radio buttons of one name, one.
CONTROLS = """window.controls = (() => {
    const groups = new Set();
    const all = [...document.querySelectorAll(
        "a[href], button, input, select, textarea, summary, [tabindex='0']")];
    const chosen = all.filter(e => e.type === "radio" && e.checked);
    chosen.forEach(e => groups.add(e.name));
    return all.filter(e => {
        if (e.disabled || e.type === "hidden" || e.tabIndex < 0) return false;
        if (!e.checkVisibility()) return false;
        if (e.type !== "radio" || e.checked) return true;
        if (groups.has(e.name)) return false;
        groups.add(e.name);
        return true;
    });
})(); window.walked = []; window.unseen = new Set();
document.addEventListener("focusin", ({ target }) => window.walked.push(target));
document.addEventListener("keyup", () => {
    const e = document.activeElement;
    if (!e || e === document.body) return;
    // A mark that is drawn around the words of a choice belongs to it.
    const shown = [e, e.closest("label")].some(one => {
        if (!one) return false;
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const inside = [...e.getClientRects()].some(box => box.width && box.height &&
        box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth);
    if (!shown || !inside) window.unseen.add(e);
}); [window.controls.length, window.controls.filter(e => /date|time|month/.test(e.type)).length]"""
WALKED = """() => {
    const said = e => e.outerHTML.slice(0, 120);
    // The walk begins again at its end.
    const again = walked.indexOf(walked[0], 1);
    const once = again > 0 ? walked.slice(0, again) : walked;
    const missed = controls.filter(e => !once.includes(e)).map(e => `never reached: ${said(e)}`);
    // A page that leads to what is wrong begins there: its walk comes by its first control once.
    const back = once.filter((e, n) => n && once[n - 1] !== e && e !== controls[0] &&
        !(once[n - 1].compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING));
    const main = document.querySelector("main");
    const barred = controls.some(e => main.contains(e)) && !once.some(e => main.contains(e));
    return [...missed, ...back.map(e => `out of order: ${said(e)}`),
        ...[...unseen].map(e => `focus is not seen: ${said(e)}`),
        ...(barred ? ["main barred"] : [])];
}"""
BEFORE_MAIN = """() => { const main = document.querySelector("main");
    return controls.filter(e => !main.contains(e) && !e.matches(".skip") &&
        main.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING).length }"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with demo(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_every_page_is_visited_or_its_absence_has_a_reason() -> None:
    """A page that is new is noticed here: it joins visits.py."""
    known = {visit.template for visit in visits.VISITS}
    assert visits.whole_pages() == known | set(visits.UNSEEN)
    assert not known & set(visits.UNSEEN)


class Looker:
    """One browser page that goes from visit to visit and notes what is wrong."""

    def __init__(self, context: BrowserContext, here: str) -> None:
        self.page, self.here, self.faults = context.new_page(), here, list[str]()
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a mapping will do
        self.page.add_init_script(WATCH)
        # As on a first visit: nothing is kept from the page before.
        self.page.context.new_cdp_session(self.page).send(
            "Network.setCacheDisabled", {"cacheDisabled": True}
        )
        self._requests: list[Request] = []
        self._under_way: set[Request] = set()
        self.page.on("request", self._begun)
        self.page.on("requestfinished", lambda request: self._under_way.discard(request))
        self.page.on("requestfailed", lambda request: self._under_way.discard(request))
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _begun(self, request: Request) -> None:
        if request.is_navigation_request():
            self._requests.clear()
        self._requests.append(request)
        if request.resource_type != "eventsource":
            self._under_way.add(request)

    def _said(self, said: object) -> None:
        text = str(getattr(said, "text", ""))
        if "Content Security" in text:
            self.faults.append(f"{self.page.url}: {text}")

    def look(self, visit: Visit, address: str, *, walk: bool) -> None:
        """All measures of one page."""
        self.page.goto(self.here + address)
        if visit.do is not None:
            visit.do(self.page)
        self._settled()
        what = f"{visit.template} {address}"
        html = self.page.content()
        found = [*self._heavy(), *self._shifted(), *_drawn_by(visit.template, html, address)]
        self.page.evaluate(UNFOLD)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        found += [f"{width} px wide at 400 %"] if width > NARROW["width"] else []
        # Colours are the same in every language, and half of the time.
        but = visit.but if walk else (*visit.but, "color-contrast")
        options = {
            "runOnly": RULES,
            "resultTypes": ["violations"],
            "rules": {rule: {"enabled": False} for rule in but},
        }
        seen = Axe().run(self.page, options=options).response["violations"]
        found += [f"axe {one['id']} {one['nodes'][0]['html'][:160]}" for one in seen]
        if walk:
            found += [*self._pale(), *self._walked()]
        found += self._large()
        self.faults += [f"{what}: {one}" for one in found]

    def _settled(self) -> None:
        self.page.wait_for_load_state("load")
        for _ in range(60):
            self.page.wait_for_timeout(30)
            if not self._under_way:
                break

    def _heavy(self) -> list[str]:
        sizes = {
            request.url: request.sizes()["responseBodySize"]
            for request in self._requests
            if request.resource_type != "eventsource"
            and (answer := request.response())
            and answer.headers.get("content-type", "") not in PHOTOGRAPHS
        }
        total = sum(sizes.values())
        return [f"{total} bytes: {sizes}"] if total > HEAVIEST or not total else []

    def _shifted(self) -> list[str]:
        shifted = self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(shifted))))"
        )
        return [f"shifts by {shifted:.3f}"] if shifted >= SHIFT else []

    def _pale(self) -> list[str]:
        """What cannot be read well in other colours than those that axe has seen already."""
        found = list[str]()
        for colours in COLOURS:
            self.page.emulate_media(**colours)  # type: ignore[arg-type]  # playwright's words
            pale = self.page.evaluate(PALE)
            found += [f"{' '.join(colours.values())}: pale {one}" for one in pale[:3]]
        self.page.emulate_media(color_scheme="light", contrast="no-preference")
        return found

    def _large(self) -> list[str]:
        """What is wrong with a page as somebody chose it on /reading/; those that follow it."""
        chosen = """() => { const { dataset } = document.documentElement;
            if (!("text" in dataset)) return false;
            Object.assign(dataset, { text: "150", hand: "right" });
            return true }"""
        if not self.page.evaluate(chosen):
            return []
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a mapping will do
        width = self.page.evaluate("document.documentElement.scrollWidth")
        found = [f"{width} px wide, large"] if width > PHONE["width"] else []
        found += [f"too small, large: {one}" for one in self.page.evaluate(SMALL, FINGER)]
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a mapping will do
        return found

    def _walked(self) -> list[str]:
        press = self.page.keyboard.press
        controls, dates = self.page.evaluate(CONTROLS)
        # A date has a stop for each of its parts; then the walk begins again.
        for _ in range(controls + dates * 6 + 2):
            press("Tab")
        found = [str(one) for one in self.page.evaluate(WALKED)]
        if self.page.evaluate(BEFORE_MAIN):
            skip = self.page.locator(".skip")
            if not skip.count():
                return [*found, "nothing leads past the head of the page"]
            skip.focus()
            press("Enter")
            if self.page.evaluate("document.activeElement.id") != "main":
                found.append("the skip link does not lead to the main content")
        return found


# What is answered where the page that was meant is not.
INSTEAD = ("design/base.html", "public_site/error.html", "public_site/untranslated.html",
           "back_office/frame.html", "back_office/sign_in.html")  # fmt: skip
_WORDS = re.compile(r"[ぁ-ヿ一-鿿、。「」¦]{4,}")
_CLASSES = re.compile(r'(?:class|id)="([^"{}]*)"')


def _drawn_by(template: str, html: str, address: str) -> list[str]:
    """Whether a page in Japanese is its template, and not what is answered instead."""
    if template in (*INSTEAD, "starting.html") or address.startswith(("/en/", "/easy/")):
        return []
    everything = visits.templates()

    def alone(of: set[str]) -> set[str]:
        return {one for one in of if not any(one in everything[name] for name in INSTEAD)}

    said = everything[template]
    words = alone(set(_WORDS.findall(said)))
    names = alone({name for names in _CLASSES.findall(said) for name in names.split()})
    bare = re.sub(r"<[^>]*>", "", html)
    on_page = {name for names in _CLASSES.findall(html) for name in names.split()}
    found = {word for word in words if word.replace("¦", "") in bare} | names & on_page
    return [] if found or not words | names else [f"not drawn by it: none of {words | names}"]


def _drawn_here(page: Page) -> None:
    """Answers for /drawn/TEMPLATE: pages of a city in another state than this one."""

    def answer(route: object, request: Request) -> None:
        template = request.url.partition("/drawn/")[2]
        if template == "starting.html":
            body = (front.PAGES / template).read_bytes()
        elif template.startswith("back_office/"):
            body = render_to_string(template).encode()
        else:
            body = drawn(template, BY_CODE["ja"], "", {"city_name": ""})
        headers = front.SECURITY_HEADERS | {"Content-Type": "text/html; charset=utf-8"}
        route.fulfill(body=body, headers=headers)  # type: ignore[attr-defined]

    page.route("**/drawn/**", answer)


def test_every_page_holds_for_everyone(city: City, page: Page, shared_data: Path) -> None:
    browser = page.context.browser
    assert browser
    here = f"http://127.0.0.1:{city.port}"
    names = visits.stock(city)

    def looker() -> Looker:
        # What a phone keeps for later comes after the page: no service worker.
        context = browser.new_context(service_workers="block", reduced_motion="reduce", locale="ja")
        context.route("https://**", lambda route: route.abort())
        return Looker(context, here)

    residents, staff, door = looker(), looker(), looker()
    _drawn_here(residents.page)

    def each(of: Looker, what: tuple[Visit, ...], languages: tuple[str, ...] = ()) -> None:
        for visit in what:
            address = visit.address.format(**names)
            of.look(visit, address, walk=True)
            for code in languages:
                of.look(visit, BY_CODE[code].prefix + address[1:], walk=False)

    each(door, visits.DOORS[:3])
    staff.page.goto(f"{here}/staff/sign-in/")
    visits.enters("everything")(staff.page)
    each(residents, visits.CALM, OTHERS)
    each(residents, visits.DRAWN)
    each(staff, visits.STAFF)
    each(door, visits.DOORS[3:])

    visits.headquarters(city)
    each(residents, visits.HEADQUARTERS, OTHERS)
    names |= visits.warned(city, shared_data / "jma" / "official-samples")
    each(residents, visits.WARNED, OTHERS)
    each(residents, visits.WARNED_ONCE)
    each(staff, visits.WARNED_STAFF)
    names |= visits.ordered(city)
    each(residents, visits.ORDERED, OTHERS)
    each(residents, visits.ONCE)
    found = residents.faults + staff.faults + door.faults
    assert not found, "\n".join(found)
