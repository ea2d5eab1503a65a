"""An event as staff write it, somebody who called, and whose calendar is read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone

from policity.foundations.events.formats.reading import LARGEST
from policity.foundations.events.models import Event
from policity.foundations.events.rules import asking, reasons, repeating
from policity.foundations.events.services import Draft
from policity.kit.languages import LANGUAGES

EVERY = (
    (repeating.Every.ONCE, "1回だけ"),
    (repeating.Every.WEEK, "毎週、同じ曜日"),
    (repeating.Every.FORTNIGHT, "2週間に1回、同じ曜日"),
    (repeating.Every.MONTH_DATE, "毎月、同じ日"),
    (repeating.Every.MONTH_WEEKDAY, "毎月、同じ週の同じ曜日"),
)
REASONS = (
    (reasons.Reason.WEATHER, "天気が悪くなるため"),
    (reasons.Reason.DISASTER, "災害や事故のため"),
    (reasons.Reason.HOST, "講師や担当の都合が悪くなったため"),
    (reasons.Reason.VENUE, "会場が使えなくなったため"),
    (reasons.Reason.FEW, "申し込んだ人が少ないため"),
    (reasons.Reason.OTHER, "そのほか（下に書く）"),
)
KINDS = (
    (asking.Kind.ONE, "1つ選ぶ"),
    (asking.Kind.MANY, "いくつでも選ぶ"),
    (asking.Kind.SCORE, "5点から1点で答える"),
    (asking.Kind.TEXT, "文で答える"),
)
LONGEST_TITLE, LONGEST_BODY, LONGEST_PLACE = 100, 4000, 200
MOST_DAYS_OFF = 100
_LONGEST_CHOICES = asking.MOST_CHOICES * (asking.LONGEST_CHOICE + 2)


def _text(longest: int, name: str, *, required: str = "") -> forms.CharField:
    errors = {"max_length": f"{name}は、{longest}文字までにしてください。"}
    if required:
        errors["required"] = required
    return forms.CharField(max_length=longest, required=bool(required), error_messages=errors)


def _number(name: str, most: int, *, least: int = 0) -> forms.IntegerField:
    wrong = f"{name}は、{least}から{most}までの数で入れてください。"
    return forms.IntegerField(
        min_value=least,
        max_value=most,
        required=False,
        error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
    )


def _day(name: str, *, required: str = "") -> forms.DateField:
    errors = {"invalid": f"{name}の日を、2026-12-03 のように入れてください。"}
    if required:
        errors["required"] = required
    return forms.DateField(required=bool(required), error_messages=errors)


def _clock(name: str) -> forms.TimeField:
    wrong = f"{name}の時刻を、10:00 のように入れてください。"
    return forms.TimeField(required=False, error_messages={"invalid": wrong})


class _Form(forms.Form):
    @property
    def faults(self) -> list[str]:
        """What is wrong, each in one sentence."""
        return [str(error) for errors in self.errors.values() for error in errors]


class _KeptForm(_Form):
    """Of something that a department keeps; `departments` are whose it may be, slug and name."""

    department = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "どの課のものか、選んでください。"}
    )

    def __init__(self, *args: Any, departments: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.departments = departments
        cast(forms.ChoiceField, self.fields["department"]).choices = departments

    def clean_department(self) -> str:
        """Whose it is. Nothing was chosen where there is nothing to choose."""
        if not self.departments:
            raise forms.ValidationError("担当の課が、まだありません。管理者に伝えてください。")
        said: str = self.cleaned_data["department"] or self.departments[0][0]
        return said


class QuestionForm(_Form):
    """A question of one's own to those who came. One without any text is none."""

    kind = forms.ChoiceField(
        choices=[(one.value, name) for one, name in KINDS],
        required=False,
        error_messages={"invalid_choice": "答え方を、一覧から選んでください。"},
    )
    needed = forms.BooleanField(required=False)

    def __init__(self, data: Any, *, prefix: str, question: asking.Question | None) -> None:
        words = question.words if question else {}
        initial = {"kind": question.kind.value, "needed": question.required} if question else {}
        for code, said in words.items():
            initial |= {f"text_{code}": said.text, f"choices_{code}": "\n".join(said.choices)}
        super().__init__(data, prefix=prefix, initial=initial)
        for one in LANGUAGES:
            self.fields[f"text_{one.code}"] = _text(asking.LONGEST_QUESTION, "質問の文")
            self.fields[f"choices_{one.code}"] = _text(_LONGEST_CHOICES, "選択肢")

    @property
    def parts(self) -> list[tuple[Any, Any, Any]]:
        """Each language, with the fields of the question and of its choices."""
        return [(one, self[f"text_{one.code}"], self[f"choices_{one.code}"]) for one in LANGUAGES]

    @property
    def is_written(self) -> bool:
        """Whether anything stands in it."""
        return any(text.value() or choices.value() for _, text, choices in self.parts)

    @property
    def question(self) -> asking.Question:
        """What was written, once it is valid. What is missing is the rules' to tell."""
        told, words = self.cleaned_data, {}
        for one in LANGUAGES:
            lines = [line.strip() for line in told[f"choices_{one.code}"].splitlines()]
            said = asking.Words(told[f"text_{one.code}"], tuple(filter(None, lines)))
            if said.text or said.choices:
                words[one.code] = said
        return asking.Question(asking.Kind(told["kind"] or asking.Kind.ONE), told["needed"], words)


