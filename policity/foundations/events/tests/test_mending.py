"""Calendars in the style of the programs that cities and their clubs use, and what is read of them.

Each is written here, as such a program writes it; none is a copy of anybody's.
"""

from datetime import UTC, date, datetime

import pytest

from policity.foundations.events.formats import mending, reading
from policity.foundations.events.formats.reading import BadCalendar, Reading

SINCE, UNTIL = date(2026, 11, 22), date(2027, 12, 28)
HERE = "DTSTART;TZID=Asia/Tokyo:20261203T100000"
TOKYO = "DTSTART;TZID=Asia/Tokyo:"
CHANGED = "RECURRENCE-ID;TZID=Asia/Tokyo:20261210T100000"
FLOATING, WORLD, DAY = "DTSTART:20261203T100000", "DTSTART:20261203T010000Z", "DTSTART:20261203"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=3"


def event(starts: str = HERE, *more: str, uid: str = "a", title: str = "会") -> str:
    lines = (f"UID:{uid}", "DTSTAMP:20261101T000000Z", starts, f"SUMMARY:{title}", *more)
    return "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT", ""))


def zone(name: str, offset: str = "+0900", *, whole: bool = True) -> str:
    to = f"TZOFFSETTO:{offset}\r\n" if whole else ""
    return (
        f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
        f"TZOFFSETFROM:{offset}\r\n{to}END:STANDARD\r\nEND:VTIMEZONE\r\n"
    )


def calendar(*parts: str, head: str = "PRODID:-//x//x//JA") -> bytes:
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}\r\n{''.join(parts)}END:VCALENDAR\r\n"
    return text.encode()


def read(data: bytes) -> Reading:
    return reading.read(data, since=SINCE, until=UNTIL)


def times(data: bytes) -> list[str]:
    """When it is, in this country; and (-) what is called off."""
    found = read(data)
    assert found.left == []
    return [
        f"{datetime.fromisoformat(starts).astimezone(reading.HERE):%m-%d %H:%M}{'-' * off}"
        for item in found.items
        for starts, _, off in item.times
    ]


THREE = ["12-03 10:00", "12-10 10:00", "12-17 10:00"]
DAYS = ["12-03 00:00", "12-10 00:00", "12-17 00:00"]
OUTLOOK = '"(UTC+09:00) 大阪、札幌、東京"'


