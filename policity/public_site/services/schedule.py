"""Pages that appear and go by the clock."""

from datetime import datetime

from wagtail.models import Page, Revision

from policity.public_site.services.telling import together

# So many are done before others have their turn.
AT_ONCE = 20


def due(*, now: datetime) -> int:
    """Publish what is to appear by now and take away what is to go; says how many."""
    count = 0
    going = Page.objects.live().filter(expire_at__lt=now).order_by("expire_at")[:AT_ONCE]
    for page in going.specific():
        with together():
            page.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
        count += 1
    coming = Revision.page_revisions.filter(approved_go_live_at__lte=now)
    for revision in coming.order_by("approved_go_live_at")[:AT_ONCE]:
        with together():
            revision.publish(log_action="wagtail.publish.scheduled")
        count += 1
    return count
