"""What the city's plan counts of delivery: how many were reached at once, how soon it began, and
how many heard it from somebody, too: the balance of machines and people that a plan asks for.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from django.db.models import F, Min, Q, QuerySet

from policity.foundations.delivery.models import Alarm, Dispatch, Reach, ToldByHand
from policity.foundations.delivery.rules.drilling import DRILL
from policity.foundations.residents.rules.choices import APART
from policity.kit.declare import Lane, Metric, Part, Reading

AT_ONCE = timedelta(minutes=10)
NONE_SENT = "この期間に、数える送信がありませんでした。"


def _within_ten_minutes(since: datetime, until: datetime) -> Reading:
    let_out = _let_out(since, until).exclude(message__kind=DRILL)
    urgent = let_out.filter(lane=Lane.URGENT)
    return _reach(urgent, {"急ぎでない知らせの送信": let_out.exclude(lane=Lane.URGENT).count()})


def _within_ten_minutes_in_drills(since: datetime, until: datetime) -> Reading:
    return _reach(_let_out(since, until).filter(message__kind=DRILL), {})


def _let_out(since: datetime, until: datetime) -> QuerySet[Dispatch]:
    sent = Dispatch.objects.filter(approved_at__gte=since, approved_at__lt=until)
    return sent.exclude(message__kind__in=APART)


def _reach(dispatches: QuerySet[Dispatch], left_out: dict[str, int]) -> Reading:
    """Persons reached by the last count of the first ten minutes, of all whom the sending meant."""
    rows = dispatches.values_list("message_id", "message__kind", "stage", "expanded_at", "targets")
    counted = set(
        Reach.objects.filter(message__dispatch__in=dispatches).values_list("message_id", flat=True)
    )
    early = Reach.objects.filter(
        message__dispatch__in=dispatches, at__lte=F("message__dispatch__approved_at") + AT_ONCE
    )
    reached = {
        message: sum(states)
        for message, *states in early.order_by("at").values_list(
            "message_id", "handed", "delivered", "seen", "confirmed"
        )
    }
    kinds: dict[str, list[tuple[int, int]]] = {}
    for message, of, stage, expanded_at, targets in rows:
        if stage == Dispatch.Stage.WITHDRAWN:
            _more(left_out, "途中で取り下げた送信")
        elif expanded_at is None:
            _more(left_out, "対象を広げている途中の送信")
        elif not targets:
            _more(left_out, "対象が0人の送信")
        elif message not in counted:
            _more(left_out, "数えた記録のない送信")
        else:
            kinds.setdefault(of, []).append((reached.get(message, 0), targets))
    found = [one for some in kinds.values() for one in some]
    left_out = {why: count for why, count in left_out.items() if count}
    if not found:
        return Reading(None, 0, NONE_SENT, left_out)
    parts = {of: Part(_percent(some), len(some)) for of, some in kinds.items()}
    return Reading(_percent(found), len(found), "", left_out, {"kind": parts})


def _percent(some: Iterable[tuple[int, int]]) -> Decimal:
    reached, targets = map(sum, zip(*some, strict=True))
    return Decimal(100 * reached) / targets


def _more(left_out: dict[str, int], why: str) -> None:
    left_out[why] = left_out.get(why, 0) + 1


def _until_handed_over(since: datetime, until: datetime) -> Reading:
    sent = _let_out(since, until).exclude(message__kind=DRILL).filter(lane=Lane.URGENT)
    anybody = Q(handed__gt=0) | Q(delivered__gt=0) | Q(seen__gt=0) | Q(confirmed__gt=0)
    first = Reach.objects.filter(anybody, message__dispatch__in=sent)
    began = first.values("message_id", "message__told_at").annotate(first=Min("at"))
    waits = [
        max((at - told).total_seconds(), 0.0)
        for told, at in began.values_list("message__told_at", "first")
    ]
    missing = sent.count() - len(waits)
    left_out = {"まだだれにも渡していない送信": missing} if missing else {}
    if not waits:
        return Reading(None, 0, NONE_SENT, left_out)
    return Reading(Decimal(str(round(median(waits), 1))), len(waits), "", left_out)


def _spoken_to(since: datetime, until: datetime) -> Reading:
    sent = _let_out(since, until).exclude(message__kind=DRILL)
    counts = Reach.objects.filter(message__dispatch__in=sent).order_by("at")
    # The last count of each message is the one that stays.
    reached = {
        message: sum(states)
        for message, *states in counts.values_list(
            "message_id", "handed", "delivered", "seen", "confirmed"
        )
    }
    seen_to = Alarm.objects.filter(message__dispatch__in=sent).exclude(closed_at=None)
    both = seen_to.exclude(owner=None).values("message", "person").distinct().count()
    told = ToldByHand.objects.filter(message__dispatch__in=sent).count()
    left_out = {"放送などで人が伝えた知らせ（何人に届いたかは分かりません）": told} if told else {}
    people = sum(reached.values())
    if not people:
        return Reading(None, 0, NONE_SENT, left_out)
    parts = {
        name: Part(_percent([(count, people)]), count)
        for name, count in (("機械だけ", people - both), ("機械と人", both))
    }
    return Reading(parts["機械と人"].number, people, "", left_out, {"how": parts})


METRICS = (
    Metric(
        name="delivery.within_ten_minutes",
        title="10分以内に届いた人の割合",
        unit="%",
        counts="急ぎの知らせを送りはじめてから10分以内に、メールや通知のサーバーが受け取った人。"
        "送った人の全体（連絡先のない人も含む）で割ります。訓練は数えません。",
        version=1,
        read=_within_ten_minutes,
    ),
    Metric(
        name="delivery.within_ten_minutes_in_drills",
        title="訓練で10分以内に届いた人の割合",
        unit="%",
        counts="「訓練」の印のある知らせだけを、同じように数えます。参加を選んだ人が対象です。",
        version=1,
        read=_within_ten_minutes_in_drills,
    ),
    Metric(
        name="delivery.until_handed_over",
        title="発表から送りはじめるまでの時間",
        unit="秒",
        counts="急ぎの知らせごとに、発表の時刻から、はじめの人に渡したと数えた時刻まで。"
        "その中央値。承認を待った時間も含みます。訓練は数えません。",
        version=1,
        read=_until_handed_over,
    ),
    Metric(
        name="delivery.spoken_to",
        title="機械で届き、人とも話せた人の割合",
        unit="%",
        counts="機械（メールと通知）で知らせが届いた人のうち、助けを求め、職員が受け持って、"
        "終わりまで話した人。知らせと人の組で数えます。人だけから聞いた人は、まだ数えられません。訓練は数えません。",
        version=1,
        read=_spoken_to,
    ),
)
