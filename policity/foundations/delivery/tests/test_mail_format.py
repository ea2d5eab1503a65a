"""Mail as others read it, bounce addresses nobody can forge, and bounces as servers write them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.delivery.formats.mail import (
    LIMIT,
    Bounce,
    Template,
    mailbox,
    personal,
    read_bounce,
    read_verp,
    verp,
)

NINE = datetime(2026, 6, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))
LINK = "https://www.city.example.jp/u/" + "a" * 40
KEY = b"k" * 32

# A surrogate is no text that could be sent.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ONE_LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))
# What the standard library's reader keeps of a field.
FIELD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


def a_template(**changes):
    given: dict[str, Any] = {
        "sender": "bousai@city.example.jp",
        "name": "架空市 危機管理課",
        "subject": "【避難指示】泉町一丁目",
        "body": ("危険な場所から全員避難\n\n見た方は\n", "やめる方は\n", "架空市\n"),
        "date": NINE,
        "language": "ja",
    }
    return Template(**(given | changes))


def a_copy(template=None, **changes):
    given: dict[str, Any] = {
        "key": "m12.p34",
        "to": "resident@example.jp",
        "unsubscribe": LINK,
        "lines": (LINK, LINK + "/x"),
    }
    return b"".join(personal(template or a_template(), **(given | changes)))


def read(data):
    return message_from_bytes(data, policy=policy.SMTP)


def text_of(data):
    return read(data).get_payload(decode=True).decode()


def lines_of(data):
    """The text's lines without the spaces that fill its rows."""
    return [line.rstrip(" ") for line in text_of(data).split("\r\n")]


def test_a_copy_as_others_read_it():
    mail = read(a_copy(a_template(headers={"List-Id": "City <mail.city.example.jp>"})))
    assert mail["From"].addresses[0].display_name == "架空市 危機管理課"
    assert mail["From"].addresses[0].addr_spec == "bousai@city.example.jp"
    assert mail["To"] == "resident@example.jp"
    assert mail["Subject"] == "【避難指示】泉町一丁目"
    assert mail["Date"].datetime == NINE
    assert mail["Message-ID"] == "<m12.p34@city.example.jp>"
    assert mail["MIME-Version"] == "1.0"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert mail["Content-Language"] == "ja"
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["List-Id"] == "City <mail.city.example.jp>"
    assert not mail.defects
    assert not [field.defects for field in mail.values() if field.defects]
    assert lines_of(a_copy()) == [
        "危険な場所から全員避難", "", "見た方は", LINK, "やめる方は", LINK + "/x", "架空市", "",
    ]  # fmt: skip


def test_what_is_not_asked_for_is_not_there():
    mail = read(a_copy(a_template(name="", bulk=False), unsubscribe=""))
    for field in ("List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Precedence"):
        assert mail[field] is None
    assert mail["From"] == "bousai@city.example.jp"


def test_the_same_key_makes_the_same_mail():
    assert a_copy() == a_copy(a_template())
    assert a_copy(key="m12.p35") != a_copy()


@given(st.lists(TEXT, min_size=1, max_size=4), st.data())
def test_any_text_survives(pieces, data):
    lines = data.draw(st.lists(ONE_LINE, min_size=len(pieces) - 1, max_size=len(pieces) - 1))
    mail = a_copy(a_template(body=pieces), lines=lines)

    def whole(piece):
        text = re.sub("\r\n|\r|\n", "\n", piece)
        return text if not text or text.endswith("\n") else text + "\n"

    given = whole(pieces[0])
    for line, piece in zip(lines, pieces[1:], strict=True):
        given += line + "\n" + whole(piece)
    assert lines_of(mail) == [line.rstrip(" ") for line in given.split("\n")]
    # Only spaces were added, and never a line.
    assert text_of(mail).replace(" ", "") == given.replace("\n", "\r\n").replace(" ", "")


