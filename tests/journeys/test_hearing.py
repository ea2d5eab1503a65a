"""A warning comes in, one mail and one notification go out, an answer comes back and counts."""

import base64
import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import http_ece
import pytest
from axe_playwright_python.sync_playwright import Axe
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Page, expect

from policity.foundations.delivery.tests.test_webpush import Service, Tls, tls
from policity.foundations.residents.formats import COLUMNS
from policity.kit.languages import LANGUAGES
from tests.journeys.test_registering import faults, mail_to
from tests.journeys.test_seen_to_work import HEARD, policity
from tests.living import City, demo, until

__all__ = ["tls"]

pytestmark = [pytest.mark.journey, pytest.mark.process]

PHONE = {"width": 390, "height": 844}


class Browser:
    """The half of a push subscription that never leaves a browser."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    def subscription(self, endpoint: str) -> str:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _base64(point), "auth": _base64(self.auth)}
        return json.dumps({"endpoint": endpoint, "keys": keys})

    def read(self, body: bytes) -> dict[str, str]:
        opened = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return dict(json.loads(opened))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def service(tls: Tls) -> Iterator[Service]:
    with Service(tls) as service:
        yield service


@pytest.fixture
def city(
    tmp_path: Path, tls: Tls, service: Service, monkeypatch: pytest.MonkeyPatch
) -> Iterator[City]:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(tls.ca)
    monkeypatch.setenv("POLICITY_PUSH_ALLOW_PRIVATE", "1")
    monkeypatch.setenv("POLICITY_PUSH_CA", str(ca))
    with demo(tmp_path / "home") as city:
        yield city


def listed(file: Path, *residents: dict[str, str]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(residents)
    file.write_text(out.getvalue())
    return file


def test_two_telegrams_become_one_mail_and_one_notification_and_an_answer_is_counted(
    city: City, service: Service, page: Page, shared_data: Path, tmp_path: Path
) -> None:
    browser = Browser()
    home = {"external_id": "1", "town": "泉町三丁目", "language": "ja", "kinds": "weather:3"}
    push = browser.subscription(f"https://127.0.0.1:{service.port}/201/1")
    file = listed(
        tmp_path / "list.csv", home | {"email": "taro@example.jp", "push": push},
        home | {"external_id": "2", "language": "en", "kinds": "earthquake:1"},
    )  # fmt: skip
    done = policity(city.home, "residents", "import", str(file))
    assert done.returncode == 0, done.stderr

    files = [str(shared_data / "jma" / "official-samples" / name) for name in HEARD]
    assert policity(city.home, "bulletin", "ingest", *files).returncode == 0
    until(lambda: mail_to(city, "taro@example.jp") and service.seen, "mail and notification")

    # What two warnings say is one mail, and one notification.
    assert len(list((city.home / "outbox").glob("*.eml"))) == 1
    assert len(service.seen) == 1
    mail = mail_to(city, "taro@example.jp")
    assert mail.count("大雨警報") == 1
    assert mail.count("洪水警報") == 1
    shown = browser.read(service.seen[0].body)
    assert "大雨警報" in shown["title"]
    assert "洪水警報" in shown["title"]

    status = json.loads(policity(city.home, "delivery", "status", "--json").stdout)
    assert (status["targets"], status["states"]["handed"]) == (1, 1)

    # The answer page, in every language, on a narrow screen.
    link = re.search(r"http://\S+/reply/\S+", mail)
    assert link, mail
    path = re.sub(r"^http://[^/]+", "", link[0])
    for language in LANGUAGES:
        page.goto(f"http://127.0.0.1:{city.port}{language.prefix}{path.lstrip('/')}")
        assert faults(page, f"reply {language.code}") == []
    page.set_viewport_size(PHONE)
    page.goto(f"http://127.0.0.1:{city.port}{path}")
    for answer in ("助けが必要です", "見ました", "無事です"):
        page.get_by_role("button", name=answer).click()
        expect(page.locator("#h-after")).to_be_visible()
        assert faults(page, answer) == []
        if answer == "助けが必要です":
            page.get_by_label("ひとりでは動けない").check()
            page.get_by_label("折り返しの電話").fill("090-0000-0000")
            page.get_by_role("button", name="つたえる").click()
            expect(page.get_by_role("heading", name="つたえました")).to_be_visible()
            assert faults(page, "told") == []
            page.goto(f"http://127.0.0.1:{city.port}{path}")
        elif answer == "見ました":
            page.get_by_role("link", name="返事を変える").click()
    status = json.loads(policity(city.home, "delivery", "status", "--json").stdout)
    assert (status["targets"], status["states"]["confirmed"]) == (1, 1)

    # The board.
    accounts = (city.home / "demo-accounts.txt").read_text().splitlines()
    name, password, _ = next(line.split("\t") for line in accounts if line.startswith("bosai"))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"http://127.0.0.1:{city.port}/staff/")
    page.get_by_label("職員ID").fill(name)
    page.get_by_label("パスワード").fill(password)
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("heading", name="送信 対象 1人")).to_be_visible()
    expect(page.get_by_text("台帳と一致")).to_be_visible()
    for path in ("/staff/", "/staff/alarms/"):
        page.goto(f"http://127.0.0.1:{city.port}{path}")
        result = Axe().run(page)
        assert result.violations_count == 0, f"{path}: {result.generate_report()}"
