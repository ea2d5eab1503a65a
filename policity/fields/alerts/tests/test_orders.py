"""Evacuation information on the main road: composed, approved, sent, corrected, lifted."""

from datetime import timedelta

import pytest

from policity.fields.alerts.models import Order, OrderStep
from policity.fields.alerts.queries import orders as queries
from policity.fields.alerts.rules.orders import Level
from policity.fields.alerts.services import orders
from policity.fields.alerts.services.orders import ChangedError, Draft, OrderError
from policity.foundations.accounts.models import Role
from policity.foundations.delivery import queries as delivery
from policity.foundations.delivery.models import Dispatch, LedgerRow, Message
from policity.foundations.delivery.rules.ledger import State
from policity.foundations.delivery.tests.conftest import NOW
from policity.foundations.publishing.models import PageKey

MINUTE = timedelta(minutes=1)


def draft(towns, level=Level.EVACUATE, reason="flood", notes=None, checked=None) -> Draft:
    return Draft(level, tuple(towns), reason, notes or {}, checked or {})


@pytest.fixture
def decide(staff):
    """Compose, ask, approve: an order that is issued."""

    def decide(towns, level=Level.EVACUATE, *, now=NOW, **more) -> Order:
        officer, commander = staff(Role.DUTY_OFFICER), staff(Role.COMMANDER)
        made = orders.compose(draft=draft(towns, level, **more), by=officer, now=now)
        orders.submit(order=made.pk, seen=made.version, by=officer, now=now)
        return orders.issue(order=made.pk, seen=made.version, by=commander, now=now)

    return decide


def reached(message) -> set[int]:
    rows = LedgerRow.objects.filter(message=message, state__gte=State.HANDED)
    return set(rows.values_list("person", flat=True))


def test_an_order_reaches_its_towns_and_no_others(decide, towns, resident, office):
    inside, outside = resident(towns[0]), resident(towns[5])
    order = decide(towns[:2])
    office.settle()
    assert reached(order.message_id) == {inside}
    assert outside not in reached(order.message_id)
    message = order.message
    assert (message.kind, message.level, message.severity) == ("evacuation", 4, "severe")
    assert "避難指示" in message.texts["ja"]["title"]
    assert "全員いますぐ避難" in message.texts["ja"]["body"]
    assert set(message.texts) == {"ja", "ja-easy", "en", "zh-hans", "ko"}
    dispatch = Dispatch.objects.get(message=message)
    assert dispatch.approved_by.username == f"sample-{Role.COMMANDER}"
    assert dispatch.path == f"evacuation/{order.pk}/"


def test_it_goes_ahead_of_a_warning_that_is_being_sent(decide, towns, resident, office):
    from policity.foundations.delivery.tests.conftest import send_of

    resident(towns[0])
    warning = send_of()
    order = decide(towns[:1])
    for _ in range(6):
        office.turn()
    begun = [item.message for item in office.take()]
    assert begun.index(order.message_id) < begun.index(warning.message_id)


def test_who_asked_only_for_the_gravest_hears_only_that(decide, towns, resident, office):
    someone = resident(towns[0], wants="evacuation:severe")
    first = decide(towns[:1], Level.ELDERLY)
    office.settle()
    assert reached(first.message_id) == set()
    second = decide(towns[:1], Level.EVACUATE, now=NOW + MINUTE)
    office.settle(now=NOW + MINUTE)
    assert reached(second.message_id) == {someone}


def test_raised_it_is_one_story_and_what_is_queued_of_the_old_level_is_withdrawn(
    decide, towns, resident, office
):
    resident(towns[0])
    first = decide(towns[:2], Level.ELDERLY)
    office.turn()
    second = decide(towns[:3], Level.EVACUATE, now=NOW + MINUTE)
    assert second.story == first.pk
    assert second.message.thread == first.message.thread
    office.settle(now=NOW + MINUTE)
    assert delivery.status(first.message_id).states["withdrawn"] == 1
    assert delivery.status(second.message_id).states["handed"] == 1