@given(st.lists(TEXT, min_size=1, max_size=3), FIELD, FIELD, FIELD, ONE_LINE)
def test_it_travels_as_it_is(pieces, subject, name, other, line):
    """7-bit, CRLF only, short lines, no line that begins with a dot, every field in place."""
    template = a_template(body=pieces, subject=subject, name=name, headers={"X-Other": other})
    mail = a_copy(template, lines=[line] * (len(pieces) - 1))
    head, body = mail.split(b"\r\n\r\n", 1)
    assert mail.isascii()
    assert b"\0" not in mail
    assert mail.count(b"\r") == mail.count(b"\n") == mail.count(b"\r\n")
    assert not mail.startswith(b".")
    assert b"\r\n." not in mail
    rows = body.split(b"\r\n")
    assert rows.pop() == b""
    assert all(len(row) == 76 for row in rows[:-1])
    assert all(re.fullmatch(rb"[0-9A-Za-z+/]{2,76}={0,2}", row) for row in rows)
    assert max(map(len, mail.split(b"\r\n"))) <= 998
    fields = re.findall(rb"^[^ :]+(?=:)", head, re.MULTILINE)
    assert fields == [
        b"From", b"Subject", b"Date", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding", b"Content-Language", b"Auto-Submitted", b"Precedence",
        b"X-Other", b"To", b"Message-ID", b"List-Unsubscribe", b"List-Unsubscribe-Post",
    ]  # fmt: skip
    for word in re.findall(rb"=\?[^ \r]*", head):
        if word.startswith(b"=?utf-8?B?"):
            assert len(word) <= 75


@given(FIELD)
def test_any_text_of_a_field_survives(text):
    mail = message_from_bytes(a_copy(a_template(subject=text, headers={"X-Other": text})))
    for field in ("Subject", "X-Other"):
        assert str(make_header(decode_header(mail[field]))) == text
    assert read(a_copy(a_template(subject=text)))["Subject"] == text


@given(FIELD.filter(bool))
def test_any_display_name_survives(name):
    found = message_from_bytes(a_copy(a_template(name=name)))["From"]
    before, _, address = found.rpartition("<")
    assert address == "bousai@city.example.jp>"
    if "=?utf-8?" in before:
        assert str(make_header(decode_header(before.rstrip()))) == name
    else:
        assert re.sub(r"\\(.)", r"\1", before.rstrip()[1:-1]) == name


@pytest.mark.parametrize("sign", ["\r", "\n", "\0", "\r\nBcc: all@example.jp"])
@pytest.mark.parametrize(
    "where", ["sender", "name", "subject", "language", "header", "field", "to", "key",
              "unsubscribe", "line"],
)  # fmt: skip
def test_nothing_breaks_out_of_its_field(where, sign):
    good = {"sender": "a@b.jp", "language": "ja", "to": "a@b.jp", "key": "k", "unsubscribe": LINK}
    for bad in (good.get(where, "x") + sign, sign + good.get(where, "x")):
        template, copy = {}, {}
        if where in ("to", "key", "unsubscribe"):
            copy[where] = bad
        elif where == "line":
            copy["lines"] = (LINK, bad)
        elif where in ("header", "field"):
            template["headers"] = {"X-Other": bad} if where == "header" else {bad: "x"}
        else:
            template[where] = bad
        with pytest.raises(ValueError, match=r".") as caught:
            a_copy(a_template(**template), **copy)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": ()},
        {"body": ("a\0b",)},
        {"body": ("\ud800",)},
        {"subject": "\ud800"},
        {"date": datetime(2026, 6, 1)},  # noqa: DTZ001
        {"sender": "nobody"},
        {"language": ""},
        {"headers": {"subject": "another"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"X Y": "z"}},
        {"headers": {"": "z"}},
    ],
)
def test_what_makes_no_mail_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        a_template(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": ()},
        {"lines": (LINK,) * 3},
        {"key": ""},
        {"key": "a@b"},
        {"key": "a b"},
        {"key": "x" * 300},
        {"unsubscribe": "mailto:bousai@city.example.jp"},
        {"unsubscribe": "https://www.city.example.jp/>,<mailto:x@y"},
        {"unsubscribe": "https://www.city.example.jp/山"},
        {"unsubscribe": "https://x/" + "a" * 1000},
        {"to": "山@example.jp"},
        {"to": "a@b.jp, c@d.jp"},
        {"to": "a@b.jp> <c@d.jp"},
    ],
)
def test_what_makes_no_copy_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        a_copy(**changes)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("a@b.jp", "a@b.jp"),
        ("a.b+c_d/e@sub.example-x.jp", "a.b+c_d/e@sub.example-x.jp"),
        ('"a b"@c.jp', '"a b"@c.jp'),
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        ("a.@ezweb.ne.jp", '"a."@ezweb.ne.jp'),
        (".a@ezweb.ne.jp", '".a"@ezweb.ne.jp'),
        ("x" * 64 + "@b.jp", "x" * 64 + "@b.jp"),
    ],
)
def test_addresses(address, found):
    assert mailbox(address) == found
    assert read(a_copy(to=address))["To"].addresses[0].domain == address.rpartition("@")[2]


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "@", "a@", "@b.jp", "a@b..jp", "a@.jp", "a@-b.jp", "a@b.jp.", "a b@c.jp", "a@b c",
        "<a@b.jp>", "a@b@c.jp", '"a"b"@c.jp', '"a\\"@c.jp', "x" * 65 + "@b.jp",
        "a@" + "b" * 260 + ".jp", "x" * 250, "a@b.jp\r\n",
    ],
)  # fmt: skip
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match="address"):
        mailbox(address)


