"""Who may do what in the back office."""

from datetime import date
from enum import StrEnum

from django.conf import settings

from policity.foundations.accounts.models import Role, User
from policity.foundations.accounts.queries import held, offices
from policity.kit import sides


class Act(StrEnum):
    """What a member of staff may or may not do."""

    SEE_BOARD = "see_board"
    SEE_TO_ALARMS = "see_to_alarms"
    COMPOSE = "compose"
    APPROVE = "approve"
    ISSUE_ALONE = "issue_alone"
    OPEN_SITES = "open_sites"
    KEEP_EVENTS = "keep_events"
    KEEP_FACILITIES = "keep_facilities"
    KEEP_HAZARDS = "keep_hazards"
    KEEP_CHARM = "keep_charm"
    KEEP_LINKS = "keep_links"
    KEEP_WORDS = "keep_words"
    SWITCH_EMERGENCY = "switch_emergency"
    READ_CHRONOLOGY = "read_chronology"
    KEEP_CHRONOLOGY = "keep_chronology"
    RUN_DRILLS = "run_drills"
    READ_RULES = "read_rules"
    EDIT_RULES = "edit_rules"
    SEE_OUTBOX = "see_outbox"
    READ_AUDIT = "read_audit"
    MANAGE_STAFF = "manage_staff"
    SEE_HEALTH = "see_health"
    SEE_CROSSINGS = "see_crossings"
    WRITE_PAGES = "write_pages"
    RUN_PAGES = "run_pages"
    SEE_PLAN = "see_plan"
    KEEP_PLAN = "keep_plan"


_CRISIS_ROOM = frozenset({Role.COMMANDER, Role.DUTY_OFFICER})

MAY: dict[Act, frozenset[Role]] = {
    # How many were reached where, and nobody's particulars: other agencies look on. Experts from
    # outside see the plan's sheets and nothing else.
    Act.SEE_BOARD: frozenset(Role) - {Role.ASSESSOR},
    # Who called for help, and where they are called back, is for those on duty alone.
    Act.SEE_TO_ALARMS: _CRISIS_ROOM,
    Act.COMPOSE: _CRISIS_ROOM,
    # Of what somebody else has composed.
    Act.APPROVE: _CRISIS_ROOM,
    # At any hour, with a reason, and looked at by a second person afterwards.
    Act.ISSUE_ALONE: frozenset({Role.COMMANDER}),
    Act.OPEN_SITES: _CRISIS_ROOM | {Role.SITE_STAFF},
    # What takes place, and who signed up for it: names of residents, for whoever runs it alone;
    # of whose departments, see `events.policies`.
    Act.KEEP_EVENTS: frozenset({Role.EDITOR}),
    # What is where and when it is open: facts of nobody.
    Act.KEEP_FACILITIES: frozenset({Role.EDITOR}),
    # What residents flee by: not the editors', and not within a department.
    Act.KEEP_HAZARDS: _CRISIS_ROOM | {Role.ADMINISTRATOR},
    # What the city shows of itself.
    Act.KEEP_CHARM: frozenset({Role.EDITOR}),
    # Short ways to what is published anyway, and numbers of nobody.
    Act.KEEP_LINKS: frozenset({Role.EDITOR, Role.PUBLISHER}),
    # By which words pages are found, in the whole city.
    Act.KEEP_WORDS: frozenset({Role.EDITOR, Role.PUBLISHER, Role.ADMINISTRATOR}),
    Act.SWITCH_EMERGENCY: _CRISIS_ROOM,
    # Who decided what: not for other departments, whose people are named in it.
    Act.READ_CHRONOLOGY: _CRISIS_ROOM | {Role.ADMINISTRATOR, Role.VIEWER, Role.AGENCY},
    Act.KEEP_CHRONOLOGY: _CRISIS_ROOM,
    Act.RUN_DRILLS: _CRISIS_ROOM,
    # What the city tells whom of, and in which words.
    Act.READ_RULES: _CRISIS_ROOM | {Role.ADMINISTRATOR},
    Act.EDIT_RULES: frozenset({Role.COMMANDER, Role.ADMINISTRATOR}),
    # Mails that were kept instead of sent hold addresses and personal links.
    Act.SEE_OUTBOX: frozenset({Role.ADMINISTRATOR}),
    # Who did what, staff by name.
    Act.READ_AUDIT: frozenset({Role.ADMINISTRATOR}),
    # Who works here, in which role, from when to when. Never their own: a second one does that.
    Act.MANAGE_STAFF: frozenset({Role.ADMINISTRATOR}),
    # What works and what does not, and what to do meanwhile.
    Act.SEE_HEALTH: _CRISIS_ROOM | {Role.ADMINISTRATOR},
    # What went to the other installation and what came from it: kinds and numbers, nobody's name.
    Act.SEE_CROSSINGS: frozenset({Role.ADMINISTRATOR}),
    # Pages of an ordinary day, of the departments that a grant names. Editors do not publish.
    Act.WRITE_PAGES: frozenset({Role.EDITOR, Role.PUBLISHER, Role.ADMINISTRATOR}),
    # Departments, old addresses, readings for the whole site.
    Act.RUN_PAGES: frozenset({Role.ADMINISTRATOR}),
    # The sheets of the plan's year; whose turn each may take, see `city_plan.policies`.
    Act.SEE_PLAN: frozenset(
        {Role.PLANNER, Role.ASSESSOR, Role.STEERING, Role.EDITOR, Role.PUBLISHER}
    ),
    # A year and its days, targets, figures, tables.
    Act.KEEP_PLAN: frozenset({Role.PLANNER}),
}

# What else there is belongs to telling residents: the installation inside tells nobody, and an
# order that was issued there would go nowhere.
INSIDE = frozenset(
    {
        Act.READ_AUDIT,
        Act.MANAGE_STAFF,
        Act.SEE_HEALTH,
        Act.SEE_OUTBOX,
        Act.SEE_CROSSINGS,
    }
)


def here(act: Act) -> bool:
    """Whether an act belongs to this installation at all."""
    return settings.ROLE != sides.Role.INTERNAL or act in INSIDE


def may(roles: frozenset[Role], act: Act) -> bool:
    """Whether one of the roles allows the act."""
    return here(act) and not roles.isdisjoint(MAY[act])


def where(user: User, act: Act, *, on: date) -> frozenset[str] | None:
    """The towns, by name, in which somebody may do it on a day; None: in the whole city."""
    if not here(act):
        return frozenset()
    towns = [names for role, names in held(user, on=on) if role in MAY[act]]
    if frozenset() in towns:
        return None
    return frozenset[str]().union(*towns)


def whose(user: User, act: Act, *, on: date) -> frozenset[str] | None:
    """The departments, by slug, for which somebody may do it on a day; None: for the whole city."""
    if not here(act):
        return frozenset()
    slugs = [names for role, names in offices(user, on=on) if role in MAY[act]]
    if frozenset() in slugs:
        return None
    return frozenset[str]().union(*slugs)
