"""Serving 1,000 published pages: the nginx configuration we ship beside plain nginx.

Server CPU per request holds still where requests per second swing with the machine. All servers
serve the same files to the same client in turns. Reported beside it: the front that
`policity serve` starts, and one plain Wagtail page of the same length.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import brotli

from policity.project import front
from policity.project.children import dying_with_me

ROOT = Path(__file__).parent.parent
BENCH = ROOT / ".bench"
PAGES = 1000
PAGE_BYTES = 40_000
ROUNDS = 7
SECONDS = 3
GOAL = 0.9
TICK = os.sysconf("SC_CLK_TCK")
PACKAGES = {
    "/usr/sbin/nginx": "nginx",
    "/usr/lib/nginx/modules/ngx_http_brotli_static_module.so": "libnginx-mod-http-brotli-static",
    "/usr/bin/wrk": "wrk",
}


@dataclass(frozen=True)
class Server:
    name: str
    process: int
    port: int
    script: Path

    def cpu(self) -> float:
        """Seconds of CPU that it and its children have used."""
        return sum(_cpu(pid) for pid in _tree(self.process))


def measure() -> list[dict[str, object]]:
    """CPU microseconds per request; `ratio` is the peer's over ours, median of the rounds."""
    _install()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        paths = _pages(folder / "published")
        with _servers(folder, paths) as servers:
            for server in servers:
                _check(server)
            costs: dict[str, list[float]] = {server.name: [] for server in servers}
            for turn in range(ROUNDS):
                # Who comes first changes, so that a drift of the machine favours nobody.
                for server in servers[turn % 2 :] + servers[: turn % 2]:
                    costs[server.name].append(_cost(server))
    return [
        _line(costs, "nginx", "plain nginx with brotli_static", "plain", GOAL),
        _line(costs, "front", "plain nginx with brotli_static", "plain", None),
        _line(costs, "nginx", "a plain Wagtail page on granian", "wagtail", None),
    ]


def _line(
    costs: dict[str, list[float]], ours: str, peer: str, peer_name: str, goal: float | None
) -> dict[str, object]:
    ratios = [theirs / mine for mine, theirs in zip(costs[ours], costs[peer_name], strict=True)]
    middle = median(ratios)
    return {
        "what": {"nginx": "deploy/nginx", "front": "policity serve's front"}[ours],
        "figure": round(median(costs[ours]), 2),
        "unit": "CPU µs/request",
        "peer": peer,
        "peer_figure": round(median(costs[peer_name]), 2),
        "ratio": round(middle, 3),
        "spread": round((max(ratios) - min(ratios)) / middle, 3),
        "goal": goal,
    }


def _install() -> None:
    missing = [package for file, package in PACKAGES.items() if not Path(file).exists()]
    if missing:
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        # Installing must not start a web server here.
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            subprocess.run([*root, *quiet, "apt-get", "-qq", *words], check=True, stdout=sys.stderr)


def _pages(tree: Path) -> list[str]:
    """Pages as long as ours, with their encodings, in folders as deep as ours."""
    rng = random.Random(1)
    words = ["".join(chr(rng.randrange(0x4E00, 0x5E00)) for _ in range(2)) for _ in range(2000)]
    paths = []
    for number in range(PAGES):
        text = "".join(f"<p>{rng.choice(words)}{rng.choice(words)}。</p>\n" for _ in range(2300))
        body = f"<!doctype html><html lang=ja><title>{number}</title>{text}".encode()
        language = ("", "easy/", "en/", "zh-hans/", "ko/")[number % 5]
        path = f"/{language}alerts/{number}/"
        file = tree / path.strip("/") / "index.html"
        file.parent.mkdir(parents=True)
        file.write_bytes(body)
        Path(f"{file}.br").write_bytes(brotli.compress(body, quality=5))
        paths.append(path)
    (tree / "index.html").write_bytes(body)
    return paths


@contextmanager
def _servers(folder: Path, paths: Sequence[str]) -> Iterator[list[Server]]:
    script, one = folder / "paths.lua", folder / "one.lua"
    script.write_text(_requests(paths))
    one.write_text(_requests(["/"]))
    tree = folder / "published"
    commands = {
        "nginx": (_nginx(folder / "ours", _ours(folder / "ours", tree)), script),
        "plain": (_nginx(folder / "plain", _plain(tree)), script),
        "front": (_front(folder / "front", tree), script),
        "wagtail": (_wagtail((tree / "index.html").read_text()), one),
    }
    running, servers = [], []
    try:
        for number, (name, (command, requests)) in enumerate(commands.items()):
            port = 18080 + number
            process = subprocess.Popen(
                [word.replace("PORT", str(port)) for word in command],
                cwd=BENCH / "wagtail",
                preexec_fn=dying_with_me(),
                process_group=0,
                stdout=sys.stderr,
            )
            running.append(process)
            servers.append(Server(name, process.pid, port, requests))
        yield servers
    finally:
        for process in running:
            process.terminate()
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _requests(paths: Sequence[str]) -> str:
    listed = ",".join(f'"{path}"' for path in paths)
    return (
        f"local paths = {{{listed}}}\nlocal ready = {{}}\nlocal next = 0\n"
        'function init(args) wrk.headers["Accept-Encoding"] = "br"\n'
        "for i, p in ipairs(paths) do ready[i] = wrk.format(nil, p) end end\n"
        "function request() next = next % #ready + 1 return ready[next] end\n"
    )


