"""After a backlog: what people must still hear. Pure."""

from policity.fields.alerts.rules.bulletin import Change, Severity

Standing = tuple[Severity, int | None]
"""How an event stands: its severity, and its 警戒レベル相当 where there is one."""


def owed(told: Standing | None, stands: Standing | None) -> Change | None:
    """What to tell of an event, given what was last told of it and how it stands now.

    None for `told`: nothing, or its end. None for `stands`: it is over. Whatever came and went in
    between is nobody's news.
    """
    if stands is None:
        return Change.CANCELLED if told else None
    if told is None:
        return Change.CONTINUED
    before, now = (_weight(told), _weight(stands))
    if before == now:
        return None
    return Change.RAISED if now > before else Change.LOWERED


def _weight(standing: Standing) -> tuple[int, int]:
    return standing[0].rank, standing[1] or 0
