"""What the readers of JMA's telegrams are given and give."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policity.fields.alerts.rules.bulletin import Event, Generation, InfoType, Status


@dataclass(slots=True)
class Head:
    """Control and Head of a telegram. `headline` is its element, None where it is missing."""

    control_title: str
    title: str
    status: Status
    info_type: InfoType
    reported_at: datetime
    target_at: datetime | None
    valid_until: datetime | None
    event_id: str
    serial: str
    editor: str
    office: str
    headline: Any


@dataclass(slots=True)
class Content:
    """What a telegram says, over all areas in all its layers.

    `generation` is set where only the content tells it.
    """

    events: list[Event] = field(default_factory=list)
    stated: list[str] = field(default_factory=list)
    valid_until: datetime | None = None
    generation: Generation | None = None
    everywhere: bool = False
