"""What the system counts by itself: found, kept month by month, and never written over."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from policity.foundations.city_plan import services, tasks
from policity.foundations.city_plan.models import Indicator, Snapshot, Value
from policity.foundations.city_plan.queries import metrics as registry
from policity.foundations.city_plan.queries.evaluating import evaluate
from policity.foundations.city_plan.rules.attaining import Gap
from policity.foundations.city_plan.tests.conftest import FRAME, NOW, table
from policity.kit.declare import Metric, Part, Reading


@pytest.fixture
def counted(monkeypatch):
    """One metric of ours; it notes for which moments it was asked."""
    asked = []

    def read(since, until):
        asked.append((since, until))
        parts = {"town": {"泉町": Part(Decimal("12.34567"), 4)}}
        return Reading(Decimal("31.23456"), 9, "", {"訓練": 2}, parts)

    def offer(**more):
        fields: dict[str, Any] = {
            "name": "a.b",
            "title": "t",
            "unit": "%",
            "counts": "c",
            "version": 1,
        }
        one = Metric(**(fields | {"read": read} | more))
        for module in ("queries.metrics", "queries.evaluating", "services.metering",
                       "services.importing"):  # fmt: skip
            name = f"policity.foundations.city_plan.{module}.metrics"
            monkeypatch.setattr(name, lambda: {one.name: one})
        monkeypatch.setattr(tasks, "_done", [])

    offer()
    return offer, asked


def all_of(now):
    while services.keep_next(now=now):
        pass
    return list(
        Snapshot.objects.order_by("pk").values_list("version", "length", "begins", "number")
    )


def test_every_metric_says_what_it_counts_and_is_named_after_its_room():
    found = registry.metrics()
    assert set(found) == {
        "delivery.within_ten_minutes", "delivery.within_ten_minutes_in_drills",
        "delivery.until_handed_over", "delivery.spoken_to", "residents.registered",
        "publishing.easy_japanese",
        "events.filled", "sharing.opened", "charm.photographs",
    }  # fmt: skip
    for one in found.values():
        assert one.title
        assert one.unit
        assert one.counts.endswith("。")
        assert one.read.__module__.split(".")[2:] == [one.name.split(".")[0], "declarations"]


@pytest.mark.django_db
def test_every_metric_reads_an_empty_city():
    for one in registry.metrics().values():
        found = registry.so_far(one, 2026, now=NOW)
        assert (found.number is None) == bool(found.reason)


@pytest.mark.django_db
def test_the_last_month_is_kept_and_then_each_that_ended(counted):
    assert all_of(NOW) == [(1, "month", date(2026, 10, 1), Decimal("31.23"))]
    assert all_of(NOW + timedelta(days=5)) == all_of(NOW)
    # An outage from November to the spring: whatever was missed is counted.
    assert [row[1:3] for row in all_of(datetime(2027, 4, 1, tzinfo=UTC))][1:] == [
        ("month", date(2026, 11, 1)), ("month", date(2026, 12, 1)), ("month", date(2027, 1, 1)),
        ("month", date(2027, 2, 1)), ("month", date(2027, 3, 1)), ("year", date(2026, 4, 1)),
    ]  # fmt: skip
    # From midnight to midnight in the city.
    assert counted[1][0] == (
        datetime(2026, 9, 30, 15, tzinfo=UTC), datetime(2026, 10, 31, 15, tzinfo=UTC),
    )  # fmt: skip
    kept = Snapshot.objects.first()
    assert (kept.rows, kept.left_out) == (9, {"訓練": 2})
    assert kept.splits == {"town": {"泉町": ["12.35", 4]}}


@pytest.mark.django_db
def test_another_method_counts_anew_and_the_old_count_stays(counted):
    all_of(NOW)
    counted[0](version=2)
    assert [row[0] for row in all_of(NOW)] == [1, 2]
    with pytest.raises(TypeError):
        Snapshot.objects.update(number=1)
    with pytest.raises(TypeError):
        Snapshot.objects.first().delete()


@pytest.mark.django_db
def test_how_things_stood_is_not_made_up_afterwards(counted):
    counted[0](is_state=True)
    assert all_of(datetime(2026, 11, 5, tzinfo=UTC))[0][3] is not None
    counted[0](is_state=True, name="late")
    all_of(NOW)
    late = Snapshot.objects.get(metric="late")
    assert (late.number, late.rows) == (None, 0)
    assert late.reason == "その時点の様子は、記録されませんでした。"


@pytest.mark.django_db
def test_the_worker_counts_once_a_day(counted):
    assert [tasks.count(NOW) for _ in range(3)] == [1, 0, 0]
    assert len(counted[1]) == 1
    tasks.count(NOW + timedelta(days=10))
    assert len(counted[1]) == 2


def of_metric(plan, year):
    return evaluate(plan, year, now=NOW).measures[0].indicators[0].now


@pytest.fixture
def read_off(plan, counted):
    head = "施策番号,施策名,分野,指標番号,指標名,種類,単位,向き,自動集計,積み上げ,目標 令和8年度"
    head += ",目標 令和7年度"
    row = "1,届ける,防災,1,届いた人,成果,%,増やす,a.b,はい,100,100"
    services.take_over(plan=plan, data=table(row, head=head), by=None, now=NOW)
    return plan


def test_the_year_that_runs_is_read_as_it_stands(read_off):
    now = of_metric(read_off, 2026)
    # Seven months are over.
    assert now.attained.share == Fraction(Decimal("31.23")) * 12 / 7 / 100
    assert (now.figure.months, now.attained.provisional) == (7, True)
    assert now.evidence == "自動で集計（a.b 第1版、9件から）"


def test_a_year_that_is_over_is_what_was_kept_of_it(read_off, counted):
    assert of_metric(read_off, 2025).attained.gap is Gap.NO_VALUE
    all_of(datetime(2026, 4, 1, tzinfo=UTC))
    before = len(counted[1])
    assert of_metric(read_off, 2025).figure.number == Decimal("31.23")
    assert len(counted[1]) == before


def test_what_the_system_counts_nobody_types(read_off):
    with pytest.raises(services.PlanRefused, match="システムが数えます"):
        services.record(
            indicator=Indicator.objects.get(), fiscal=2025, by=None, now=NOW,
            entry=services.Entry(Decimal(1), evidence="x"),
        )  # fmt: skip
    assert not Value.objects.exists()


# ---- The command ----


def run(*words):
    out = StringIO()
    call_command("plan", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_plan_by_command_from_its_frame_to_its_evaluation(tmp_path, plan):
    frame = tmp_path / "plan.toml"
    frame.write_text(FRAME.replace('"keikaku"', '"b"').replace("試し", "次"))
    assert "取り込めます" in run("import", str(frame), "--preview")
    assert "次の計画（令和4年度～令和8年度）を取り込みました" in run("import", str(frame))
    file = tmp_path / "表.csv"
    file.write_bytes(table())
    assert "施策 新しい 2" in run("import", str(file), "--plan", "b", "--preview")
    run("import", str(file), "--plan", "b")
    said = run("evaluate", "平成37年度")
    assert "次の計画　令和7年度の評価" in said
    assert "1 届ける　B　達成度 92%　2つのうち1つに届いた　段階 普及" in said
    assert "1 届いた人（成果）　77%　目標 90%以上　達成度 85% B" in said
    assert "測っていない：機械の故障" in said
    assert "次の段階の案: 利用（活動の達成度が1年100%以上）" in said


@pytest.mark.django_db
def test_the_evaluation_for_programs(filled):
    found = json.loads(run("evaluate", "2025", "--json"))
    reach = found["measures"][0]["indicators"][0]["years"][-1]
    assert reach["figure"]["number"] == 77
    assert reach["attained"]["share"] == pytest.approx(77 / 90, abs=1e-6)
    assert found["measures"][0]["grade"] == "B"
    assert {one["name"] for one in json.loads(run("metrics", "--json"))["metrics"]} == set(
        registry.metrics()
    )
    assert "この期間に、数える送信がありませんでした。" in run("metrics")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("import", "/nowhere.csv"), "ファイルを読めません"),
        (("evaluate", "いつか"), "年度は"),
        (("evaluate", "2099"), "その年度の計画はありません"),
        (("evaluate", "2025", "--plan", "x"), "計画「x」はありません"),
    ],
)
def test_what_a_command_refuses(plan, words, says):
    with pytest.raises(CommandError, match=says):
        run(*words)


@pytest.mark.django_db
def test_a_bad_file_is_told_and_nothing_is_taken(tmp_path, plan):
    for name, body in (
        ("a.csv", b"a,b"),
        ("a.toml", b"\xff"),
        ("a.toml", b"code=1"),
        ("a.xlsx", b"PK"),
    ):
        (tmp_path / name).write_bytes(body)
        with pytest.raises(CommandError, match="何も取り込みませんでした"):
            run("import", str(tmp_path / name))