def test_an_order_for_a_part_of_the_towns_begins_a_story_of_its_own(decide, towns):
    first = decide(towns[:3], Level.ELDERLY)
    second = decide(towns[:1], Level.EVACUATE, now=NOW + MINUTE)
    assert second.story == second.pk
    stands = queries.stands()
    assert [stands[town].id for town in towns[:3]] == [second.pk, first.pk, first.pk]
    assert Dispatch.objects.get(message=first.message_id).withdrawn_at is None


def test_lifted_it_is_told_to_whoever_was_told(decide, towns, resident, office):
    told = resident(towns[0])
    order = decide(towns[:1])
    office.settle()
    lifted = decide(towns[:1], None, now=NOW + MINUTE)
    office.settle(now=NOW + MINUTE)
    assert reached(lifted.message_id) == {told}
    assert lifted.message.texts["ja"]["title"] == "避難指示の解除"
    assert lifted.story == order.pk
    assert queries.stands() == {}


def test_lifting_everything_ends_every_story(decide, towns, resident, office):
    resident(towns[0])
    first = decide(towns[:1])
    second = decide(towns[1:2], Level.ELDERLY, now=NOW + MINUTE)
    lifted = decide(towns, None, now=NOW + 2 * MINUTE)
    assert lifted.story == first.pk
    assert "市の全体" in lifted.message.texts["ja"]["body"]
    for order in (first, second):
        assert Dispatch.objects.get(message=order.message_id).withdrawn_at
    followed = Dispatch.objects.get(message=lifted.message_id).audience["followers_of"]
    assert len(followed) == 2


def test_sent_in_error_goes_to_the_same_people_ahead_of_all_and_takes_back_the_rest(
    decide, towns, resident, office, staff
):
    """One was handed the error, one was still waiting; a third lives elsewhere."""
    heard, waiting, elsewhere = resident(towns[0]), resident(towns[0]), resident(towns[9])
    order = decide(towns[:1])
    office.turn()
    office.turn()
    [begun] = office.take(1)
    office.answer([begun])
    office.turn()
    orders.withdraw(
        order=order.pk, why="訓練のつもりだった", by=staff(Role.COMMANDER), now=NOW + MINUTE
    )
    order.refresh_from_db()
    states = {row.person: State(row.state) for row in LedgerRow.objects.all()}
    assert states == {heard: State.HANDED, waiting: State.WITHDRAWN}
    # What lies on a tray is taken back before the correction goes out.
    for minutes in range(1, 6):
        office.turn(NOW + minutes * MINUTE)
        office.answer(office.take())
    assert reached(order.correction_id) == {heard}
    assert elsewhere not in reached(order.correction_id)
    sent = Dispatch.objects.get(message=order.correction_id)
    assert sent.ahead
    assert "まちがい" in order.correction.texts["ja"]["title"]
    assert queries.stands() == {}


def test_what_stood_before_an_error_stands_again_and_all_there_hear_it(
    decide, towns, resident, office, staff
):
    person = resident(towns[0])
    first = decide(towns[:1], Level.ELDERLY)
    wrong = decide(towns[:1], Level.SECURE, now=NOW + MINUTE)
    withdrawn = orders.withdraw(
        order=wrong.pk, why="町をまちがえた", by=staff(Role.COMMANDER), now=NOW + 2 * MINUTE
    )
    assert {town: view.id for town, view in queries.stands().items()} == {towns[0]: first.pk}
    assert "高齢者等避難" in withdrawn.correction.texts["ja"]["body"]
    office.settle(now=NOW + 2 * MINUTE)
    # Neither the first order nor the error had reached anybody yet.
    assert reached(withdrawn.correction_id) == {person}


def test_a_correction_is_told_once(decide, towns, staff):
    order = decide(towns[:1])
    commander = staff(Role.COMMANDER)
    orders.withdraw(order=order.pk, why="誤り", by=commander, now=NOW)
    with pytest.raises(OrderError, match="もう取り消して"):
        orders.withdraw(order=order.pk, why="誤り", by=commander, now=NOW)
    assert Message.objects.count() == 2