@pytest.mark.parametrize(
    ("data", "when"),
    [
        # Time zones of their own names, and none at all.
        (
            calendar(
                zone("Tokyo Standard Time"),
                event("DTSTART;TZID=Tokyo Standard Time:20261203T100000"),
            ),
            THREE[:1],
        ),
        (calendar(event("DTSTART;TZID=Tokyo Standard Time:20261203T100000")), THREE[:1]),
        (
            calendar(zone(OUTLOOK.strip('"')), event(f"DTSTART;TZID={OUTLOOK}:20261203T100000")),
            THREE[:1],
        ),
        (calendar(zone("Far-1", "-0500"), event("DTSTART;TZID=Far-1:20261202T200000")), THREE[:1]),
        (
            calendar(zone("Half-1", whole=False), event("DTSTART;TZID=Half-1:20261203T100000")),
            THREE[:1],
        ),
        (calendar(event("DTSTART;TZID=JST:20261203T100000")), THREE[:1]),
        (calendar(event(FLOATING), head="X-WR-TIMEZONE:JST"), THREE[:1]),
        # A rule in the world's time is of days here, where the calendar says so.
        (
            calendar(
                event("DTSTART:20261202T230000Z", "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=2"),
                head="X-WR-TIMEZONE:Asia/Tokyo",
            ),
            ["12-03 08:00", "12-10 08:00"],
        ),
        # The last day, in every form.
        (calendar(event(HERE, "RRULE:FREQ=WEEKLY;UNTIL=20261217")), THREE),
        (calendar(event(FLOATING, "RRULE:FREQ=WEEKLY;UNTIL=20261217")), THREE),
        (calendar(event(WORLD, "RRULE:FREQ=WEEKLY;UNTIL=20261217")), THREE),
        (calendar(event(HERE, "RRULE:FREQ=WEEKLY;UNTIL=20261217T010000Z")), THREE),
        (calendar(event(FLOATING, "RRULE:FREQ=WEEKLY;UNTIL=20261217T010000Z")), THREE),
        (calendar(event(WORLD, "RRULE:FREQ=WEEKLY;UNTIL=20261217T010000")), THREE),
        (calendar(event(DAY, "RRULE:FREQ=WEEKLY;UNTIL=20261216T150000Z")), DAYS),
        (calendar(event(DAY, "RRULE:FREQ=WEEKLY;UNTIL=20261217T000000Z")), DAYS),
        (calendar(event(DAY, "RRULE:FREQ=WEEKLY;UNTIL=20261216T235959Z")), DAYS[:2]),
        (calendar(event(DAY, "RRULE:FREQ=WEEKLY;UNTIL=20261217")), DAYS),
        # Counted from the first, and the last weekend day of each month.
        (calendar(event(HERE, WEEKLY)), THREE),
        (
            calendar(
                event(
                    "DTSTART;TZID=Asia/Tokyo:20261227T100000",
                    "RRULE:FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=-1;COUNT=2",
                )
            ),
            ["12-27 10:00", "01-31 10:00"],
        ),
        # What is off, in another form than its series.
        (calendar(event(HERE, WEEKLY, "EXDATE;TZID=Asia/Tokyo:20261210T100000")), THREE[::2]),
        (calendar(event(FLOATING, WEEKLY, "EXDATE:20261210T010000Z")), THREE[::2]),
        (calendar(event(WORLD, WEEKLY, "EXDATE;TZID=Asia/Tokyo:20261210T100000")), THREE[::2]),
        (calendar(event(HERE, WEEKLY, "EXDATE;VALUE=DATE:20261210")), THREE[::2]),
        (calendar(event(DAY, WEEKLY, "EXDATE:20261210T000000")), DAYS[::2]),
        # What is moved or called off, in another form than its series, and before it in the file.
        (
            calendar(
                event(HERE, WEEKLY),
                event("DTSTART;TZID=Asia/Tokyo:20261211T090000", "RECURRENCE-ID:20261210T010000Z"),
            ),
            ["12-03 10:00", "12-11 09:00", "12-17 10:00"],
        ),
        (
            calendar(
                event(
                    "DTSTART;TZID=Asia/Tokyo:20261211T090000", "RECURRENCE-ID;VALUE=DATE:20261210"
                ),
                event(HERE, WEEKLY),
            ),
            ["12-03 10:00", "12-11 09:00", "12-17 10:00"],
        ),
        (
            calendar(
                event(DAY, WEEKLY), event("DTSTART:20261211", "RECURRENCE-ID:20261209T150000Z")
            ),
            ["12-03 00:00", "12-11 00:00", "12-17 00:00"],
        ),
        (
            calendar(
                event(HERE, WEEKLY),
                event(f"{TOKYO}20261210T100000", CHANGED, "STATUS:CANCELLED", title=""),
            ),
            ["12-03 10:00", "12-10 10:00-", "12-17 10:00"],
        ),
        (
            calendar(
                event(HERE, WEEKLY),
                event(
                    f"{TOKYO}20261210T110000",
                    "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Asia/Tokyo:20261210T100000",
                ),
            ),
            ["12-03 10:00", "12-10 11:00", "12-17 11:00"],
        ),
        (calendar(event(HERE, "RECURRENCE-ID;TZID=Asia/Tokyo:20261203T090000")), THREE[:1]),
        (calendar(event(FLOATING, "RDATE;VALUE=PERIOD:20261210T100000/PT1H")), THREE[:2]),
        # A rule without an end, once a year.
        (calendar(event(HERE, "RRULE:FREQ=YEARLY")), ["12-03 10:00", "12-03 10:00"]),
        (calendar(event(HERE, "RRULE:")), THREE[:1]),
        # An older state of the same beside it; and two that only have the same number.
        (
            calendar(event(HERE, "SEQUENCE:2"), event("DTSTART:20261205T100000", "SEQUENCE:1")),
            THREE[:1],
        ),
        (calendar(event(HERE), event("DTSTART:20261205T100000")), ["12-03 10:00", "12-05 10:00"]),
    ],
)
def test_when_it_is_whatever_program_wrote_it(data, when):
    assert times(data) == when


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ((HERE, "DTEND:20261203T030000Z"), "2026-12-03T03:00:00+00:00"),
        ((FLOATING, "DTEND:20261203T030000Z"), "2026-12-03T03:00:00+00:00"),
        ((HERE, "DTEND;TZID=Asia/Tokyo:20261202T120000"), "2026-12-03T01:00:00+00:00"),
        ((HERE, "DTEND:20261203T120000", "DURATION:PT1H"), "2026-12-03T03:00:00+00:00"),
        ((HERE, "DURATION:PT2H"), "2026-12-03T03:00:00+00:00"),
        ((HERE, "DURATION:2h"), "2026-12-03T01:00:00+00:00"),
        ((HERE, "DTEND:nonsense"), "2026-12-03T01:00:00+00:00"),
        ((DAY,), "2026-12-03T15:00:00+00:00"),
        ((DAY, "DTEND;VALUE=DATE:20261203"), "2026-12-03T15:00:00+00:00"),
        ((DAY, "DTEND;VALUE=DATE:20261205"), "2026-12-04T15:00:00+00:00"),
        ((DAY, "DTEND:20261205T000000"), "2026-12-04T15:00:00+00:00"),
    ],
)
def test_an_end_is_one_and_days_are_whole(lines, ends):
    (item,) = read(calendar(event(*lines))).items
    starts, over, _ = item.times[0]
    assert over == ends
    assert item.all_day is (lines[0] == DAY)
    assert datetime.fromisoformat(starts).astimezone(UTC).day == (2 if item.all_day else 3)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        *(
            ((HERE, f"RRULE:{rule}"), mending.NO_RULE)
            for rule in (
                "FREQ=WEEKLY;INTERVAL=0", "FREQ=WEEKLY;INTERVAL=-1",
                "FREQ=DAILY;INTERVAL=2147483647",
                "FREQ=WEEKLY;COUNT=0", "FREQ=WEEKLY;UNTIL=", "FREQ=WEEKLY;BYDAY=XX",
                "FREQ=FORTNIGHTLY", "INTERVAL=2", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=400",
            )
        ),
        ((HERE, "RRULE:FREQ=HOURLY"), mending.TOO_OFTEN),
        ((HERE, "RRULE:FREQ=DAILY;BYHOUR=9,10,11,12,13;BYMINUTE=0,10,20,30,40"), mending.TOO_OFTEN),
        ((HERE, "RRULE:FREQ=MONTHLY;BYMONTHDAY=40"), mending.NEVER),
        ((HERE, "RRULE:FREQ=DAILY;BYMONTH=2,4;BYMONTHDAY=31"), mending.NEVER),
        ((HERE, WEEKLY, "EXDATE:nonsense"), mending.NO_EXCEPTION),
        (("DTSTART:2026-12-03T10:00:00",), mending.NO_START),
        (("DTSTART:00010101T000000",), mending.NO_START),
        (("X-NO-START:1",), mending.NO_START),
        ((HERE, "CLASS:PRIVATE"), mending.PRIVATE),
    ],
)  # fmt: skip
def test_what_is_left_out_is_named_with_its_reason_and_takes_nothing_with_it(lines, why):
    found = read(calendar(event(*lines, title="壊れた会"), event(uid="b", title="よい会")))
    assert [item.title for item in found.items] == ["よい会"]
    ((name, said),) = found.left
    assert said == why
    assert name.startswith("非公開" if why is mending.PRIVATE else "壊れた会")


