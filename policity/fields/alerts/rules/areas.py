"""Which of a bulletin's events concern a place."""

from policity.fields.alerts.rules.bulletin import Bulletin, Event, Phenomenon

_MUNICIPALITY = 7
_INTENSITY_AREA = 3
# Coasts are counted in three digits of their own; a city names its own as "coast:310".
_COAST = "coast:"


def spoken(bulletin: Bulletin, lineage: tuple[str, ...]) -> str | None:
    """The area of `lineage` by which the bulletin speaks of the place, None if it does not.

    `lineage` is the place's code followed by the codes that contain it, finest first. Where the
    telegram names municipalities (seven digits) and ours is not among them, it does not speak of
    us, whatever it says of the prefecture; so it is with the areas of an earthquake. Three digits
    are counted in several systems (intensity areas, coasts, volcanoes): a containing area of
    three digits is an intensity area, unless it is marked as a coast ("coast:310").
    """
    if _tsunami(bulletin):
        told = bulletin.stated
        return next((code for code in _shores(lineage) if code in told), None)
    told = bulletin.stated | {event.area for event in bulletin.events}
    shaken = any(event.phenomenon is Phenomenon.EARTHQUAKE for event in bulletin.events)
    for digits in (_MUNICIPALITY, _INTENSITY_AREA) if shaken else (_MUNICIPALITY,):
        ours = [code for code in lineage if len(code) == digits]
        if ours and any(len(code) == digits for code in told):
            return next((code for code in ours if code in told), None)
    for code in lineage:
        if code in told and (len(code) != _INTENSITY_AREA or shaken or code == lineage[0]):
            return code
    return None


def select(bulletin: Bulletin, lineage: tuple[str, ...]) -> tuple[Event, ...]:
    """The events of a bulletin for one place; see `spoken` for `lineage`.

    The finest area in which the telegram speaks of the place answers alone. An earthquake told
    without intensities (`Bulletin.everywhere`) concerns every place. Alerts that give only
    polygons have no code to ask for: find their places first.
    """
    if bulletin.everywhere:
        return bulletin.events
    if _tsunami(bulletin):
        shores = _shores(lineage)
        return tuple(event for event in bulletin.events if event.area in shores)
    area = spoken(bulletin, lineage)
    if area is None:
        return ()
    return tuple(event for event in bulletin.events if event.area == area)


def _tsunami(bulletin: Bulletin) -> bool:
    return any(event.phenomenon is Phenomenon.TSUNAMI for event in bulletin.events)


def _shores(lineage: tuple[str, ...]) -> tuple[str, ...]:
    """What was asked for, and every coast that the place lies on: the worst of them counts."""
    coasts = (code.removeprefix(_COAST) for code in lineage if code.startswith(_COAST))
    return (lineage[0], *coasts)