NUMBERS = st.integers(0, 2**64 - 1)


@given(NUMBERS, NUMBERS)
def test_a_bounce_address_names_message_and_person(message, person):
    address = verp("bounce", "mail.city.example.jp", message, person, KEY)
    assert read_verp(address, KEY) == (message, person)
    assert read_verp(address.upper(), KEY) == (message, person)
    assert mailbox(address) == address
    assert len(address.partition("@")[0]) <= 64
    assert read_verp(address, b"another") is None
    assert verp("bounce", "mail.city.example.jp", message, person, KEY) == address


def test_a_bounce_address_cannot_be_made_up():
    address = verp("bounce", "city.example.jp", 12, 34, KEY)
    local, _, rest = address.partition("+")
    for at in range(len(rest) - len("@city.example.jp")):
        forged = rest[:at] + ("1" if rest[at] != "1" else "2") + rest[at + 1 :]
        assert read_verp(f"{local}+{forged}", KEY) is None
    # One person's seal is not another's, nor does it hold when the dot moves.
    seal = rest.partition("@")[0].rpartition(".")[2]
    for numbers in ("22.c", "c2.2", "c.23", "c2.", ".c22", "cc.22"):
        assert read_verp(f"{local}+{numbers}.{seal}@city.example.jp", KEY) is None
    for other in ("", "bounce@city.example.jp", address.replace("+", "-"), address + "\nx"):
        assert read_verp(other, KEY) is None


@pytest.mark.parametrize(
    ("local", "message", "person"),
    [("b", -1, 1), ("b", 1, -1), ("b", 2**64, 1), ("b" * 60, 1, 1), ("b\r\n", 1, 1), ("b@", 1, 1)],
)
def test_what_makes_no_bounce_address(local, message, person):
    with pytest.raises(ValueError, match=r"."):
        verp(local, "city.example.jp", message, person, KEY)


TO = verp("bounce", "mail.city.example.jp", 12, 34, KEY)

POSTFIX = f"""\
Return-Path: <>
X-Original-To: {TO}
Delivered-To: bounces@mail.city.example.jp
Received: by mx.example.jp (Postfix)
\tid 4F1B2C3D; Mon,  1 Jun 2026 09:31:02 +0900 (JST)
Date: Mon,  1 Jun 2026 09:31:02 +0900 (JST)
From: MAILER-DAEMON@mx.example.jp (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {TO}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F1B2C3D.1748737862/mx.example.jp"
Message-Id: <20260601003102.5E6F@mx.example.jp>

This is a MIME-encapsulated message.

--4F1B2C3D.1748737862/mx.example.jp
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.jp.

<resident@example.jp>: host in.example.jp[192.0.2.1] said: 550 5.1.1
    <resident@example.jp>: Recipient address rejected: User unknown (in reply
    to RCPT TO command)

--4F1B2C3D.1748737862/mx.example.jp
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.jp
X-Postfix-Queue-ID: 4F1B2C3D
X-Postfix-Sender: rfc822; {TO}
Arrival-Date: Mon,  1 Jun 2026 09:31:00 +0900 (JST)

Final-Recipient: rfc822; resident@example.jp
Original-Recipient: rfc822;resident@example.jp
Action: failed
Status: 5.1.1
Remote-MTA: dns; in.example.jp
Diagnostic-Code: smtp; 550 5.1.1 <resident@example.jp>: Recipient address
    rejected: User unknown

--4F1B2C3D.1748737862/mx.example.jp
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <{TO}>
From: <bousai@city.example.jp>
To: <resident@example.jp>
Subject: test

--4F1B2C3D.1748737862/mx.example.jp--
"""