@pytest.mark.parametrize(
    "line",
    [
        "GEO:35.7,139.5", "SEQUENCE:x", "PRIORITY:", "LAST-MODIFIED:2026/12/01", "DTSTAMP:2026",
        "X-ALT-DESC;FMTTYPE=text/html:<p>x</p>", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY", "X-A_B:1",
        'ATTENDEE;CN="見本; 花子":mailto:hanako@example.jp', "ORGANIZER;CN=見本:invalid:nomail",
        "これは、折り返しのない二行めです", "a; b", "", 'X-BAD;A="b:c',
        "BEGIN:VALARM\r\nTRIGGER;VALUE=DURATION:P\r\nDESCRIPTION:音\r\nSUMMARY:音\r\nEND:VALARM",
    ],
)  # fmt: skip
def test_what_else_a_program_writes_costs_no_entry(line):
    (item,) = read(calendar(event(HERE, line, "DESCRIPTION:持ち物は、はさみ"))).items
    assert (item.title, item.body) == ("会", "持ち物は、はさみ")


WHOLE = calendar(event())


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.replace(b"\r\n", b"\n"),
        WHOLE.replace(b"\r\n", b"\r"),
        b"\xef\xbb\xbf" + WHOLE,
        b"\r\n\r\n" + WHOLE + b"<!-- 12 ms -->\r\n",
        WHOLE.removesuffix(b"END:VCALENDAR\r\n"),
        WHOLE + calendar(event(WORLD, uid="b")).replace(b"END:VEVENT\r\n", b""),
        calendar("これは何の行でもない\r\n", event()),
        calendar("BEGIN:VTODO\r\nUID:t\r\nDUE:x\r\nEND:VTODO\r\n", event()),
    ],
    ids=["LF", "CR", "BOM", "around", "breaks off", "half an entry", "a line", "a to-do"],
)
def test_what_stands_around_the_entries_costs_none(data):
    assert times(data) == THREE[:1]


