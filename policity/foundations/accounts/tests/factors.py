"""What tests need of a second factor: a session that has one, and the codes of an application."""

from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client
from django.utils import timezone

from policity.foundations.accounts.models import User
from policity.foundations.accounts.rules.entering import Entered, How
from policity.foundations.accounts.services import entering, keys

STEP = 30


def given(session: SessionBase, how: How = How.CODE) -> None:
    """A session whose owner came in by a second factor just now."""
    now = timezone.now()
    session[entering.ENTERED] = entering._note(Entered(how, now, now))
    session.save()


def force_login_gives_it() -> None:
    """`client.force_login` signs in completely, as a view would: all tests but those of it."""
    login, alogin = Client.force_login, Client.aforce_login

    def force_login(client, user, backend=None):
        login(client, user, backend)
        given(client.session)

    async def aforce_login(client, user, backend=None):
        from asgiref.sync import sync_to_async

        await alogin(client, user, backend)
        await sync_to_async(given)(await client.asession())

    from django.test.client import ClientMixin

    ClientMixin.force_login = force_login  # type: ignore[method-assign]
    ClientMixin.aforce_login = aforce_login  # type: ignore[method-assign]


class App:
    """An application that gives codes, as somebody has it on their telephone."""

    def __init__(self, user: User) -> None:
        self.secret = keys.new_secret()
        self._used = int(timezone.now().timestamp()) // STEP - 1
        keys.add_codes(self.secret, self._code(self._used), by=user, now=timezone.now())

    def code(self) -> str:
        """The next code that was not used yet; the one after the clock's own still counts."""
        self._used += 1
        return self._code(self._used)

    def _code(self, counter: int) -> str:
        return code_of(self.secret, counter)


def code_of(secret: str, counter: int | None = None) -> str:
    """The code of a step of the clock, of now where none is named."""
    step = int(timezone.now().timestamp()) // STEP if counter is None else counter
    return str(totp.format_hotp_value(totp.hotp_value(secret, step)))


def sign_in(client: Client, user: User, secret: str, /, **form: str):
    """Both steps; the answer to the second."""
    app = App(user)
    first = client.post("/staff/sign-in/", form | {"username": user.username, "password": secret})
    assert first["Location"] == "/staff/sign-in/second/", first.content.decode()
    return client.post("/staff/sign-in/second/", {"code": app.code()})
