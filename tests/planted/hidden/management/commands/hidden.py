"""`policity hidden NAME …`: plants people, then does all that the slice does with them."""

from django.core.management.base import BaseCommand
from django.test import Client
from django.utils import timezone

from policity.foundations.accounts.models import Role
from policity.foundations.accounts.services import create_staff
from policity.foundations.accounts.tests.factors import force_login_gives_it
from policity.foundations.work.queries import handlers
from tests.planted.hidden.models import Person


class Command(BaseCommand):
    def add_arguments(self, parser) -> None:
        parser.add_argument("names", nargs="+")

    def handle(self, *args, names, **options) -> None:
        Person.objects.bulk_create(Person(name=name, town="泉町一丁目") for name in names)
        now = timezone.now()
        for handler in handlers():
            if handler.kind == "hidden":
                handler.run(now)
        staff = create_staff(
            username="inside", display_name="内部", password="correct-horse-battery",
            roles=[Role.ADMINISTRATOR], starts=timezone.localdate(now),
        )  # fmt: skip
        force_login_gives_it()
        client = Client(headers={"host": "localhost"})
        client.force_login(staff)
        assert names[0] in client.get("/staff/hidden/").content.decode()