def test_two_calendars_in_a_row_are_both_read():
    assert times(WHOLE + calendar(event(WORLD, uid="b"))) == THREE[:1] * 2


@pytest.mark.parametrize("end", [b"\r\n ", b"\n ", b"\r\n\t"])
def test_a_line_is_folded_anywhere_also_within_a_sign(end):
    title = "落ち葉のリース作り、公民館の中庭で"
    data = calendar(event(title=title))
    whole = title.encode()
    for at in range(1, len(whole)):
        folded = data.replace(whole, whole[:at] + end + whole[at:])
        assert read(folded).items[0].title == title


def test_one_bad_byte_spoils_one_sign_and_not_the_alphabet():
    data = calendar(event(HERE, "DESCRIPTION:持ち物は、はさみ", title="リース作り"))
    (item,) = read(data.replace("はさみ".encode(), "はさみ".encode() + b"\xff")).items
    assert item.title == "リース作り"
    assert item.body.startswith("持ち物は、はさみ")


def test_a_text_in_two_languages_is_its_first_and_what_is_moved_renames_nothing():
    twice = event(HERE, WEEKLY, "SUMMARY;LANGUAGE=en:Wreaths", title="リース作り")
    moved = event(
        "DTSTART;TZID=Asia/Tokyo:20261203T110000",
        "RECURRENCE-ID;TZID=Asia/Tokyo:20261203T100000",
        title="番外",
    )
    (item,) = read(calendar(moved, twice)).items
    assert item.title == "リース作り"
    assert len(item.times) == 3


def test_entries_without_a_number_or_with_one_too_long_are_each_their_own():
    bare = "".join((event(title="一"), event(title="二"))).replace("UID:a\r\n", "")
    assert [item.title for item in read(calendar(bare)).items] == ["一", "二"]
    long = "x" * (reading.LONGEST_UID + 1)
    (item,) = read(calendar(event(uid=long + "1"), event(WORLD, uid=long + "2"))).items
    assert len(item.uid) == reading.LONGEST_UID


def test_the_limit_of_entries_counts_what_is_written_in_two_bytes_a_sign():
    text = "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nEND:VEVENT\n" * (reading.MOST_ENTRIES + 1)
    with pytest.raises(BadCalendar, match="2,001件"):
        read(text.encode("utf-16"))
