"""Questions of one's own: what can be asked, what is an answer, and how answers are counted."""

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.events import queries, services
from policity.foundations.events.models import Answer
from policity.foundations.events.rules.asking import (
    BadAnswer,
    Kind,
    LongAnswer,
    NoAnswer,
    Question,
    Words,
    answer,
    count,
    options,
    problem,
    read,
)
from policity.foundations.events.rules.repeating import Every
from policity.foundations.events.tests.conftest import (
    LASTS,
    NOW,
    STARTS,
    event_of,
    joined,
    mail_of,
    written,
)
from policity.foundations.residents import queries as residents
from policity.foundations.residents.models import Address
from policity.foundations.residents.rules.links import Purpose
from policity.kit.languages import LANGUAGES

WORDS = st.text("あいう01", min_size=1, max_size=5)
CHOICES = st.lists(WORDS, min_size=2, max_size=6, unique=True).map(tuple)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    kind = draw(st.sampled_from(Kind))
    choices = draw(CHOICES) if kind.chooses else ()
    words = {"ja": Words(draw(WORDS), choices)}
    if draw(st.booleans()):
        words["en"] = Words("?", tuple(f"{number}" for number in range(len(choices))))
    return Question(kind, draw(st.booleans()), words)


def sent(draw: st.DrawFn, question: Question) -> list[str]:
    """What a form sends of a well-meant answer."""
    if question.kind is Kind.TEXT:
        return [draw(WORDS)]
    some = st.sampled_from(options(question)).map(str)
    most = len(options(question)) if question.kind is Kind.MANY else 1
    return draw(st.lists(some, min_size=1, max_size=most))


@given(st.lists(questions()))
def test_what_is_stored_is_read_back_and_can_be_asked(some):
    assert read([one.stored for one in some]) == tuple(some)
    assert read(None) == ()
    assert {problem(one) for one in some} <= {""}


@given(questions(), st.data())
def test_an_answer_is_taken_whole_and_counted_once(question, data):
    rows = [
        [answer(question, sent(data.draw, question))] for _ in range(data.draw(st.integers(0, 5)))
    ]
    none = [] if question.required else [[answer(question, [])]]
    (counted,) = count([question], rows + none)
    assert counted.answers == len(rows)
    if question.kind is Kind.TEXT:
        assert counted.texts == tuple(row[0] for row in rows)
    elif question.kind is Kind.MANY:
        ticks = [tick for row in rows if isinstance(row[0], list) for tick in row[0]]
        assert sum(counted.chosen) == len(ticks)
        assert max(counted.chosen) <= counted.answers
    else:
        assert sum(counted.chosen) == counted.answers
    assert (counted.mean is not None) == (question.kind is Kind.SCORE and bool(rows))
    assert counted.mean is None or 1 <= counted.mean <= 5


@given(questions(), st.lists(st.text(max_size=5), max_size=5))
def test_whatever_is_sent_is_an_answer_or_refused(question, given_):
    try:
        told = answer(question, given_)
    except BadAnswer:
        return
    assert told is not None or not question.required
    count([question], [[told]])


ONE = Question(Kind.ONE, required=True, words={"ja": Words("どこから", ("市内", "市外"))})
MANY = Question(Kind.MANY, required=False, words={"ja": Words("何で", ("歩き", "バス", "車"))})
SCORE = Question(Kind.SCORE, required=False, words={"ja": Words("会場は")})
TEXT = Question(Kind.TEXT, required=False, words={"ja": Words("次に聞きたいこと")})


