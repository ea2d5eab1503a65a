"""100,000 notifications to as many subscriptions, from an ingest to a local push service.

Every hundredth is kept by the service and opened as its browser would. The peer is npm's web-push
on kept connections with its VAPID header cached, sending a part of as many, texts as long as ours.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.delivery_parts import (
    PARTS,
    Browser,
    City,
    PushSink,
    Taken,
    browsers,
    folder,
    opened,
    peer_module,
    tools,
)
from policity.foundations.delivery.formats.webpush import LENGTHS

PERSONS = 100_000
PEER = 10_000
SAMPLES = 1_000
ROUNDS = 3
GOAL = 5.0


def measure() -> dict[str, object]:
    tools()
    ours, peers, firsts, opened_in_all = [], [], [], 0
    with folder() as place:
        modules = peer_module(place)
        keys = browsers(PERSONS)
        for _ in range(ROUNDS):
            sink = PushSink(place, samples="00")
            city = City(place, POLICITY_PUSH_ALLOW_PRIVATE="1", POLICITY_PUSH_CA=str(sink.ca))
            subscriptions = [
                (f"{sink.origin}/{n:05}", one.p256dh, one.auth) for n, one in enumerate(keys)
            ]
            city.populate([], subscriptions)
            with city.sender():
                sent = city.ingest()
            assert sent.states["handed"] == PERSONS, sent
            taken = sink.end()
            assert len(taken) == len({one.path for one in taken}) == PERSONS, len(taken)
            opened_in_all += _open(taken, keys)
            ours.append(PERSONS / sent.seconds)
            firsts.append(sent.first)
            peers.append(_peer(place, modules, keys))
    print(
        f"first hand-over after {statistics.median(firsts):.2f} s, {opened_in_all} opened",
        file=sys.stderr,
    )
    ratios = [our / peer for our, peer in zip(ours, peers, strict=True)]
    return {
        "figure": round(statistics.median(ours)),
        "unit": "notifications/s",
        "peer": "npm web-push, kept connections, VAPID header cached",
        "peer_figure": round(statistics.median(peers)),
        "ratio": round(statistics.median(ours) / statistics.median(peers), 2),
        "spread": round(max(ratios) - min(ratios), 2),
        "goal": GOAL,
    }


def _open(taken: list[Taken], keys: list[Browser]) -> int:
    """Open what the service kept; each says what was told, in the language of its reader."""
    kept = [one for one in taken if one.body is not None]
    assert len(kept) == SAMPLES, len(kept)
    for one in kept:
        shown = json.loads(opened(keys[int(one.path.strip("/"))], one.body))
        assert "大雨警報" in shown["title"], shown
        assert "/reply/" in shown["url"], shown
    return len(kept)


def _peer(place: Path, modules: Path, keys: list[Browser]) -> float:
    sink = PushSink(place)
    listed = [
        {"endpoint": f"{sink.origin_http1}/{n}", "keys": {"p256dh": one.p256dh, "auth": one.auth}}
        for n, one in enumerate(keys[:PEER])
    ]
    file = place / "subscriptions.json"
    file.write_text(json.dumps(listed))
    # Ours fill each text up to this, so that its length tells nothing: the same on the wire.
    text = place / "text.json"
    text.write_bytes(b"x" * LENGTHS[0])
    done = subprocess.run(
        ["node", PARTS / "peer.mjs", modules / "node_modules", file, "--payload", text],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(sink.ca)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["failed"] == 0, said
    assert len(sink.end()) == PEER
    return float(said["sent"] / said["seconds"])
