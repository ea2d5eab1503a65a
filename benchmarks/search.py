"""What is found, and how fast: our search beside SQLite's FTS5 with its trigram tokenizer.

`script/bench search [--docs FILE --queries FILE]`: documents as JSON lines `{id, title, text}` (or
`body`), queries as `{q, relevant}`. Without them: the documents of ../shared/data and the queries
that the project keeps, made by reading the documents.

`recall` at 10: of what is relevant, how much is among the first ten; of more than ten, ten count as
all. `precision` at 3: how many of the first three are relevant; where fewer than three are, as many
as there are count as all of them. Both are means over the queries. A query without a relevant
document is left out, and counted in a line of its own.

The time is that of one question to an index of 50,000 documents, words read by the dictionary and
facets counted: each query several times, the 95th of 100. They are the given documents, over and
over, each with some sentences of others: no two are the same. The peer holds the same documents
and is asked in turns with us.
"""

import argparse
import json
import random
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles

from tantivy import Index

from policity.foundations.search.formats.finding import find
from policity.foundations.search.formats.index import (
    HEAP_BYTES,
    Entry,
    document,
    open_index,
)
from policity.foundations.search.formats.thesaurus import shipped
from policity.foundations.search.rules.asking import ask

ROOT = Path(__file__).parent.parent
DOCS = ROOT.parent / "shared" / "data" / "search" / "docs.jsonl"
QUERIES = Path(__file__).parent / "search_parts" / "queries.jsonl"
FIRST = 10
MANY = 50_000
ROUNDS = 5
SEED = 2026
GOALS = {"recall": 0.95, "precision": 0.8, "p95": 50}


@dataclass(frozen=True)
class Doc:
    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Asked:
    q: str
    relevant: frozenset[str]


Find = Callable[[str], Sequence[str]]


def measure(arguments: Sequence[str] = ()) -> list[dict[str, object]]:
    """Recall, precision and time, each beside the peer's."""
    parser = argparse.ArgumentParser(prog="script/bench search")
    parser.add_argument("--docs", type=Path, default=DOCS)
    parser.add_argument("--queries", type=Path, default=QUERIES)
    given = parser.parse_args(list(arguments))
    docs = [
        Doc(str(d["id"]), d["title"], d.get("text") or d.get("body") or "")
        for d in _lines(given.docs)
    ]
    queries = [Asked(q["q"], frozenset(map(str, q["relevant"]))) for q in _lines(given.queries)]
    judged = [asked for asked in queries if asked.relevant]
    ours, peer = _ours(_indexed(docs), docs), _peer(docs)
    lines = [
        _line("recall", recall, ours, peer, judged),
        _line("precision", precision, ours, peer, judged),
        {"figure": len(judged), "unit": "queries", "peer": f"{len(docs)} documents",
         "peer_figure": len(queries) - len(judged)},
    ]  # fmt: skip
    return [*lines, _times(docs, queries)]


def recall(found: Sequence[str], relevant: frozenset[str]) -> float:
    """How much of what is relevant is among the first ten."""
    return len(relevant & set(found[:FIRST])) / min(FIRST, len(relevant))


def precision(found: Sequence[str], relevant: frozenset[str]) -> float:
    """How many of the first three are relevant, of as many as could be."""
    return len(relevant & set(found[:3])) / min(3, len(relevant))


def _line(
    name: str,
    score: Callable[[Sequence[str], frozenset[str]], float],
    ours: Find,
    peer: Find,
    judged: Sequence[Asked],
) -> dict[str, object]:
    scores = {asked.q: score(ours(asked.q), asked.relevant) for asked in judged}
    worst = sorted(scores, key=lambda q: scores[q])
    figure, others = mean(scores.values()), mean(score(peer(a.q), a.relevant) for a in judged)
    return {
        "figure": round(figure, 3), "unit": f"{name} at {FIRST if name == 'recall' else 3}",
        "peer": "SQLite FTS5 trigram, bm25", "peer_figure": round(others, 3),
        "ratio": round(figure / others, 2) if others else None, "goal": GOALS[name],
        "worst": [q for q in worst if scores[q] < 1][:8],
    }  # fmt: skip


def _times(docs: Sequence[Doc], queries: Sequence[Asked]) -> dict[str, object]:
    many = list(_many(docs))
    began = time.perf_counter()
    ours = _ours(_indexed(many), many)
    built = time.perf_counter() - began
    peer = _peer(many)
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    order = [asked.q for asked in queries] * ROUNDS
    random.Random(SEED).shuffle(order)
    for q in order:
        for name, ask_it in (("ours", ours), ("peer", peer)):
            began = time.perf_counter()
            ask_it(q)
            taken[name].append((time.perf_counter() - began) * 1000)
    p95 = {name: quantiles(times, n=100)[94] for name, times in taken.items()}
    return {
        "figure": round(p95["ours"], 2), "unit": f"ms, p95 over {len(many)} documents",
        "median": round(median(taken["ours"]), 2), "worst": round(max(taken["ours"]), 2),
        "peer": "SQLite FTS5 trigram, bm25", "peer_figure": round(p95["peer"], 2),
        "ratio": round(p95["peer"] / p95["ours"], 2), "goal": GOALS["p95"],
        "built_seconds": round(built, 1),
    }  # fmt: skip


def _ours(index: Index, docs: Sequence[Doc]) -> Find:
    known = shipped().thesaurus()

    def found(q: str) -> list[str]:
        hits = find(index, ask(q, "ja", known), code="ja", limit=FIRST)
        return [docs[number].id for number in (*hits.numbers, *hits.also)]

    return found


def _indexed(docs: Sequence[Doc]) -> Index:
    index = open_index(None)
    writer = index.writer(HEAP_BYTES, 1)
    for number, doc in enumerate(docs):
        writer.add_document(
            document(Entry(number, f"/{number}/", "ja", doc.title, doc.text, kind=doc.id[:3]))
        )
        if sys.stderr.isatty() and number % 1000 == 0:
            print(f"\r{number} / {len(docs)}", end="", file=sys.stderr)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


def _peer(docs: Sequence[Doc]) -> Find:
    """Words of three signs or more by the index, joined by AND; shorter ones by LIKE."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE doc USING fts5(title, text, tokenize='trigram')")
    database.executemany("INSERT INTO doc VALUES (?, ?)", ((d.title, d.text) for d in docs))

    def found(q: str) -> list[str]:
        terms = q.split()
        long = " AND ".join('"' + t.replace('"', '""') + '"' for t in terms if len(t) > 2)
        short = [t for t in terms if len(t) < 3]
        where = " AND ".join(
            (["doc MATCH ?"] if long else []) + ["(title LIKE ? OR text LIKE ?)"] * len(short)
        )
        values = ([long] if long else []) + [f"%{t}%" for t in short for _ in range(2)]
        order = "bm25(doc, 4.0, 1.0)" if long else "rowid"
        rows = database.execute(
            f"SELECT rowid FROM doc WHERE {where} ORDER BY {order} LIMIT {FIRST}",  # noqa: S608
            values,
        )
        return [docs[row[0] - 1].id for row in rows]

    return found


def _many(docs: Sequence[Doc]) -> Iterator[Doc]:
    """As many documents as a large city has, made of these."""
    chance = random.Random(SEED)
    sentences = [one for doc in docs for one in re.split(r"(?<=[。\n])", doc.text) if one.strip()]
    for number in range(MANY):
        doc = docs[number % len(docs)]
        more = "".join(chance.choices(sentences, k=2)) if sentences else ""
        yield Doc(f"{doc.id} {number}", doc.title, doc.text + more)


def _lines(file: Path) -> Iterable[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
