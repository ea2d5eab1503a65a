"""The index of everything that can be found: a folder of Tantivy's, and how documents stand in it.

Each document is written down three times: as words (what the dictionary makes of them), as
readings, and as every two neighbouring signs, which find what the dictionary cuts differently.
Titles are fields of their own. The engine sees tokens that we made, with spaces between.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tantivy import (
    Document,
    Filter,
    Index,
    Schema,
    SchemaBuilder,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)

from policity.kit.japanese import fold, grams, has_kanji, runs
from policity.kit.words import Weight, Word, words

# Another way of writing documents down makes the index anew.
VERSION = 2
HEAP_BYTES = 32_000_000
# What hits are counted by.
COUNTED = ("kind", "section", "year")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of a document. `number` is the row's, `code` the language's.

    `now`: it counts at the moment, and stands above what is over. `whole`: a page, which stands
    above a place on a page (保育園に入りたい above the shelters that are a 保育園).
    """

    number: int
    address: str
    code: str
    title: str
    text: str
    kind: str = ""
    section: str = ""
    year: int = 0
    now: bool = False
    whole: bool = False


def open_index(folder: Path | None) -> Index:
    """The index in this folder, made where there is none; None: in memory."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    index = Index(_schema(), path=str(folder) if folder else None)
    index.register_tokenizer("spaces", _spaces())
    return index


def document(entry: Entry) -> Document:
    """A document as the index takes it."""
    made = Document()
    made.add_unsigned("number", entry.number)
    made.add_unsigned("weight", 2 if entry.now else int(entry.whole))
    for name, said in (
        ("address", entry.address),
        ("code", entry.code),
        ("kind", entry.kind),
        ("section", entry.section),
        ("year", str(entry.year) if entry.year else ""),
        ("title_whole", " ".join(fold(entry.title).split())),
    ):
        made.add_text(name, said)
    for name, text in (("title", entry.title), ("text", entry.text)):
        made.add_text(f"{name}_signs", " ".join(_signs(fold(text))))
        if entry.code.startswith("ja"):
            found = words(text)
            made.add_text(f"{name}_words", " ".join(_words(found)))
            made.add_text(f"{name}_sounds", " ".join(_sounds(found)))
            made.add_text(f"{name}_said", " ".join(grams(_said(found))))
    return made


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_unsigned_field("number", stored=False, indexed=True, fast=True)
    builder.add_unsigned_field("weight", stored=False, indexed=False, fast=True)
    for name in ("address", "code", "title_whole"):
        builder.add_text_field(name, stored=False, tokenizer_name="raw", index_option="basic")
    for name in COUNTED:
        builder.add_text_field(
            name, stored=False, fast=True, tokenizer_name="raw", index_option="basic"
        )
    for name in ("title", "text"):
        for kind in ("words", "sounds"):
            builder.add_text_field(f"{name}_{kind}", tokenizer_name="spaces", index_option="freq")
        for kind in ("signs", "said"):
            builder.add_text_field(f"{name}_{kind}", tokenizer_name="spaces")
    return builder.build()


def _spaces() -> TextAnalyzer:
    return TextAnalyzerBuilder(Tokenizer.whitespace()).filter(Filter.remove_long(200)).build()


def _signs(folded: str) -> Iterator[str]:
    """Every two signs, and the last of each run alone: so each begins one."""
    for run in runs(folded):
        yield from grams(run)
        if len(run) > 1 and has_kanji(run[-1]):
            yield run[-1]


def _said(found: Iterable[Word]) -> str:
    """A text as it is read aloud."""
    return "".join(word.reading if any(runs(word.surface)) else " " for word in found)


def _words(found: Iterable[Word]) -> Iterator[str]:
    for word in found:
        if word.weight is Weight.NOTHING:
            continue
        said = {word.norm, word.surface}
        for part in word.parts:
            said |= {part.norm, part.surface}
        if word.stem:
            said.add(stem_token(word.stem))
        yield from sorted("".join(one.split()) for one in said)


def _sounds(found: Iterable[Word]) -> Iterator[str]:
    for word in found:
        if word.weight is Weight.NOTHING:
            continue
        for one in (word, *word.parts):
            sound = "".join(one.reading.split())
            yield sound
            if one.kana:
                yield kana_token(sound)


def stem_token(stem: str) -> str:
    """What all forms of a word are found by, which is no word itself."""
    return f"{stem}~"


def kana_token(reading: str) -> str:
    """Marks the reading of a word that is written in kana: the one a kanji word is sought by."""
    return f"={reading}"