def test_two_persons_decide(staff, towns):
    officer = staff(Role.DUTY_OFFICER)
    made = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW)
    with pytest.raises(OrderError, match="先に、承認を依頼"):
        orders.issue(order=made.pk, seen=1, by=staff(Role.COMMANDER), now=NOW)
    orders.submit(order=made.pk, seen=1, by=officer, now=NOW)
    with pytest.raises(OrderError, match="作った人は"):
        orders.issue(order=made.pk, seen=1, by=officer, now=NOW, alone="急ぐ")
    orders.issue(order=made.pk, seen=1, by=staff(Role.DUTY_OFFICER, "another"), now=NOW)
    assert Order.objects.get().alone == ""


def test_one_who_may_decides_alone_with_a_reason_and_a_second_looks_at_it_later(staff, towns):
    commander = staff(Role.COMMANDER)
    made = orders.compose(draft=draft(towns[:1]), by=commander, now=NOW)
    orders.submit(order=made.pk, seen=1, by=commander, now=NOW)
    with pytest.raises(OrderError, match="理由を書いて"):
        orders.issue(order=made.pk, seen=1, by=commander, now=NOW)
    orders.issue(order=made.pk, seen=1, by=commander, now=NOW, alone="深夜で、ほかにいない")
    assert [view.id for view in queries.unreviewed()] == [made.pk]
    with pytest.raises(OrderError, match="自分の発令"):
        orders.review(order=made.pk, words="よい", by=commander, now=NOW)
    orders.review(order=made.pk, words="適切", by=staff(Role.DUTY_OFFICER), now=NOW)
    assert queries.unreviewed() == ()


def test_nobody_approves_what_was_changed_since_they_read_it(staff, towns):
    officer = staff(Role.DUTY_OFFICER)
    made = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW)
    orders.submit(order=made.pk, seen=1, by=officer, now=NOW)
    changed = orders.compose(draft=draft(towns[:9]), by=officer, now=NOW, order=made.pk, seen=1)
    orders.submit(order=made.pk, seen=changed.version, by=officer, now=NOW)
    with pytest.raises(ChangedError, match="見本"):
        orders.issue(order=made.pk, seen=1, by=staff(Role.COMMANDER), now=NOW)
    assert Message.objects.count() == 0


def test_a_change_needs_approval_anew(staff, towns):
    officer = staff(Role.DUTY_OFFICER)
    made = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW)
    orders.submit(order=made.pk, seen=1, by=officer, now=NOW)
    orders.compose(draft=draft(towns[:9]), by=officer, now=NOW, order=made.pk, seen=1)
    with pytest.raises(OrderError, match="依頼していない"):
        orders.issue(order=made.pk, seen=2, by=staff(Role.COMMANDER), now=NOW)


def test_two_officers_on_one_order_do_not_write_over_each_other(staff, towns):
    first, second = staff(Role.DUTY_OFFICER), staff(Role.DUTY_OFFICER, "second")
    made = orders.compose(draft=draft(towns[:1]), by=first, now=NOW)
    orders.compose(draft=draft(towns[:2]), by=second, now=NOW, order=made.pk, seen=1)
    with pytest.raises(ChangedError, match="second"):
        orders.compose(draft=draft(towns[:3]), by=first, now=NOW, order=made.pk, seen=1)
    assert Order.objects.get().towns == sorted(towns[:2])


def test_saving_what_is_already_so_changes_nothing(staff, towns):
    officer = staff(Role.DUTY_OFFICER)
    made = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW)
    again = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW, order=made.pk, seen=1)
    assert (again.version, OrderStep.objects.count()) == (1, 1)


def test_an_order_is_issued_once(decide, towns, staff):
    order = decide(towns[:1])
    with pytest.raises(ChangedError, match="承認・発令"):
        orders.issue(order=order.pk, seen=1, by=staff(Role.COMMANDER), now=NOW)
    assert Message.objects.count() == 1


def test_a_lifting_that_lifts_nothing_any_more_is_not_issued(decide, staff, towns):
    decide(towns[:1])
    officer, commander = staff(Role.DUTY_OFFICER), staff(Role.COMMANDER)
    lifting = orders.compose(draft=draft(towns[:1], None), by=officer, now=NOW)
    orders.submit(order=lifting.pk, seen=1, by=officer, now=NOW)
    decide(towns[:1], None, now=NOW + MINUTE)
    with pytest.raises(OrderError, match="避難情報は出ていません"):
        orders.issue(order=lifting.pk, seen=1, by=commander, now=NOW + MINUTE)


