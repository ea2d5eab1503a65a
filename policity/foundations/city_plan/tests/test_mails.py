"""A mail as a file: what somebody wrote, and nothing that a stranger plants in it."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.city_plan.formats.mails import LARGEST, BadMail, Mail, read
from policity.foundations.city_plan.rules.commenting import readable


def mail(text: str = "英語でも知らせてください\n見本より", *, charset: str = "utf-8") -> bytes:
    made = EmailMessage()
    made["From"] = "見本 花子 <hanako@example.jp>"
    made["Date"] = "Mon, 23 Nov 2026 10:20:00 +0900"
    made.set_content(text, charset=charset)
    return made.as_bytes()


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis"])
def test_a_mail_is_read_as_its_sender_wrote_it(charset):
    found = read(mail(charset=charset))
    assert found.text == "英語でも知らせてください\n見本より"
    assert (found.name, found.address) == ("見本 花子", "hanako@example.jp")
    assert found.at.isoformat() == "2026-11-23T10:20:00+09:00"


def test_of_a_mail_in_two_forms_and_with_files_the_plain_text_is_read():
    made = EmailMessage()
    made.set_content("文")
    made.add_alternative("<p>絵のある文</p>", subtype="html")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    assert read(made.as_bytes()) == Mail("文", "", "", None)


def test_of_markup_the_words_are_read():
    made = EmailMessage()
    made.set_content(
        "<style>p{}</style><p>一&amp;二<br>三</p><script>alert(1)</script>", subtype="html"
    )
    assert read(made.as_bytes()).text == "一&二\n三"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"From: x@example.jp\n\n", b"\0\1\2", b"x" * (LARGEST + 1),
        b"Content-Type: application/pdf\n\n%PDF", b"Content-Type: multipart/mixed\n\nx",
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_no_mail_is_said(data):
    with pytest.raises(BadMail, match=r"。$"):
        read(data)


def test_a_charset_of_nobodys_and_signs_that_steer_do_no_harm():
    assert read(b"Content-Type: text/plain; charset=nothing\n\na\x1b[0m\0b").text == "a[0mb"


@given(st.binary(max_size=400), st.sampled_from([b"", b"From: ", b"Content-Type: ", b"Date: "]))
def test_whatever_comes_is_read_or_refused(data, before):
    try:
        found = read(before + data)
    except BadMail:
        return
    for text in (found.text, found.name, found.address):
        assert text == readable(text)
