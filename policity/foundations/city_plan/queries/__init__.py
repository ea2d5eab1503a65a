"""Plans, side by side."""

from collections.abc import Sequence

from policity.foundations.city_plan.models import Plan


class NoPlan(LookupError):  # noqa: N818  # the thing missing
    """There is no such plan, or not one alone. The message is one Japanese sentence."""


def plan(code: str = "", *, fiscal: int | None = None) -> Plan:
    """The plan of a code, or the one that covers a fiscal year. Raises NoPlan.

    Where a revision covers it as well, the revision; of several, the one that has measures.
    """
    if code:
        found = list(Plan.objects.filter(code=code))
        if not found:
            raise NoPlan(f"計画「{code}」はありません。{_known()}")
        return found[0]
    covering = Plan.objects.filter(first_year__lte=fiscal, last_year__gte=fiscal)
    revised = covering.exclude(revises=None).values("revises")
    found = list(covering.exclude(pk__in=revised))
    if len(found) > 1:
        found = (
            list(
                covering.filter(pk__in=[one.pk for one in found], measures__isnull=False).distinct()
            )
            or found
        )
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoPlan(f"その年度の計画はありません。{_known()}")
    raise NoPlan(f"その年度の計画が{len(found)}つあります。--plan で選んでください。{_known()}")


def _known() -> str:
    codes: Sequence[str] = list(Plan.objects.order_by("code").values_list("code", flat=True))
    return f"いまある計画: {'、'.join(codes)}" if codes else "計画は、まだ一つもありません。"
