"""A city's whole site of 5,000 pages made anew, beside plain Wagtail; and an alert meanwhile.

Ours: 1,000 articles in five languages, each file rendered, compressed as br and gzip, and safely on
disk. The peer: the same texts as pages of a plain Wagtail, each requested, compressed as ours and
written. The peer's pages have what ours have: the way to them, menus, their languages. Both in one
process each, in turns. Then, while a worker makes all of it anew, real
warnings come in: how long until home and the list of warnings show them in all five languages.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.delivery_parts import City, folder, until
from benchmarks.rebuild_parts.words import ARTICLES, LANGUAGES
from policity.kit.languages import LANGUAGES as OURS

ROOT = Path(__file__).parent.parent
PLAIN = ROOT / ".bench" / "rebuild"
PAGES = ARTICLES * len(LANGUAGES)
ROUNDS, ALERTS = 3, 7
GOAL = 2.0
SHOWN = 1.0

MODEL = """

from wagtail.admin.panels import FieldPanel
from wagtail.blocks import RichTextBlock
from wagtail.fields import StreamField


class BenchPage(Page):
    body = StreamField([("text", RichTextBlock())])
    language = models.CharField(max_length=10, blank=True)
    content_panels = Page.content_panels + [FieldPanel("body")]
"""
# What a city's page has besides its text, as one writes it with Wagtail's own means.
TEMPLATE = """{% extends "base.html" %}{% load wagtailcore_tags %}
{% block content %}<header><nav>{% for one in page.get_ancestors|slice:"1:" %}<a href="{% pageurl one %}">{{ one.title }}</a>{% endfor %}</nav>
<nav>{% for one in page.get_site.root_page.get_children.live.in_menu %}<a href="{% pageurl one %}">{{ one.title }}</a>{% endfor %}</nav>
<nav>{% for one in page.get_siblings.live %}<a href="{% pageurl one %}"{% if one.pk == page.pk %} aria-current="page"{% endif %}>{{ one.slug }}</a>{% endfor %}</nav></header>
<main><h1>{{ page.title }}</h1>{% include_block page.body %}<p>{{ page.last_published_at|date }}</p></main>
<footer>{% for one in page.get_site.root_page.get_children.live.in_menu %}<a href="{% pageurl one %}">{{ one.title }}</a>{% endfor %}</footer>{% endblock %}
"""  # noqa: E501
SETTINGS = """from .base import *
DEBUG = False
SECRET_KEY = "bench"
ALLOWED_HOSTS = ["*"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
"""


def measure() -> list[dict[str, object]]:
    """Pages per second, medians of the rounds; seconds until alerts show, median and worst."""
    with folder() as place:
        plain = _plain()
        city = City(place)
        print("filling …", file=sys.stderr)
        city._run("benchmarks.rebuild_parts.ours", "fill")
        ours, theirs = [], []
        for turn in range(ROUNDS):
            turns = [(ours, lambda: _ours(city)), (theirs, lambda: plain(place / "plain"))]
            for found, run in turns[:: 1 if turn % 2 else -1]:
                found.append(run())
            print(f"pages/s: {ours[-1]:.0f}, plain {theirs[-1]:.0f}", file=sys.stderr)
        shown = _alerts(city)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return [
        {
            "what": f"{PAGES} pages made anew",
            "figure": round(median(ours), 1),
            "unit": "pages/s",
            "peer": "plain Wagtail, requested, written, compressed as ours",
            "peer_figure": round(median(theirs), 1),
            "ratio": round(median(ratios), 2),
            "spread": round((max(ratios) - min(ratios)) / median(ratios), 2),
            "goal": GOAL,
        },
        {
            "what": "an alert on home and lists in five languages meanwhile",
            "figure": round(median(shown), 2),
            "unit": "s",
            "peer": "one second",
            "peer_figure": SHOWN,
            # The worst counts: somebody is waiting for each.
            "ratio": round(SHOWN / max(shown), 2),
            "spread": round((max(shown) - min(shown)) / median(shown), 2),
            "goal": 1.0,
        },
    ]


def _ours(city: City) -> float:
    said = json.loads(city._run("benchmarks.rebuild_parts.ours", "render").splitlines()[-1])
    assert said["pages"] >= PAGES, said
    return float(said["pages"] / said["seconds"])


def _alerts(city: City) -> list[float]:
    """Seconds from a telegram's coming in until it is on the last of the files."""
    published = city.home / "published"
    files = [
        published / language.prefix.strip("/") / page / "index.html"
        for language in OURS
        for page in ("", "alerts")
    ]
    found = []
    with _worker(city):
        for _ in range(ALERTS):
            city._run("benchmarks.rebuild_parts.ours", "rebuild")
            before = [file.read_bytes() for file in files]
            time.sleep(1.5)
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.rebuild_parts.ours", "alert"],
                env=city.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            until(
                lambda: all(
                    file.read_bytes() != was
                    for file, was in zip(files, before, strict=True)  # noqa: B023
                ),
                "the alert on every page",
                60,
            )
            shown = max(file.stat().st_ctime for file in files)
            said = json.loads(process.communicate()[0])
            waiting = int(city._run("benchmarks.rebuild_parts.ours", "waiting"))
            assert waiting > 1000, f"the rebuild was nearly over before the alert came: {waiting}"
            found.append(shown - said["began"])
    print(f"shown after {[round(one, 2) for one in found]} s", file=sys.stderr)
    return found


@contextmanager
def _worker(city: City) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "policity.project.cli", "worker", "run"],
        env=city.environment, cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        time.sleep(8)
        assert process.poll() is None, "the worker went home"
        yield
    finally:
        process.terminate()
        process.wait()


def _plain() -> Callable[[Path], float]:
    """A plain Wagtail with as many pages, made once; gives what renders them all."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "plain.settings.bench",
        "PYTHONPATH": f"{PLAIN}:{ROOT}",
    }

    def run(*words: str) -> str:
        return subprocess.run(
            [sys.executable, *words], cwd=PLAIN, env=environment, check=True, text=True,
            stdout=subprocess.PIPE,
        ).stdout  # fmt: skip

    if not (PLAIN / "filled").exists():
        shutil.rmtree(PLAIN, ignore_errors=True)
        PLAIN.mkdir(parents=True)
        wagtail = Path(sys.executable).parent / "wagtail"
        subprocess.run([wagtail, "start", "plain", PLAIN], check=True, stdout=sys.stderr)
        models = PLAIN / "home" / "models.py"
        models.write_text(models.read_text() + MODEL)
        (PLAIN / "home" / "templates" / "home" / "bench_page.html").write_text(TEMPLATE)
        (PLAIN / "plain" / "settings" / "bench.py").write_text(SETTINGS)
        run("manage.py", "makemigrations", "home")
        run("manage.py", "migrate", "--no-input")
        run("-m", "benchmarks.rebuild_parts.plain", "fill")
        (PLAIN / "filled").touch()

    def render(out: Path) -> float:
        said = json.loads(
            run("-m", "benchmarks.rebuild_parts.plain", "render", str(out), str(PAGES))
        )
        assert said["pages"] == PAGES
        return float(said["pages"] / said["seconds"])

    return render
