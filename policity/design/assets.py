"""Style sheets, pictures and scripts as named, unchanging bytes.

A published asset carries a digest in its name, so that it can be kept by readers for ever and a
page never meets a style sheet of another time.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

FOLDER = "assets/"

# Published name → the files it is made of.
ASSETS = {
    "app.css": ("tokens.css", "base.css", "urgent.css", "public.css", "events.css", "reading.css"),
    "form.css": ("tokens.css", "base.css", "form.css", "events.css", "reading.css"),
    "content.css": ("content.css",),
    "charm.css": ("charm.css",),
    "plan.css": ("plan.css",),
    "staff.css": ("tokens.css", "base.css", "staff.css", "records.css"),
    "scene.svg": ("scene.svg",),
    "icon.svg": ("icon.svg",),
    "icon.png": ("icon.png",),
    "app.js": ("app.js",),
    "state.js": ("state.js",),
    "reading.js": ("reading.js",),
    "register.js": ("register.js",),
    "sending.js": ("sending.js",),
    "board.js": ("board.js",),
    "drills.js": ("drills.js",),
    "order.js": ("order.js",),
    "keys.js": ("keys.js",),
    "sw.js": ("sw.js",),
    "paper.css": ("paper.css",),
    "places.css": ("places.css",),
    "places.js": ("places.js",),
    "hazards.js": ("hazards.js",),
    "search.css": ("search.css",),
    "search.js": ("search.js",),
    "map.js": ("map.js",),
    "leaflet.js": ("leaflet.js",),
    "leaflet.css": ("leaflet.css",),
}
# Another's files, as its package has them.
PACKAGED = {
    "leaflet.js": ("leaflet", "static", "leaflet"),
    "leaflet.css": ("leaflet", "static", "leaflet"),
}
# A browser looks for a newer service worker where it found the last one, and lets it see pages
# below its folder only: it keeps its name, at the root.
FIXED = frozenset({"sw.js"})


@cache
def content(name: str) -> bytes:
    """The bytes of an asset. KeyError: not an asset of ours."""
    if name.endswith(".png"):
        return _file(*ASSETS[name]).read_bytes()
    text = "".join(_read(part) for part in ASSETS[name])
    return (squeeze(text) if name.endswith(".css") else text).encode()


@cache
def address(name: str) -> str:
    """Where an asset is published: "/assets/app.0f3c9a1b.css"; "/sw.js"."""
    if name in FIXED:
        return f"/{name}"
    digest = hashlib.sha256(content(name)).hexdigest()[:8]
    stem, _, suffix = name.rpartition(".")
    return f"/{FOLDER}{stem}.{digest}.{suffix}"


# Style sheets that stand inside pages: what must be read in one answer when everybody reads.
INLINE = (
    "tokens base urgent",
    "tokens base urgent error",
    "tokens base urgent form reply",
    "tokens base error",
    "drill",
)


@cache
def inline(parts: str) -> str:
    """Style sheets to stand inside a page: "tokens base urgent". KeyError: not one of `INLINE`.

    Browsers are told the digest of each (CSP): no other style inside a page is followed.
    """
    if parts not in INLINE:
        raise KeyError(parts)
    return squeeze("".join(_read(f"{part}.css") for part in parts.split()))


@cache
def early() -> str:
    """The one script that stands inside pages: what has to be known before anything is drawn.

    Browsers are told its digest (CSP): no other script inside a page is followed.
    """
    lines = (line.strip() for line in _read("early.js").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def squeeze(css: str) -> str:
    """CSS without comments and idle spaces. Our own style sheets only: strings hold no braces."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return css.replace(": ", ":").replace(";}", "}").strip()


def _read(name: str) -> str:
    return _file(name).read_text("utf-8")


def _file(name: str) -> Traversable:
    package, *folders = PACKAGED.get(name, ("policity.design", "static", "design"))
    return files(package).joinpath(*folders, name)