EXCHANGE = f"""\
From: <postmaster@tenant.example.com>
To: <{TO}>
Date: Mon, 1 Jun 2026 00:31:05 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="7e3a2d51-4f60-4a7e-9c11-0d5f00000000"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: ja-JP
Message-ID: <0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0@TENANT.example.com>
Subject: =?utf-8?B?6YWN5L+h5LiN6IO9?=
MIME-Version: 1.0

--7e3a2d51-4f60-4a7e-9c11-0d5f00000000
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="aa3a2d51-4f60-4a7e-9c11-0d5f00000000"

--aa3a2d51-4f60-4a7e-9c11-0d5f00000000
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

6YWN5L+h44Gn44GN44G+44Gb44KT

--aa3a2d51-4f60-4a7e-9c11-0d5f00000000
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

PGI+6YWN5L+h44Gn44GN44G+44Gb44KTPC9iPg==

--aa3a2d51-4f60-4a7e-9c11-0d5f00000000--

--7e3a2d51-4f60-4a7e-9c11-0d5f00000000
Content-Type: message/delivery-status

Reporting-MTA: dns;TYAPR01MB0000.jpnprd01.prod.example.com
Received-From-MTA: dns;mail.city.example.jp
Arrival-Date: Mon, 1 Jun 2026 00:31:04 +0000

Final-Recipient: rfc822;staff@tenant.example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient
 staff@tenant.example.com not found by SMTP address lookup

--7e3a2d51-4f60-4a7e-9c11-0d5f00000000
Content-Type: message/rfc822

Received: from mail.city.example.jp (203.0.113.9) by TYAPR01MB0000
From: <bousai@city.example.jp>
To: <staff@tenant.example.com>
Subject: test
Auto-Submitted: auto-generated

body
--7e3a2d51-4f60-4a7e-9c11-0d5f00000000--
"""

REPLY = f"""\
From: <staff@tenant.example.com>
To: <{TO}>
Subject: =?utf-8?B?5LiN5Zyo?=
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Content-Type: text/plain; charset=us-ascii

I am out of the office. Action: failed
Status: 5.1.1
"""

RECEIPT = f"""\
To: <{TO}>
Content-Type: multipart/report; report-type=disposition-notification; boundary=b

--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; staff@tenant.example.com
Disposition: automatic-action/MDN-sent-automatically; displayed

--b--
"""


def wire(text):
    return text.replace("\n", "\r\n").encode()


def test_a_bounce_of_postfix():
    found = read_bounce(wire(POSTFIX))
    assert found == Bounce(
        to=TO,
        action="failed",
        status="5.1.1",
        diagnostic="550 5.1.1 <resident@example.jp>: Recipient address rejected: User unknown",
    )
    assert read_verp(found.to, KEY) == (12, 34)
    assert read_bounce(POSTFIX.encode()) == found


def test_a_bounce_of_exchange():
    found = read_bounce(wire(EXCHANGE))
    assert (found.to, found.action, found.status) == (TO, "failed", "5.1.10")
    assert found.diagnostic.startswith("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient")


