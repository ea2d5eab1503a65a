"""What the city's plan counts of residents: how many can be told something."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from policity.foundations.places import queries as places
from policity.foundations.residents.models import Address, Label, Place, Resident
from policity.foundations.residents.queries import version
from policity.foundations.residents.rules.ages import Band, band
from policity.kit.declare import Metric, Part, Reading
from policity.kit.languages import BY_CODE

BANDS = {
    Band.UNKNOWN: "分からない", Band.CHILD: "17歳まで", Band.YOUNG: "18～39歳",
    Band.MIDDLE: "40～64歳", Band.SENIOR: "65～74歳", Band.OLD: "75歳以上",
}  # fmt: skip


def _registered(since: datetime, until: datetime) -> Reading:
    """Whoever registered a home and is reached somewhere, of all who live in the city."""
    # Guests of events watch no place: they registered for nothing.
    watches = Exists(Place.objects.filter(resident=OuterRef("pk")))
    known = Resident.objects.filter(watches, version__lte=version())
    home = Exists(Place.objects.filter(resident=OuterRef("pk"), label=Label.HOME))
    usable = Exists(Address.objects.usable().filter(resident=OuterRef("pk")))
    here = known.filter(home, usable)
    left_out = {
        "自宅の町を登録していない人": known.exclude(home).filter(usable).count(),
        "使える連絡先のない人": known.exclude(usable).count(),
    }
    left_out = {why: count for why, count in left_out.items() if count}
    towns = places.towns()
    living = places.inhabitants(towns)
    count = here.count()
    if living is None or not living.people:
        return Reading(None, count, "町の人口が、まだ登録されていません。", left_out)
    homes = Place.objects.filter(resident__in=here, label=Label.HOME)
    in_towns = dict(
        homes.values_list("town").annotate(persons=Count("resident", distinct=True)).order_by()
    )
    languages = here.values_list("language").annotate(persons=Count("pk")).order_by()
    year = timezone.localdate(until).year
    ages: dict[str, int] = {}
    for born, persons in here.values_list("born").annotate(persons=Count("pk")).order_by():
        name = BANDS[band(born, year)]
        ages[name] = ages.get(name, 0) + persons
    return Reading(
        _percent(count, living.people),
        count,
        "",
        left_out,
        {
            "town": {
                town.name: _part(in_towns.get(town.id, 0), town.inhabitants.people)
                for town in towns
                if town.inhabitants and town.inhabitants.people
            },
            "language": {
                BY_CODE[code].name: _part(persons, living.people) for code, persons in languages
            },
            "age": {name: _part(persons, living.people) for name, persons in ages.items()},
        },
    )


def _part(persons: int, living: int) -> Part:
    return Part(_percent(persons, living), persons)


def _percent(persons: int, living: int) -> Decimal:
    return Decimal(100 * persons) / living


METRICS = (
    Metric(
        name="residents.registered",
        title="知らせを受け取る登録をした住民の割合",
        unit="%",
        counts="自宅の町を登録し、使える連絡先のある人を、町の人口の合計で割ります。"
        "町ごとの割合は、その町の人口で割ったもの。ことばと年齢は、市の人口で割ったものです。",
        version=1,
        read=_registered,
        is_state=True,
    ),
)
