"""What the worker does for staff."""

from policity.back_office.tasks import day, health, staff
from policity.foundations.work.rules import Handler, Order

HANDLERS = (
    Handler(staff.MAIL, Order.URGENT, staff.mails),
    Handler("health", Order.ROUTINE, health.tell),
    Handler("status-mail", Order.IDLE, day.tell),
    Handler("staff-tidy", Order.IDLE, staff.tidy),
)