class EventForm(_KeptForm):
    """Everything of an event on one screen. Hours without a day are of the first day."""

    day = _day("始まり", required="始まりの日を入れてください。")
    begins = _clock("始まり")
    last_day = _day("終わり")
    ends = _clock("終わり")
    every = forms.ChoiceField(choices=[(one.value, name) for one, name in EVERY], required=False)
    until = _day("くり返しの最後")
    skips = _text(2000, "休みの日")
    venue = forms.ChoiceField(
        required=False, error_messages={"invalid_choice": "場所を、一覧から選んでください。"}
    )
    contact = _text(200, "問い合わせ先")
    link = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        error_messages={
            "invalid": "くわしいページのアドレスを、https:// から入れてください。",
            "max_length": "くわしいページのアドレスは、500文字までにしてください。",
        },
    )
    takes = forms.BooleanField(required=False)
    capacity = _number("定員", 100_000, least=1)
    waits = forms.BooleanField(required=False)
    whole = forms.BooleanField(required=False)
    most = _number("一度に申し込める人数", 20, least=1)
    opens_day = _day("申込みの始まり")
    opens_at = _clock("申込みの始まり")
    closes = _number("申込みを閉める時間", 24 * 60)
    reminds = _number("前もって知らせる時間", 24 * 14)
    asks = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        venues: Sequence[tuple[str, Any]],
        questions: Sequence[asking.Question] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        rest = [None] * (asking.MOST_QUESTIONS - len(questions))
        self.questions = [
            QuestionForm(self.data if self.is_bound else None, prefix=f"q{number}", question=one)
            for number, one in enumerate([*questions, *rest], 1)
        ]
        cast(forms.ChoiceField, self.fields["venue"]).choices = [
            ("", "決めない・ほかの場所"),
            *venues,
        ]
        self.venues = venues
        for one in LANGUAGES:
            ja = one.code == "ja"
            said = "" if ja else f"（{one.name}）"
            self.fields[f"title_{one.code}"] = _text(
                LONGEST_TITLE, f"名前{said}", required="名前を入れてください。" if ja else ""
            )
            self.fields[f"body_{one.code}"] = _text(LONGEST_BODY, f"内容{said}")
            self.fields[f"place_{one.code}"] = _text(LONGEST_PLACE, f"場所{said}")

    def clean_skips(self) -> tuple[date, ...]:
        """Days off, one a line."""
        words = self.cleaned_data["skips"].split()
        try:
            days = tuple(date.fromisoformat(word) for word in words)
        except ValueError:
            raise forms.ValidationError(
                "休みの日は、2026-12-24 のように、1行に1つ入れてください。"
            ) from None
        if len(days) > MOST_DAYS_OFF:
            raise forms.ValidationError(f"休みの日は、{MOST_DAYS_OFF}日までにしてください。")
        return days

    def clean(self) -> dict[str, Any]:
        """With what is wrong with a question."""
        for number, row in enumerate(self.questions, 1):
            for fault in row.faults:
                self.add_error(None, f"質問{number}：{fault}")
        return self.cleaned_data

    @property
    def draft(self) -> Draft:
        """What was written, once it is valid."""
        said = self.cleaned_data
        starts, ends = self._moments()
        opens = None
        if said["opens_day"]:
            opens = _at(said["opens_day"], said["opens_at"] or time())
        return Draft(
            texts=self._texts(),
            starts=starts,
            ends=ends,
            all_day=said["begins"] is None,
            every=repeating.Every(said["every"] or repeating.Every.ONCE),
            until=said["until"],
            skips=said["skips"],
            **self._venue(),
            contact=said["contact"],
            link=said["link"],
            takes=said["takes"],
            capacity=said["capacity"],
            waits=said["waits"],
            most=said["most"] or 1,
            whole=said["whole"],
            opens=opens,
            closes=said["closes"] or 0,
            reminds=said["reminds"] or 0,
            asks=said["asks"],
            questions=tuple(row.question for row in self.questions if row.is_written),
            department=said["department"],
        )

    def _moments(self) -> tuple[datetime, datetime]:
        said = self.cleaned_data
        last = said["last_day"] or said["day"]
        if said["begins"] is None:
            # Whole days: until the next one begins.
            return _at(said["day"], time()), _at(last + timedelta(days=1), time())
        starts = _at(said["day"], said["begins"])
        if said["ends"] is None:
            return starts, starts if last == said["day"] else _at(last, said["begins"])
        return starts, _at(last, said["ends"])

    def _venue(self) -> dict[str, int]:
        kind, _, number = self.cleaned_data["venue"].partition("-")
        return {kind: int(number)} if kind else {}

    def _texts(self) -> dict[str, dict[str, str]]:
        found = {}
        for one in LANGUAGES:
            parts = {
                part: self.cleaned_data[f"{part}_{one.code}"] for part in ("title", "body", "place")
            }
            if any(parts.values()):
                found[one.code] = parts
        return found


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=timezone.get_current_timezone())


