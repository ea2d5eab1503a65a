"""The peer's side: `wagtail start`, a page model with a rich text, and what a script would do.

Each page is requested by Django's test client (no network, no server: to the peer's advantage),
written, and compressed with the same libraries and levels; nothing is synced to the disk.
"""

import gzip
import json
import sys
import time
from pathlib import Path

import brotli
import django

django.setup()

from django.test import Client  # noqa: E402
from home.models import BenchPage, HomePage  # noqa: E402

from benchmarks.rebuild_parts.words import ARTICLES, LANGUAGES, article  # noqa: E402


def fill() -> None:
    home = HomePage.objects.get()
    sections = [
        home.add_child(instance=BenchPage(title=name, slug=name, language="", show_in_menus=True))
        for name in ("guides", "news", "departments", "faq", "files", "charm")
    ]
    for number in range(ARTICLES):
        # Its languages stand beside each other.
        folder = sections[1].add_child(
            instance=BenchPage(title=f"{number}", slug=f"p{number}", language="")
        )
        for code in LANGUAGES:
            title, body = article(number, code)
            folder.add_child(
                instance=BenchPage(
                    title=title,
                    slug=code,
                    language=code,
                    body=json.dumps([{"type": "text", "value": body}]),
                )
            )


def render(out: Path, pages: int) -> None:
    client = Client(SERVER_NAME="localhost")
    paths = [f"/news/p{n}/{code}/" for n in range(ARTICLES) for code in LANGUAGES][:pages]
    assert client.get(paths[0]).status_code == 200
    began = time.monotonic()
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        file = out / path.strip("/") / "index.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.content)
        Path(f"{file}.br").write_bytes(brotli.compress(answer.content, quality=5))
        Path(f"{file}.gz").write_bytes(gzip.compress(answer.content, 6, mtime=0))
    print(json.dumps({"pages": len(paths), "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill()
    else:
        render(Path(sys.argv[2]), int(sys.argv[3]))
