"""What the worker does for staff."""

from policity.back_office.tasks import health, staff
from policity.foundations.work.rules import Handler, Order

HANDLERS = (
    Handler(staff.MAIL, Order.URGENT, staff.mails),
    Handler("health", Order.ROUTINE, health.tell),
    Handler("staff-tidy", Order.IDLE, staff.tidy),
)
