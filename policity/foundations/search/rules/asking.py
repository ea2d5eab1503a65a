"""What somebody types, as what is to be looked for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policity.kit.japanese import fold, grams, is_kana
from policity.kit.words import Weight, Word, words

# More is not read: an address has an end, and nobody types so much.
LONGEST = 100
MOST_WORDS = 12
# As many words as one expression of a list of synonyms has at most.
_EXPRESSION = 3


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is looked for, with everything that would do instead.

    `norm`, `stem`, `reading` are a word's (kit.words), empty where it is none of the dictionary's;
    `written` is as it was typed, folded; `instead` are expressions that say the same; `parts` the
    shorter terms that it is made of. `needed`: a page that lacks it is only half a hit.
    """

    written: str
    norm: str = ""
    stem: str = ""
    reading: str = ""
    kana: bool = False
    instead: tuple[str, ...] = ()
    parts: tuple["Term", ...] = ()
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: terms, and all that was typed, folded.

    `runs` are what was typed without a space, and each two words of it with what stands between
    them (津波の心配): where they stand together they say more.
    """

    terms: tuple[Term, ...]
    whole: str = ""
    runs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def needed(self) -> tuple[Term, ...]:
        """The terms that a whole hit has: all of them where none says the matter."""
        return tuple(term for term in self.terms if term.needed) or self.terms

    @property
    def beside(self) -> tuple[Term, ...]:
        """The other terms."""
        return tuple(term for term in self.terms if term not in self.needed)

    def tries(self) -> Iterator[tuple[tuple[Term, ...], int]]:
        """Terms and how many of them a hit has at least, from the strictest try to the loosest.

        All of them; all, the long ones in parts; one part less, and so on.
        """
        needed = self.needed
        yield needed, len(needed)
        parts: list[Term] = []
        for term in needed:
            parts += [part for part in term.parts if part.needed] or term.parts or [term]
        shorter = tuple(dict.fromkeys(parts))
        if shorter != needed:
            yield shorter, len(shorter)
        yield from ((shorter, least) for least in range(len(shorter) - 1, 0, -1))


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """What the city knows of its residents' words, folded.

    `same`: an expression, and those that say the same; `idle`: words of questions that name
    nothing (方法, 教えて).
    """

    same: Mapping[str, tuple[str, ...]]
    idle: frozenset[str] = frozenset()

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]], idle: Collection[str] = ()) -> "Thesaurus":
        """From groups of expressions as people write them."""
        same: dict[str, tuple[str, ...]] = {}
        for group in groups:
            folded = list(dict.fromkeys(fold(one) for one in group))
            for one in folded:
                others = (*same.get(one, ()), *(other for other in folded if other != one))
                same[one] = tuple(dict.fromkeys(others))
        return cls(same, frozenset(fold(one) for one in idle))


NOTHING_KNOWN = Thesaurus({})
# Of one group: so many expressions, each of so many signs.
MOST_EXPRESSIONS = 20
LONGEST_EXPRESSION = 30


def group_key(expressions: Collection[str]) -> str:
    """The same for the same expressions, in whichever order and spelling: "ごみ\n廃棄物"."""
    return "\n".join(sorted({fold(one) for one in expressions}))


def group_fault(expressions: Sequence[str]) -> str:
    """Why these are no group of expressions that say the same; empty: they are."""
    if any(len(one) > LONGEST_EXPRESSION for one in expressions):
        return f"ことばは、一つ{LONGEST_EXPRESSION}文字までにしてください。"
    if len(expressions) > MOST_EXPRESSIONS:
        return f"ことばは、一組に{MOST_EXPRESSIONS}までにしてください。"
    found = {fold(one) for one in expressions}
    if not all(any(grams(one)) for one in found):
        return "文字のないことばがあります。"
    if len(found) < 2:
        return (
            "ちがうことばを、二つ以上入れてください。"
            "書き方だけのちがいは、入れなくても見つかります。"
        )
    return ""


def ask(typed: str, code: str, thesaurus: Thesaurus = NOTHING_KNOWN) -> Question:
    """Read what was typed on a page in the language of this code."""
    goes = tuple(dict.fromkeys(fold(go) for go in typed[:LONGEST].split()))
    terms: list[Term] = []
    runs = list(goes)
    for go in typed[:LONGEST].split():
        if not code.startswith("ja"):
            terms += _foreign(go, thesaurus)
            continue
        found = words(go)
        terms += _japanese(go, found, thesaurus)
        runs += _pairs(found)
    kept = tuple(dict.fromkeys(terms))[:MOST_WORDS]
    return Question(kept, " ".join(goes), tuple(dict.fromkeys(runs))[:MOST_WORDS])


def _pairs(found: Sequence[Word]) -> Iterator[str]:
    """Each two words that say something, with what stands between them."""
    said = [place for place, word in enumerate(found) if word.weight is not Weight.NOTHING]
    for one, other in pairwise(said):
        yield "".join(word.surface for word in found[one : other + 1])


def _japanese(run: str, found: Sequence[Word], thesaurus: Thesaurus) -> Iterator[Term]:
    """The words of what was typed in one go.

    Kana alone leave a dictionary guessing (いざかや: いざ, かや): then it is what it sounds like,
    and its words are parts.
    """
    terms = tuple(dict.fromkeys(_in_order(found, thesaurus)))
    if is_kana(run) and len(found) > 1:
        written = fold(run)
        instead = thesaurus.same.get(written, ())
        yield Term(written, reading=written, kana=True, instead=instead, parts=terms)
    else:
        yield from terms


def _in_order(found: Sequence[Word], thesaurus: Thesaurus) -> Iterator[Term]:
    place = 0
    while place < len(found):
        taken, expression = _expression(found, place, thesaurus)
        if taken:
            yield expression
        elif _says(found[place]):
            yield _term(found[place], thesaurus)
        place += taken or 1


def _says(word: Word) -> bool:
    """Can it be looked for at all? One kana alone cannot."""
    alone = len(word.surface) == 1 and word.kana
    return word.weight is not Weight.NOTHING and any(grams(word.surface)) and not alone


def _expression(found: Sequence[Word], place: int, thesaurus: Thesaurus) -> tuple[int, Term]:
    """The longest expression of several words that begins here and is in the thesaurus."""
    for count in range(min(_EXPRESSION, len(found) - place), 1, -1):
        several = found[place : place + count]
        written = "".join(word.surface for word in several)
        if instead := thesaurus.same.get(written):
            parts = tuple(_term(word, thesaurus) for word in several if word.weight.value)
            return count, Term(written, instead=instead, parts=parts)
    return 0, Term("")


def _term(word: Word, thesaurus: Thesaurus) -> Term:
    instead = (
        *thesaurus.same.get(word.surface, ()),
        *(thesaurus.same.get(word.norm, ()) if word.norm != word.surface else ()),
    )
    idle = word.surface in thesaurus.idle or word.norm in thesaurus.idle
    return Term(
        written=word.surface,
        norm=word.norm,
        stem=word.stem,
        reading=word.reading,
        kana=word.kana,
        instead=tuple(one for one in dict.fromkeys(instead) if one != word.norm),
        parts=tuple(_term(part, thesaurus) for part in word.parts),
        needed=word.weight is Weight.MATTER and not idle,
    )


def _foreign(run: str, thesaurus: Thesaurus) -> Iterator[Term]:
    """Languages whose words are told apart by spaces, or that we have no dictionary of."""
    written = fold(run)
    signs = tuple(grams(written))
    if signs:
        parts = tuple(Term(sign) for sign in signs) if len(signs) > 1 else ()
        yield Term(written, instead=thesaurus.same.get(written, ()), parts=parts)
