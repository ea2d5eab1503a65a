"""Mail and notifications at once, from one ingest: they must not stand in each other's way.

100,000 persons with both. ratio = (T_mail + T_push) ÷ T_both: 1 where one core does one after the
other, below where they hinder each other.
"""

import statistics
import sys

from benchmarks.delivery_parts import City, MailSink, PushSink, browsers, folder, tools

PERSONS = 100_000
ROUNDS = 3
GOAL = 0.8


def measure() -> dict[str, object]:
    tools()
    ratios, both_seconds, firsts = [], [], []
    with folder() as place:
        mail, push = MailSink(place), PushSink(place)
        city = City(
            place,
            POLICITY_EMAIL_URL=f"smtp://127.0.0.1:{mail.port}",
            POLICITY_PUSH_ALLOW_PRIVATE="1",
            POLICITY_PUSH_CA=str(push.ca),
        )
        mails = [f"p{n}@example.jp" for n in range(1, PERSONS + 1)]
        keys = [
            (f"{push.origin}/{n}", one.p256dh, one.auth) for n, one in enumerate(browsers(PERSONS))
        ]
        for _ in range(ROUNDS):
            seconds = {}
            for name, wanted in (
                ("mail", (mails, [])),
                ("push", ([], keys)),
                ("both", (mails, keys)),
            ):
                city.populate(*wanted)
                with city.sender():
                    sent = city.ingest()
                assert sent.states["handed"] == PERSONS, sent
                seconds[name] = sent.seconds
                print(f"{name}: {sent.seconds:.1f} s, first {sent.first:.2f} s", file=sys.stderr)
            assert all(count["handed"] == PERSONS for count in sent.channels.values()), sent
            firsts.append(sent.first)
            both_seconds.append(seconds["both"])
            ratios.append((seconds["mail"] + seconds["push"]) / seconds["both"])
        assert mail.count() == 2 * ROUNDS * PERSONS, mail.count()
        mail.end()
        assert len(push.end()) == 2 * ROUNDS * PERSONS
    assert statistics.median(firsts) < 1, firsts
    return {
        "figure": round(statistics.median(both_seconds), 1),
        "unit": "s for both",
        "peer": "mail alone + push alone",
        "peer_figure": round(statistics.median(both_seconds) * statistics.median(ratios), 1),
        "ratio": round(statistics.median(ratios), 2),
        "spread": round(max(ratios) - min(ratios), 2),
        "goal": GOAL,
    }