def test_turned_down_it_goes_back_with_a_reason(staff, towns):
    officer, commander = staff(Role.DUTY_OFFICER), staff(Role.COMMANDER)
    made = orders.compose(draft=draft(towns[:1]), by=officer, now=NOW)
    orders.submit(order=made.pk, seen=1, by=officer, now=NOW)
    with pytest.raises(OrderError, match="理由"):
        orders.turn_down(order=made.pk, seen=1, why=" ", by=commander, now=NOW)
    orders.turn_down(order=made.pk, seen=1, why="町が多すぎる", by=commander, now=NOW)
    assert queries.order(made.pk).stage == Order.Stage.DRAFT
    assert queries.steps(order=made.pk)[-1].words == "町が多すぎる"


def test_a_note_that_nobody_checked_is_not_sent(decide, towns):
    order = decide(
        towns[:1],
        notes={"ja": "橋は通れません", "en": "The bridge is closed", "ko": "다리 통제"},
        checked={"ko": "見本 통역"},
    )
    assert "橋は通れません" in order.message.texts["ja"]["body"]
    assert "bridge" not in order.message.texts["en"]["body"]
    assert "다리 통제" in order.message.texts["ko"]["body"]


def test_what_cannot_be_issued_leaves_nothing_behind(staff, towns):
    with pytest.raises(OrderError, match="この市にない町"):
        orders.compose(draft=draft([*towns[:1], 10**6]), by=staff(Role.DUTY_OFFICER), now=NOW)
    assert Order.objects.count() == 0


MAY_COMPOSE = {Role.DUTY_OFFICER, Role.COMMANDER}


@pytest.mark.parametrize("role", Role)
def test_who_may_compose_and_approve(role, staff, towns, decide):
    """Whatever page or command calls it: the room itself refuses."""
    someone = staff(role, f"someone-{role}")
    standing = decide(towns[:1])
    made = orders.compose(draft=draft(towns[:2]), by=staff(Role.DUTY_OFFICER), now=NOW)
    submitted = orders.submit(order=made.pk, seen=1, by=staff(Role.DUTY_OFFICER), now=NOW)
    acts = [
        lambda: orders.compose(draft=draft(towns[:1]), by=someone, now=NOW),
        lambda: orders.issue(order=submitted.pk, seen=1, by=someone, now=NOW),
        lambda: orders.withdraw(order=standing.pk, why="誤り", by=someone, now=NOW),
    ]
    for act in acts:
        if role in MAY_COMPOSE:
            act()
        else:
            with pytest.raises(OrderError, match="権限がありません"):
                act()
    assert Message.objects.count() == (3 if role in MAY_COMPOSE else 1)


def test_the_whole_city_is_said_in_a_word(decide, towns):
    order = decide(towns)
    assert "対象：市の全体" in order.message.texts["ja"]["body"]
    assert Dispatch.objects.get(message=order.message_id).audience["towns"] is None


def test_the_audience_before_is_the_audience_after(decide, staff, towns, resident):
    decide(towns[:1], Level.ELDERLY)
    made = orders.compose(draft=draft(towns[:2]), by=staff(Role.DUTY_OFFICER), now=NOW)
    ahead = orders.audience(queries.view(made)).freeze()
    orders.submit(order=made.pk, seen=1, by=staff(Role.DUTY_OFFICER), now=NOW)
    issued = orders.issue(order=made.pk, seen=1, by=staff(Role.COMMANDER), now=NOW)
    assert Dispatch.objects.get(message=issued.message_id).audience == ahead


def test_every_step_is_kept_with_who_and_when(decide, towns, staff):
    order = decide(towns[:1])
    orders.withdraw(order=order.pk, why="誤り", by=staff(Role.COMMANDER), now=NOW + MINUTE)
    acts = [step.act for step in queries.steps(order=order.pk)]
    assert acts == ["composed", "submitted", "issued", "withdrawn"]


def test_the_pages_that_show_orders_wait_to_be_written(decide, towns):
    order = decide(towns[:1])
    assert order.story == order.pk
    assert Order.objects.get().showing_id is not None or not PageKey.objects.exists()
