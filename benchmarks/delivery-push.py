"""100,000 notifications to as many subscriptions, from an ingest to a local push service.

Every hundredth is kept by the service and opened as its browser would. The peer is npm's web-push
on kept connections with its VAPID header cached, sending a part of as many.
"""

import base64
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
    browsers,
    folder,
    opened,
    peer_module,
)

PERSONS = 100_000
PEER = 4_000
SAMPLES = 1_000
ROUNDS = 3
GOAL = 5.0


def measure() -> dict[str, object]:
    ours, peers, firsts, opened_in_all = [], [], [], 0
    with folder() as place:
        modules = peer_module(place)
        keys = browsers(PERSONS)
        for _ in range(ROUNDS):
            sink = PushSink(place, every=PERSONS // SAMPLES)
            city = City(place, POLICITY_PUSH_ALLOW_PRIVATE="1", POLICITY_PUSH_CA=str(sink.ca))
            subscriptions = [
                (f"{sink.origin}/{n}", one.p256dh, one.auth) for n, one in enumerate(keys)
            ]
            city.populate([], subscriptions)
            with city.sender():
                sent = city.ingest()
            assert sent.states["handed"] == PERSONS, sent
            taken = sink.end()
            assert taken == PERSONS, taken
            opened_in_all += _open(sink.file, keys)
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


def _open(file: Path, keys: list[Browser]) -> int:
    """Open what the service kept; each says what was told, in the language of its reader."""
    lines = file.read_text().splitlines()
    assert len(lines) >= SAMPLES, len(lines)
    for line in lines:
        kept = json.loads(line)
        number = int(kept["path"].strip("/"))
        shown = json.loads(opened(keys[number], base64.b64decode(kept["body"])))
        assert "大雨警報" in shown["title"], shown
        assert "/reply/" in shown["url"], shown
    return len(lines)


def _peer(place: Path, modules: Path, keys: list[Browser]) -> float:
    sink = PushSink(place, http1=True)
    listed = [
        {"endpoint": f"{sink.origin}/{n}", "keys": {"p256dh": one.p256dh, "auth": one.auth}}
        for n, one in enumerate(keys[:PEER])
    ]
    file = place / "subscriptions.json"
    file.write_text(json.dumps(listed))
    done = subprocess.run(
        ["node", PARTS / "peer.mjs", modules / "node_modules", file],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(sink.ca)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["failed"] == 0, said
    sink.end()
    return float(said["sent"] / said["seconds"])