def _nginx(folder: Path, site: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    port = 18080 if folder.name == "ours" else 18081
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        "load_module /usr/lib/nginx/modules/ngx_http_brotli_static_module.so;\n"
        f"{user}pid {folder}/nginx.pid;\ndaemon off;\nworker_processes 1;\n"
        f"error_log {folder}/error.log;\nevents {{}}\nhttp {{\n{temporary}"
        f"keepalive_requests 1000000;\n{site.replace('PORT', str(port))}\n}}\n"
    )
    return ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", f"{folder}/nginx.conf"]


def _ours(folder: Path, tree: Path) -> str:
    """deploy/nginx as it is, but for its address and its home."""
    shutil.copytree(ROOT / "deploy" / "nginx", folder / "policity")
    for file in (folder / "policity").iterdir():
        text = file.read_text().replace("/var/lib/policity/published", str(tree))
        text = text.replace("listen 80;", "listen 127.0.0.1:18080;")
        file.write_text(text.replace("listen [::]:80;", ""))
    return "include policity/policity.conf;"


def _plain(tree: Path) -> str:
    """What somebody writes who knows nginx: the same files, nothing else."""
    return (
        "include /etc/nginx/mime.types;\nsendfile on;\ntcp_nopush on;\naccess_log off;\n"
        f"server {{ listen 127.0.0.1:PORT; root {tree}; brotli_static on; gzip_static on; }}"
    )


def _front(folder: Path, tree: Path) -> list[str]:
    folder.mkdir()
    file = folder / "Caddyfile"
    file.write_text(
        front.configuration(
            published=tree, socket=folder / "web.sock", bind="127.0.0.1", port=18082
        )
    )
    surroundings = [f"{name}={text}" for name, text in front.surroundings(folder).items()]
    return ["env", *surroundings, *front.command(file)]


def _wagtail(body: str) -> list[str]:
    """`wagtail start`, migrated once, its home page as long as ours."""
    site = BENCH / "wagtail"
    if not (site / "db.sqlite3").exists():
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir(parents=True)
        wagtail = Path(sys.executable).parent / "wagtail"
        subprocess.run([wagtail, "start", "plain", site], check=True, stdout=sys.stderr)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--no-input"],
            cwd=site,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    (site / "home" / "templates" / "home" / "home_page.html").write_text(
        '{% extends "base.html" %}{% block content %}' + body + "{% endblock %}"
    )
    (site / "plain" / "settings" / "bench.py").write_text(
        "from .base import *\nDEBUG = False\nSECRET_KEY = 'bench'\nALLOWED_HOSTS = ['*']\n"
        "STORAGES['staticfiles']['BACKEND'] = "
        "'django.contrib.staticfiles.storage.StaticFilesStorage'\n"
    )
    granian = str(Path(sys.executable).parent / "granian")
    options = [
        "--interface",
        "wsgi",
        "--port",
        "PORT",
        "--workers",
        "1",
        "--blocking-threads",
        "1",
        "--log-level",
        "warning",
    ]
    settings = "DJANGO_SETTINGS_MODULE=plain.settings.bench"
    return [
        "env",
        settings,
        granian,
        *options,
        "--workers-kill-timeout",
        "3",
        "plain.wsgi:application",
    ]


def _check(server: Server) -> None:
    """It answers, and with what was published, compressed."""
    path = re.findall(r'"(/[^"]*)"', server.script.read_text())[-1]
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", headers={"Accept-Encoding": "br"}
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                body = reply.read()
                encoding = reply.headers.get("Content-Encoding")
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    if server.name != "wagtail":
        assert encoding == "br", server.name
        body = brotli.decompress(body)
    assert len(body) > PAGE_BYTES, server.name


def _cost(server: Server) -> float:
    """CPU microseconds of the server per request, over some seconds of requests."""
    before = server.cpu()
    words = ["-t1", "-c16", f"-d{SECONDS}s", "-s", str(server.script)]
    done = subprocess.run(
        ["wrk", *words, f"http://127.0.0.1:{server.port}/"],
        check=True,
        capture_output=True,
        text=True,
        timeout=SECONDS * 10,
    ).stdout
    used = server.cpu() - before
    assert "Non-2xx" not in done, done
    found = re.search(r"(\d+) requests in", done)
    assert found, done
    return used / int(found[1]) * 1_000_000


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / TICK