def initial(event: Event | None, departments: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """What stands in the form at first: a new one, or what there is."""
    if event is None:
        first = departments[0][0] if departments else ""
        return {"waits": True, "most": 1, "reminds": 24, "closes": 24, "department": first}
    starts, ends = timezone.localtime(event.starts), timezone.localtime(event.ends)
    last = ends - timedelta(days=1) if event.all_day else ends
    every, until = repeating.every(event.rule)
    opens = timezone.localtime(event.opens) if event.opens else None
    texts = {
        f"{part}_{code}": text.get(part, "")
        for code, text in event.texts.items()
        for part in ("title", "body", "place")
    }
    return texts | {
        "day": starts.date().isoformat(),
        "begins": "" if event.all_day else f"{starts:%H:%M}",
        "last_day": last.date().isoformat() if last.date() > starts.date() else "",
        "ends": "" if event.all_day or starts == ends else f"{ends:%H:%M}",
        "every": every.value,
        "until": until.isoformat() if until else "",
        "skips": "\n".join(event.skips),
        "venue": _chosen(event),
        "contact": event.contact,
        "link": event.link,
        "takes": event.takes,
        "capacity": event.capacity or "",
        "waits": event.waits,
        "most": event.most,
        "whole": event.whole,
        "opens_day": opens.date().isoformat() if opens else "",
        "opens_at": f"{opens:%H:%M}" if opens else "",
        "closes": event.closes,
        "reminds": event.reminds,
        "asks": event.asks,
        "department": event.department.slug if event.department else "",
    }


def _chosen(event: Event) -> str:
    if event.facility_id:
        return f"facility-{event.facility_id}"
    return f"site-{event.site_id}" if event.site_id else ""


class CallOffForm(_Form):
    """Why something does not take place."""

    reason = forms.ChoiceField(
        choices=[(one.value, name) for one, name in REASONS],
        error_messages={
            "required": "わけを選んでください。",
            "invalid_choice": "わけを選んでください。",
        },
    )
    words = _text(reasons.LONGEST, "わけの言葉")

    def clean(self) -> dict[str, Any]:
        """What was said, if that is a reason."""
        said = self.cleaned_data
        if "reason" in said and "words" in said:
            said["reason"] = reasons.Reason(said["reason"])
            if wrong := reasons.problem(said["reason"], said["words"]):
                self.add_error("words", wrong)
        return said


class CallerForm(_Form):
    """Somebody who signs up by telephone or at the desk."""

    name = _text(60, "名前", required="名前を入れてください。")
    phone = _text(30, "電話番号")
    seats = _number("人数", 20, least=1)


class SeenForm(forms.Form):
    """What somebody saw before they pressed: a revision, or how many are to be told."""

    seen = forms.IntegerField(min_value=0, max_value=2**31)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> int:
        """The number; -1, which nothing is, where there is none."""
        form = cls(given)
        return int(form.cleaned_data["seen"]) if form.is_valid() else -1


ATTENDED = {"came": True, "missed": False, "unknown": None}


class CalendarForm(_KeptForm):
    """Whose calendar, and where it lies."""

    name = _text(100, "名前", required="だれのカレンダーか、入れてください。")
    address = _text(500, "アドレス")


class CalendarFileForm(forms.Form):
    """A calendar as a file."""

    calendar = forms.FileField(required=False)

    @property
    def data_sent(self) -> bytes:
        """The file's bytes, one more than can be read at most; none where none was given."""
        given = self.files.get("calendar")
        return bytes(given.read(LARGEST + 1)) if given else b""
