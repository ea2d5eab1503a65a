"""The one value that every telegram and alert becomes, whatever its format and generation."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from policity.kit.severity import Severity as Severity


class Format(StrEnum):
    """How the bytes were written: 気象庁防災情報XML or CAP 1.2."""

    JMX = "jmx"
    CAP = "cap"


CAP = "CAP"
"""The kind of every CAP alert, whoever sends it."""


class Status(StrEnum):
    """通常 / 訓練 / 試験. Only an actual bulletin is ever shown or sent as real."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


class InfoType(StrEnum):
    """発表 / 訂正 / 取消."""

    ISSUE = "issue"
    CORRECT = "correct"
    CANCEL = "cancel"


class Phenomenon(StrEnum):
    """What is happening, over both generations and both formats."""

    HEAVY_RAIN = "heavy_rain"
    LANDSLIDE = "landslide"
    STORM_SURGE = "storm_surge"
    STORM = "storm"
    SNOWSTORM = "snowstorm"
    WAVE = "wave"
    HEAVY_SNOW = "heavy_snow"
    FLOOD = "flood"
    RAINBAND = "rainband"
    RECORD_RAIN = "record_rain"
    THUNDER = "thunder"
    SNOWMELT = "snowmelt"
    FOG = "fog"
    DRY = "dry"
    AVALANCHE = "avalanche"
    LOW_TEMPERATURE = "low_temperature"
    FROST = "frost"
    ICING = "icing"
    SNOW_ACCRETION = "snow_accretion"
    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    VOLCANO = "volcano"
    TORNADO = "tornado"
    HEAT = "heat"
    OTHER = "other"


class Change(StrEnum):
    """What happened to a phenomenon in an area, as the telegram says it."""

    ISSUED = "issued"
    CONTINUED = "continued"
    RAISED = "raised"
    LOWERED = "lowered"
    CANCELLED = "cancelled"


class Generation(IntEnum):
    """Which system of codes a telegram follows. The newer wins where both speak."""

    OLD = 1
    NEW = 2


Ring = tuple[tuple[float, float], ...]
"""A closed line of (longitude, latitude)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One phenomenon in one area, as one telegram states it.

    `level` is the 警戒レベル (相当), 2–5, only where the generation's table gives one. `code` and
    `name` are the telegram's own. `area` is a JMA area code, or a CAP geocode. `subject` tells
    apart what may run side by side in one area: a river's code, an earthquake's EventID, a
    volcano's code; empty for warnings. With CANCELLED, level and severity are those that ended.
    `rings` are the polygons of its area, CAP only.
    """

    phenomenon: Phenomenon
    severity: Severity
    level: int | None
    change: Change
    code: str
    name: str
    area: str
    subject: str = ""
    area_name: str = ""
    rings: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A telegram or alert, read.

    `kind` is JMA's telegram code as far as the title tells it ("VPWW54"), or "CAP".
    `scope` holds the phenomena for which the telegram states everything in force in each area
    of `stated`: what we hold within the scope and the telegram does not name is over.
    Empty scope: the telegram speaks only of what it names.
    `identity` names the announcement, so that a correction or cancellation finds it (EventID,
    or kind and office where JMA leaves it empty; CAP: "sender,identifier"). `references` are the
    identities that it corrects or cancels.
    `everywhere`: the events concern every place (an earthquake told without intensities).
    """

    format: Format
    kind: str
    generation: Generation
    title: str
    status: Status
    info_type: InfoType
    reported_at: datetime
    identity: str
    serial: str
    office: str
    headline: str
    events: tuple[Event, ...]
    scope: frozenset[Phenomenon] = frozenset()
    stated: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()
    valid_until: datetime | None = None
    everywhere: bool = False


class Refused(ValueError):  # noqa: N818  # the domain's word
    """The bytes are not a telegram we can trust: broken, too large, or with a doctype.

    The message is one line in English for logs and standard error.
    """


class Ignored(Refused):
    """A sound telegram of a kind we do not act on. The message says why.

    `bulletin` is what its head says, without events.
    """

    def __init__(self, reason: str, bulletin: Bulletin):
        super().__init__(reason)
        self.bulletin = bulletin
