"""What a message looks like on each channel: rendered once a language, made personal by bytes."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from functools import cached_property
from hashlib import blake2b

from django.conf import settings
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext, gettext_noop

from policity.design import drills
from policity.foundations.delivery.formats.mail import Template, personal
from policity.foundations.delivery.formats.webpush import Options
from policity.foundations.delivery.models import Dispatch, Leads, Message
from policity.foundations.delivery.rules.drilling import DRILL
from policity.foundations.delivery.rules.ledger import resends
from policity.foundations.places import presenters as places
from policity.foundations.places import queries as places_queries
from policity.foundations.residents import queries as residents
from policity.foundations.residents.queries import Recipient
from policity.foundations.residents.rules.audience import Audience
from policity.foundations.residents.rules.choices import ACCOUNT, STAFF
from policity.foundations.residents.rules.links import Purpose
from policity.kit import moments, ruby
from policity.kit.languages import LANGUAGES, Language
from policity.kit.severity import Severity

# A reply says by which channel it came: its number stands in the link, beside the message's.
CHANNEL_NUMBERS = {"mail": 1, "push": 2}
_CHANNELS = 8


def reply_about(message: int, channel: str) -> int:
    """What a reply link is about: a message, as it came by one channel."""
    return message * _CHANNELS + CHANNEL_NUMBERS[channel]


def replied_about(about: int) -> tuple[int, str]:
    """The message and the channel. Raises KeyError for a channel that does not exist."""
    names = {number: name for name, number in CHANNEL_NUMBERS.items()}
    return about // _CHANNELS, names[about % _CHANNELS]


PATHS = {
    Purpose.REPLY: "reply/",
    Purpose.CONFIRM: "me/confirm/",
    Purpose.CHANGE: "me/",
    Purpose.LEAVE: "me/leave/",
    Purpose.JOIN: "events/me/join/",
    Purpose.EVENTS: "events/me/",
}
# What a link is for that differs only in which address it goes to.
PURPOSES = {Leads.JOIN_NEW: Purpose.JOIN}
ASKS: dict[str, str] = {
    Leads.REPLY: gettext_noop("返事をする（無事です・助けが必要です・見ました）"),
    Leads.CONFIRM: gettext_noop("開いて、ボタンを押してください"),
    Leads.JOIN: gettext_noop("開いて、ボタンを押してください"),
    Leads.JOIN_NEW: gettext_noop("開いて、ボタンを押してください"),
    Leads.EVENTS: gettext_noop("申込みを見る・取り消す"),
}
MARK_BYTES = 10
TTL = timedelta(hours=12)
# Which languages write brackets and commas in full width.
_WIDE = frozenset({"ja", "ja-easy", "zh-hans"})


@dataclass(frozen=True, slots=True)
class Letter:
    """What one language says. `page` says more, empty where there is none; `base` begins links."""

    language: Language
    city: str
    subject: str
    title: str
    body: str
    page: str
    base: str


def _marking_key() -> bytes:
    return salted_hmac("policity.mark", "", algorithm="sha256").digest()


class _Way:
    """Links of one purpose. An object of its own: looked up for every copy, enums cost much."""

    def __init__(self, purpose: Purpose) -> None:
        self._path = PATHS[purpose]
        self._sign = residents.signer(purpose)

    def link(self, letter: Letter, person: int, about: int = 0) -> str:
        """Where one person's copy leads to."""
        return f"{letter.base}{self._path}{self._sign(person, about)}/"


