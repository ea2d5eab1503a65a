"""`policity bulletin explain`: the stable contract of its output and exit code."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

FIELDS = ["file", "format", "title", "status", "info_type", "reported_at", "events"]
EVENT = ["phenomenon", "severity", "level", "change", "code", "name", "area"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def samples(shared_data):
    return shared_data / "jma" / "official-samples"


def explain(*words: object) -> tuple[object, list[str], list[str]]:
    """Exit code, lines of standard output, lines of standard error."""
    out, err = StringIO(), StringIO()
    code: object = 0
    try:
        call_command("bulletin", "explain", *map(str, words), stdout=out, stderr=err)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue().splitlines(), err.getvalue().splitlines()


def test_one_json_object_a_line_with_the_fields_of_the_contract(samples):
    file = samples / "15_12_02_161130_VPWW54.xml"
    cancelled = samples.parent / "shirasagi" / "70_32-39_11_120615_99shindosokuhou3.xml"
    code, out, err = explain(file, cancelled, "--area", "1322900", "--json")
    assert (code, err) == (0, [])
    first, second = map(json.loads, out)
    assert list(first) == FIELDS
    assert [list(event) for event in first["events"]] == [EVENT] * 3
    assert first | {"events": []} == {
        "file": str(file),
        "format": "jmx",
        "title": "東京都気象警報・注意報",
        "status": "actual",
        "info_type": "issue",
        "reported_at": "2016-02-12T14:22:00+09:00",
        "events": [],
    }
    assert first["events"][0] == {
        "phenomenon": "heavy_rain",
        "severity": "moderate",
        "level": 3,
        "change": "raised",
        "code": "03",
        "name": "大雨警報",
        "area": "1322900",
    }
    assert first["events"][2]["level"] is None
    assert second["info_type"] == "cancel"
    assert second["events"] == []
    assert "東京" in out[0]  # readable, not escaped


def test_cap_and_gzip(shared_data):
    alert = shared_data / "cap/google-cap-library/testdata/weather.cap"
    drill = shared_data / "jma/shirasagi/32-39_12_13_191025_VTSE41.xml.gz"
    code, out, _ = explain(alert, drill, "--area", "MTZ014", "--json")
    first, second = map(json.loads, out)
    assert code == 0
    assert (first["format"], [e["phenomenon"] for e in first["events"]]) == ("cap", ["flood"])
    assert (second["status"], second["events"]) == ("exercise", [])


def test_unreadable_is_exit_2_and_one_line_while_others_are_explained(samples, tmp_path):
    cut = tmp_path / "cut.xml"
    cut.write_bytes((samples / "15_12_02_161130_VPWW53.xml").read_bytes()[:5000])
    good = samples / "15_12_02_161130_VPWW53.xml"
    missing = tmp_path / "missing.xml"
    code, out, err = explain(cut, missing, tmp_path, good, "--area", "1322900", "--json")
    assert code == 2
    assert [json.loads(line)["file"] for line in out] == [str(good)]
    assert [line.split(":")[0] for line in err] == [str(cut), str(missing), str(tmp_path)]


def test_ignored_is_a_sound_telegram_without_events(samples):
    code, out, err = explain(samples / "37_01_01_240613_VXSE43.xml", "--area", "1322900", "--json")
    assert code == 0
    (said,) = map(json.loads, out)
    assert list(said) == FIELDS
    assert said["events"] == []
    assert said["title"]
    assert len(err) == 1
    assert "too late" in err[0]


def test_text_for_people(samples):
    file = samples / "15_12_02_161130_VPWW53.xml"
    code, out, _ = explain(file, "--area", "1322900")
    text = "\n".join(out)
    assert code == 0
    assert "大雨警報: 発表（警戒、警戒レベル3相当） 西東京市（1322900）" in text
    assert "雷注意報: 継続（注意）" in text
    _, out, _ = explain(file, "--area", "0000000")
    assert "伝えていることはありません" in "\n".join(out)


def test_every_real_file_is_explained_or_refused(shared_data):
    """Nothing in the real data stops the command; one line each, on one side or the other."""
    files = sorted(f for f in (shared_data / "jma").rglob("*") if f.is_file())
    code, out, err = explain(*files, "--area", "130000", "--json")
    assert code == 2
    explained = {json.loads(line)["file"] for line in out}
    told = {line.split(": ")[0] for line in err}
    assert explained | told == set(map(str, files))


def test_area_is_asked_for(samples):
    with pytest.raises((CommandError, SystemExit)):
        call_command("bulletin", "explain", str(samples / "15_12_02_161130_VPWW53.xml"))