@pytest.mark.parametrize(
    ("action", "told", "status", "found"),
    [
        ("delayed", "delayed", "4.4.1", ("delayed", "4.4.1")),
        ("Failed", "failed", "5.2.2 (mailbox full)", ("failed", "5.2.2")),
        ("delivered (to mailbox)", "delivered", "2.0.0", ("delivered", "2.0.0")),
        ("relayed", "relayed", "2.1.9", ("relayed", "2.1.9")),
        ("failed", "failed", "none", ("failed", "5.0.0")),
        ("delayed", "delayed", "", ("delayed", "4.0.0")),
    ],
)
def test_actions_and_states(action, told, status, found):
    text = POSTFIX.replace("Action: failed", f"Action: {action}").replace(
        "Status: 5.1.1\n", f"Status: {status}\n"
    )
    bounce = read_bounce(wire(text))
    assert (bounce.action, bounce.status) == found


def test_a_failure_among_delays_is_what_counts():
    block = "\nFinal-Recipient: rfc822; x@y.jp\nAction: delayed\nStatus: 4.2.1\n\nFinal-Recipient"
    found = read_bounce(wire(POSTFIX.replace("\nFinal-Recipient", block)))
    assert (found.action, found.status) == ("failed", "5.1.1")


def test_whom_a_bounce_came_back_to():
    """The envelope's word first, then the field that is one of ours, then any."""
    other = verp("bounce", "mail.city.example.jp", 5, 6, KEY)
    assert read_bounce(wire(POSTFIX), other).to == other
    assert read_bounce(wire(POSTFIX), "bounces@mail.city.example.jp").to == TO
    lost = POSTFIX.replace(f"X-Original-To: {TO}\n", "")
    assert read_bounce(wire(lost)).to == TO
    lost = lost.replace(f"\nTo: {TO}", "\nTo: someone@city.example.jp")
    assert read_bounce(wire(lost)).to == "bounces@mail.city.example.jp"
    lost = lost.replace("Delivered-To: bounces@mail.city.example.jp\n", "")
    assert read_bounce(wire(lost)).to == "someone@city.example.jp"
    lost = lost.replace("\nTo: someone@city.example.jp", "")
    assert read_bounce(wire(lost), TO).to == TO
    with pytest.raises(ValueError, match="names no recipient"):
        read_bounce(wire(lost))


def test_a_diagnostic_is_one_short_line_of_text():
    text = POSTFIX.replace("rejected: User unknown\n\n--", "\x07\x1b[31m" + "x" * 900 + "\n\n--")
    found = read_bounce(wire(text).replace(b"x[", b"\xff["))
    assert len(found.diagnostic) == 300
    assert found.diagnostic.isprintable()
    none = re.sub(r"Diagnostic-Code: .*\n .*\n", "", POSTFIX)
    assert read_bounce(wire(none)).diagnostic == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a delivery status"),
        (REPLY, "not a delivery status"),
        (RECEIPT, "not a delivery status"),
        (POSTFIX.replace("message/delivery-status", "text/plain"), "not a delivery status"),
        (POSTFIX.replace("Action: failed\n", ""), "not a delivery status"),
        (POSTFIX.replace("Action: failed", "Action: shredded"), "without a known action"),
        ("x" * (LIMIT + 1), "larger than"),
    ],
    ids=["nothing", "reply", "receipt", "no report", "no action", "odd action", "large"],
)
def test_what_is_no_bounce(text, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read_bounce(wire(text), TO)
    assert "\n" not in str(caught.value)


def test_parts_within_parts_end():
    nest = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000))
    with pytest.raises(ValueError, match=r"too many parts|not a delivery"):
        read_bounce(nest.encode(), TO)


@given(st.data())
def test_a_damaged_bounce_is_read_or_refused(data):
    whole = wire(data.draw(st.sampled_from([POSTFIX, EXCHANGE])))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole)))
        gone = data.draw(st.integers(0, 40))
        whole = whole[:at] + data.draw(st.binary(max_size=12)) + whole[at + gone :]
    try:
        found = read_bounce(whole)
    except ValueError:
        return
    assert found.diagnostic.isprintable()
    assert re.fullmatch(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", found.status)


def test_utc_is_a_time_zone_too():
    assert read(a_copy(a_template(date=NINE.astimezone(UTC))))["Date"].datetime == NINE