class Composer:
    """Bodies for one dispatch. Made once for many batches; reads the database when it is made."""

    def __init__(self, dispatch: Dispatch) -> None:
        lead = dispatch.message
        self.message = lead.pk
        self.thread = lead.thread
        self.kind = dispatch.audience["kind"]
        self.leads_to = dispatch.leads_to
        self.ahead = dispatch.ahead
        self.severity = Severity(dispatch.audience["severity"]).rank
        self.told_at = timezone.localtime(lead.told_at)
        city = places_queries.city()
        told = [lead, *lead.sent_along.order_by("pk")]
        self._letters = {
            one.code: _letter(told, one, places.city_name(city, one.code), dispatch.path)
            for one in LANGUAGES
        }
        self._mails: dict[str, Template] = {}
        self._notices: dict[str, bytes] = {}
        self._asks = self.leads_to in ASKS
        leads = Leads(self.leads_to) if self.leads_to else Leads.CHANGE
        self.unconfirmed, self._proves = leads.unconfirmed, leads.proves
        self._lead = _Way(PURPOSES.get(leads) or Purpose(leads.value))
        said = [[one.kind, one.thread, one.told_at.isoformat(), one.texts] for one in told]
        self._mark = blake2b(
            json.dumps(said, sort_keys=True).encode(), key=_marking_key(), digest_size=MARK_BYTES
        )
        self._change, self._leave = _Way(Purpose.CHANGE), _Way(Purpose.LEAVE)

    @property
    def tag(self) -> str:
        """What collapses doubles, and takes the place of what was told of the story before."""
        return self.thread.replace(":", "-")

    @cached_property
    def options(self) -> Options:
        """How push services shall treat a notification."""
        # What is told of the same story later takes its place.
        topic = blake2b(self.tag.encode(), digest_size=16).hexdigest()
        return Options(TTL, "high" if resends(self.severity) else "normal", topic)

    def mark(self, channel: str, to: Recipient) -> str:
        """The name of a person's copy outside the home: it says nothing without the city's key.

        It is the same for the same texts to the same address, whatever number a message has: where
        the city is brought back, what came after the copy is numbered anew.
        """
        found = self._mark.copy()
        found.update(f"\n{channel}\n{to.resident}\n{to.value}".encode())
        return found.hexdigest()

    def mail(self, to: Recipient) -> tuple[bytes, ...]:
        """A person's copy of the mail. Raises ValueError for an address that mail cannot carry."""
        letter = self._letters[to.language]
        template = self._mails.get(to.language)
        if template is None:
            template = self._mails[to.language] = self._template(letter)
        # Staff have no registration to change or to leave.
        ours = self.kind == STAFF
        lines = [] if ours else [self._change.link(letter, to.resident)]
        if self._asks:
            lines.insert(0, self._lead.link(letter, to.resident, self._about(to, "mail")))
        return personal(
            template,
            key=f"{self.message}.{to.resident}",
            to=to.value,
            unsubscribe="" if ours else self._leave.link(letter, to.resident),
            lines=lines,
        )

    def push(self, to: Recipient) -> tuple[bytes, ...]:
        """A person's copy of the notification: what the service worker shows."""
        letter = self._letters[to.language]
        before = self._notices.get(to.language)
        if before is None:
            before = self._notices[to.language] = self._notice(letter)
        url = self._lead.link(letter, to.resident, self._about(to, "push"))
        return before, json.dumps(url).encode(), b"}"

    def _notice(self, letter: Letter) -> bytes:
        """All of a notification up to its link, which alone differs from person to person."""
        shown = {
            "title": letter.title,
            "body": letter.body,
            "tag": self.tag,
            "lang": letter.language.html,
        }
        return json.dumps(shown, ensure_ascii=False).encode()[:-1] + b', "url": '

    def _about(self, to: Recipient, channel: str) -> int:
        if self.leads_to == Leads.REPLY:
            return reply_about(self.message, channel)
        return to.address if self._proves else 0

    def _template(self, letter: Letter) -> Template:
        code = letter.language.code
        with translation.override(code):
            said = [letter.title]
            if not self._proves:
                at = moments.full(self.told_at, code)
                said.append(ruby.bracketed(gettext("%(at)s 発表") % {"at": at}))
            if letter.body:
                said += ["", letter.body]
            if letter.page:
                said += ["", ruby.bracketed(gettext("くわしく見る")), letter.page]
            settings_line = "--\n" + ruby.bracketed(gettext("登録の内容を変える・やめる"))
            if self.kind == STAFF:
                body = ["\n".join([*said, "", "--", letter.city])]
            elif self._asks:
                asked = ruby.bracketed(gettext(ASKS[self.leads_to]))
                body = ["\n".join([*said, "", asked]), "\n" + settings_line, letter.city]
            else:
                body = ["\n".join([*said, "", settings_line]), letter.city]
        return Template(
            sender=settings.EMAIL_FROM,
            name=letter.city,
            subject=letter.subject,
            body=body,
            date=self.told_at,
            language=letter.language.html,
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A copy that belongs to nobody: the mail's subject and text, the notification's two lines."""

    subject: str
    mail: str
    title: str
    notification: str


def samples(
    *,
    texts: Mapping[str, Mapping[str, str]],
    severity: Severity,
    path: str,
    now: datetime,
    kind: str = "",
    leads_to: str = Leads.REPLY,
) -> dict[str, Sample]:
    """What people would get, by language: made by what makes the real ones, but nothing is sent."""
    message = Message(pk=0, kind=kind, thread="sample", severity=severity, texts=texts, told_at=now)
    dispatch = Dispatch(
        message=message,
        path=path,
        leads_to=leads_to,
        audience=Audience(ACCOUNT, severity).freeze(),
    )
    composer = Composer(dispatch)
    return {one.code: _sample(composer, one) for one in LANGUAGES}


def _sample(composer: Composer, language: Language) -> Sample:
    to = Recipient(0, language.code, "sample@example.jp", "", "")
    mail = message_from_bytes(b"".join(composer.mail(to)), policy=policy.default)
    shown = json.loads(b"".join(composer.push(to)))
    text = _PERSONAL.sub(r"\1…", str(mail.get_content()))
    return Sample(str(mail["subject"]), text, shown["title"], shown["body"])


# What leads one person to their own page, and nobody else.
_PERSONAL = re.compile(r"(/(?:reply|me/leave|me|events/me)/)\S+")


def warm() -> None:
    """Read what the first message would otherwise wait for: everybody, and five languages."""
    residents.columns()
    for language in LANGUAGES:
        with translation.override(language.code):
            gettext(ASKS[Leads.REPLY])


def _letter(told: Sequence[Message], language: Language, city: str, about: str) -> Letter:
    texts = [message.texts[language.code] for message in told]
    wide = language.code in _WIDE
    # A drill to real people says so in itself, whoever wrote it.
    drill = any(message.kind == DRILL for message in told)
    joint = "、" if wide else ", "
    titles = (drills.untitled(text["title"], language.code) for text in texts)
    title = joint.join(dict.fromkeys(titles if drill else (text["title"] for text in texts)))
    name = ruby.plain(city)
    plain = ruby.plain(title)
    bodies = dict.fromkeys(text["body"] for text in texts if text["body"])
    base = f"{settings.PUBLIC_URL}{language.prefix}"
    return Letter(
        language=language,
        city=name,
        # A list of mails is narrow: there the readings would hide what it is about.
        subject=ruby.plain(
            drills.titled(
                f"【{name}】{plain}" if wide else f"[{name}] {plain}", language.code, always=drill
            )
        ),
        title=ruby.bracketed(drills.titled(title, language.code, always=drill)),
        body=ruby.bracketed(drills.told("\n".join(bodies), language.code, always=drill)),
        page=base + about if about else "",
        base=base,
    )