@pytest.mark.parametrize(
    ("question", "given_", "refused"),
    [
        (ONE, [], NoAnswer),
        (ONE, [" "], NoAnswer),
        (ONE, ["2"], BadAnswer),
        (ONE, ["0", "1"], BadAnswer),
        (ONE, ["-1"], BadAnswer),
        (MANY, ["0", "3"], BadAnswer),
        (SCORE, ["0"], BadAnswer),
        (SCORE, ["6"], BadAnswer),
        (SCORE, ["²"], BadAnswer),
        (TEXT, ["あ" * 1001], LongAnswer),
        (TEXT, ["\0"], BadAnswer),
    ],
)
def test_what_is_no_answer_is_refused(question, given_, refused):
    with pytest.raises(refused):
        answer(question, given_)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question(Kind.TEXT, required=False, words={}), "質問の文を書いて"),
        (Question(Kind.ONE, required=False, words={"ja": Words("", ("a", "b"))}), "質問の文を"),
        (Question(Kind.ONE, required=False, words={"ja": Words("?", ("a",))}), "2つから20まで"),
        (Question(Kind.MANY, required=False, words={"ja": Words("?", tuple(map(str, range(21))))}),
         "2つから20まで"),
        (Question(Kind.ONE, required=False, words={"ja": Words("?", ("a", "a"))}), "同じ選択肢"),
        (Question(Kind.TEXT, required=False, words={"ja": Words("?", ("a", "b"))}), "だけに書け"),
        (Question(Kind.TEXT, required=False, words={"ja": Words("?" * 201)}), "200文字まで"),
        (Question(Kind.ONE, required=False, words={"ja": Words("?", ("a", "b" * 101))}), "100文字"),
        (Question(Kind.ONE, required=False,
                  words={"ja": Words("?", ("a", "b")), "en": Words("?", ("a",))}), "同じ数の"),
        (Question(Kind.ONE, required=False,
                  words={"ja": Words("?", ("a", "b")), "en": Words("", ("a", "b"))}), "同じ数の"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_says_why(question, said, staff, db):
    assert said in problem(question)
    with pytest.raises(services.EventRefused, match="質問1："):
        services.draft(event=written(asks=True, questions=(question,)), by=staff, now=NOW)


def test_questions_that_nobody_would_be_asked_or_too_many_are_refused(staff, db):
    for other, said in (
        ({"questions": (ONE,)}, "感想を聞く"),
        ({"asks": True, "questions": (TEXT,) * 11}, "質問は、10まで"),
    ):
        with pytest.raises(services.EventRefused, match=said):
            services.draft(event=written(**other), by=staff, now=NOW)


def test_what_was_asked_stands_fast_whatever_is_asked_next(event, staff):
    """Of what repeats: the questions of a time that is over stay, those of the next are new."""
    week = timedelta(days=7)
    repeats = {"asks": True, "every": Every.WEEK, "until": (STARTS + week).date()}
    first = event(questions=(ONE, MANY), **repeats)
    one = joined(first, 1)
    ends = STARTS + LASTS
    services.ask_who_came(now=ends)
    new = written(questions=(TEXT,), **repeats)
    services.change(number=first.event_id, event=new, seen=0, by=staff, now=ends)
    assert queries.asked(first.pk) == (ONE, MANY)
    assert services.answer(
        registration=one.pk, person=one.person, score=5, text="", answers=[0, [0, 2]], now=ends
    )
    said = queries.opinion(first.pk)
    assert count(said.questions, said.answers)[1].chosen == (1, 0, 1)
    services.ask_who_came(now=ends + week)
    second = event_of(first).times.latest("starts")
    assert queries.asked(second.pk) == (TEXT,)


def test_an_answer_of_a_time_that_asked_nothing_more_is_as_before(event):
    time = event(asks=True)
    one = joined(time, 1)
    services.ask_who_came(now=STARTS + LASTS)
    services.answer(
        registration=one.pk, person=one.person, score=4, text="よい", now=STARTS + LASTS
    )
    # Those of the program before have no answers at all.
    Answer.objects.update(answers=None)
    said = queries.opinion(time.pk)
    assert (said.questions, said.scores, said.texts, said.answers) == ((), (4,), ("よい",), ((),))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_they_are_asked_in_the_language_of_the_page(client, event, language):
    both = {"ja": ONE.words["ja"], "en": Words("From where?", ("In town", "Elsewhere"))}
    asked = (Question(Kind.ONE, required=True, words=both), MANY, SCORE, TEXT)
    time = event(asks=True, questions=asked)
    one = joined(time, 1)
    ends = STARTS + LASTS
    with time_machine.travel(ends, tick=False):
        services.ask_who_came(now=ends)
        who = Address.objects.get(value=mail_of(1)).resident_id
        page = f"{language.prefix}events/me/{residents.link(Purpose.EVENTS, who)}/{one.pk}/"
        shown = client.get(page).content.decode()
        is_english = language.code == "en"
        assert ("From where?" in shown) is is_english
        assert ("どこから" in shown) is not is_english
        assert ('lang="ja">何で' in shown) is (language.code not in ("ja", "ja-easy"))
        # What was typed and chosen stands there still; nothing is kept yet.
        wrong = client.post(page, {"score": "4", "q2": ["0", "2"], "q4": "もっと"}).content.decode()
        assert 'href="#q1"' in wrong
        assert wrong.count(" checked") == 3
        assert "もっと" in wrong
        assert not Answer.objects.exists()
        client.post(page, {"score": "4", "q1": "1", "q2": ["0", "2"], "q3": "3", "q4": "もっと"})
    (kept,) = Answer.objects.all()
    assert kept.answers == [1, [0, 2], 3, "もっと"]
