"""Staff keep the words that mean the same; they count from the next question on."""

import pytest

from policity.back_office.tests.test_orders_web import create
from policity.foundations.accounts.models import AuditEntry, Role
from policity.foundations.search import queries
from policity.foundations.search.models import Synonyms
from policity.foundations.search.rules.asking import ask

pytestmark = pytest.mark.usefixtures("city")
AT = "/staff/words/"


@pytest.fixture
def editor(client):
    client.force_login(create(Role.EDITOR, "words"))
    return client


def instead(word):
    return ask(word, "ja", queries.thesaurus()).terms[0].instead


def test_a_group_is_added_ended_and_taken_up_again(editor):
    assert "へんてこ" not in instead("廃材")
    assert editor.post(AT, {"words": "廃材、 へんてこ\n廃材"}).status_code == 302
    assert "へんてこ" in instead("廃材")
    assert "廃材、へんてこ" in editor.get(AT).content.decode()
    editor.post(f"{AT}end/", {"words": "へんてこ、廃材"})
    assert "へんてこ" not in instead("廃材")
    editor.post(f"{AT}resume/", {"words": "廃材、へんてこ"})
    assert "へんてこ" in instead("廃材")
    assert Synonyms.objects.count() == 1
    acts = AuditEntry.objects.filter(act__startswith="synonyms.").values_list("act", flat=True)
    assert sorted(acts) == ["synonyms.added", "synonyms.added", "synonyms.ended"]


def test_one_that_came_with_the_program_is_ended_too(editor):
    assert "個人番号" in instead("マイナンバー")
    editor.post(f"{AT}end/", {"words": "マイナンバー、個人番号"})
    assert "個人番号" not in instead("マイナンバー")
    # Another group of the same word stays.
    assert instead("マイナンバーカード")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "ことばを入れてください"),
        ("ごみ", "二つ以上"),
        ("ごみ、ゴミ、ｺﾞﾐ", "二つ以上"),
        ("ごみ、!!", "文字のないことば"),
        ("ごみ、" + "長" * 31, "30文字まで"),
        ("ごみ、" + "長" * 10_000, "1,000文字まで"),
        ("、".join(f"ことば{n}番" for n in range(21)), "一組に20まで"),
        ("廃材、へんてこ", "もうあります"),
    ],
)
def test_what_is_no_group_is_said_and_stays_as_it_was_typed(editor, words, says):
    editor.post(AT, {"words": "へんてこ、廃材"})
    answer = editor.post(AT, {"words": words})
    assert answer.status_code == 400
    said = answer.content.decode()
    assert says in said
    assert f'value="{words}"' in said
    assert Synonyms.objects.count() == 1


def test_a_question_asks_once_for_them_however_many_there_are(editor, django_assert_num_queries):
    for number in range(10):
        editor.post(AT, {"words": f"廃材、へんてこ{number}番"})
    with django_assert_num_queries(1):
        assert len(queries.thesaurus().same["廃材"]) == 10


def test_a_word_is_tried(editor):
    said = editor.get(AT, {"q": "へんてこ"}).content.decode()
    assert "<b>0</b>件" in said
    assert "一組にすると" in said


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.EDITOR, Role.PUBLISHER,
                                                     Role.ADMINISTRATOR}))  # fmt: skip
def test_others_have_no_words_to_keep(client, role):
    client.force_login(create(role, "another"))
    for path in (AT, f"{AT}end/", f"{AT}resume/"):
        assert client.post(path, {"words": "廃材、へんてこ"}).status_code == 403
    assert not Synonyms.objects.exists()
