"""Whatever the bytes are, the reader answers with a bulletin or refuses, in bounded memory."""

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from policity.fields.alerts import formats
from policity.fields.alerts.rules.bulletin import Bulletin, Ignored, Refused

DATA = Path(__file__).parents[5] / "shared" / "data"
SAMPLES = [
    DATA / "jma" / "official-samples" / name
    for name in (
        "15_17_01_250630_VPWW55.xml",
        "15_15_01_220314_VPWW54.xml",
        "16_02_02_220728_VXKOii.xml",
        "91_01_01_241031_VXSUii.xml",
        "17_02_01_190529_VXWW50.xml",
        "18_03_01_190412_VPOA50.xml",
        "19_02_01_111226_VPHW50.xml",
        "82_01_01_241031_VPBS50.xml",
        "57_03_01_240401_VPFT50.xml",
        "32-35_04_01_100831_VXSE51.xml",
        "32-35_04_03_240613_VXSE52.xml",
        "38-39_02_01_250206_VTSE41.xml",
        "45_03_01_200731_VFVO50.xml",
        "67_01_01_140927_VFVO56.xml",
    )
] + [
    DATA / "cap" / name
    for name in (
        "google-cap-library/testdata/canada.cap",
        "google-cap-library/testdata/australia.cap",
        "google-cap-library/testdata/earthquake.cap",
        "ibm-cap/cap_amber_alert_example.xml",
    )
]
WARNING = SAMPLES[0]


def outcome(data: bytes) -> str:
    """What the reader makes of bytes; anything but an answer or a refusal fails the test."""
    try:
        found: Bulletin | Refused = formats.read(data)
    except Refused as reason:
        found = reason
    if isinstance(found, Bulletin):
        return "read"
    said = str(found)
    assert said
    assert "\n" not in said
    assert len(said) <= 200
    return "ignored" if isinstance(found, Ignored) else "refused"


@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_cut_anywhere_is_refused(sample, at):
    data = sample.read_bytes().rstrip()
    assert outcome(data[: at % (len(data) - 1)]) == "refused"


@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False), st.integers(1, 30))
@settings(max_examples=300, deadline=None)
def test_flipped_bytes_never_break_the_reader(sample, luck: random.Random, times):
    data = bytearray(sample.read_bytes())
    for _ in range(times):
        data[luck.randrange(len(data))] = luck.randrange(256)
    outcome(bytes(data))


@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_dropped_emptied_and_swapped_elements_never_break_the_reader(sample, luck, times):
    root = etree.fromstring(sample.read_bytes())
    for _ in range(times):
        elements = [e for e in root.iter() if isinstance(e.tag, str) and e is not root]
        if not elements:
            break
        element = luck.choice(elements)
        other = luck.choice(elements)
        match luck.randrange(5):
            case 0:
                element.getparent().remove(element)
            case 1:
                element.text = None
            case 2:
                element.text, other.text = other.text, element.text
            case 3:
                element.tag = other.tag
            case 4:
                element.text = luck.choice(["", " ", "0", "-1", "9" * 50, "なし", "解除", "レベル"])
    outcome(etree.tostring(root, encoding="utf-8"))


@given(st.binary(max_size=300))
def test_any_bytes(data):
    assert outcome(data) == "refused"


@pytest.mark.parametrize(
    ("doctype", "use"),
    [
        ('<!DOCTYPE r [<!ENTITY a "レベル５">]>', "&a;"),
        ('<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "&a;"),
        ('<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">', ""),
        ('<!DOCTYPE r [<!ENTITY % a SYSTEM "http://127.0.0.1:1/x.dtd"> %a;]>', ""),
        ("<!DOCTYPE Report>", ""),
    ],
)
def test_doctype_is_refused_whatever_is_in_it(doctype, use):
    text = WARNING.read_text(encoding="utf-8")
    declaration, _, rest = text.partition("?>")
    text = f"{declaration}?>{doctype}{rest}".replace("通常", f"通常{use}", 1)
    assert outcome(text.encode()) == "refused"
    if not use:
        with pytest.raises(Refused, match="doctype"):
            formats.read(text.encode())


def test_doctype_in_the_words_of_an_alert_is_no_doctype():
    data = SAMPLES[-1].read_bytes().replace(b"Child Abduction", b"<![CDATA[<!DOCTYPE x>]]>")
    assert outcome(data) == "read"


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-16", "UTF-16"),
        ("shift_jis", "Shift_JIS"),
        ("euc-jp", "EUC-JP"),
        ("utf-8-sig", "UTF-8"),
    ],
)
def test_other_encodings_are_read_or_refused_never_garbled(codec, name):
    text = WARNING.read_text(encoding="utf-8").replace('encoding="utf-8"', f'encoding="{name}"')
    plain = formats.read(WARNING.read_bytes())
    try:
        assert formats.read(text.encode(codec)) == plain
    except Refused:
        assert codec == "shift_jis"  # libxml2 may be built without it


def test_wrong_declared_encoding_is_refused():
    text = WARNING.read_text(encoding="utf-8")
    assert outcome(text.encode("shift_jis")) == "refused"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\x00" * 100,
        b"PK\x03\x04rest",
        gzip.compress(WARNING.read_bytes()),
        b"<Report/>",
        b"<alert/>",
        b"<a>" * 100_000,
        b"<a>" * 1000 + b"</a>" * 1000,
        b'{"json": true}',
        WARNING.read_bytes().replace(b"<Text>", b"<Text>\x01"),
        WARNING.read_bytes().replace(b"<Text>", b"<Text>&#x1;"),
        WARNING.read_bytes() * 2,
    ],
    ids=range(13),
)
def test_what_is_no_telegram_is_refused(data):
    assert outcome(data) == "refused"


def test_deep_nesting_is_refused():
    deep = b"<a>" * 400 + b"</a>" * 400
    with pytest.raises(Refused, match="depth"):
        formats.read(WARNING.read_bytes().replace(b"<Text>", b"<Text>" + deep))


def test_size_limit():
    data = WARNING.read_bytes()
    assert outcome(data + b" " * (formats.LIMIT - len(data))) == "read"
    with pytest.raises(Refused, match="larger"):
        formats.read(data + b" " * (formats.LIMIT - len(data) + 1))


def lol(depth: int) -> str:
    entities = ['<!ENTITY l0 "lolololololololol">']
    entities += [f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, depth)]
    return f"<!DOCTYPE r [{''.join(entities)}]>"


_MANY = "<b c='&a;'/>" * 10_000
BOMBS = {
    "laughs in text": f"{lol(12)}<Report>&l11;</Report>",
    "laughs in an attribute": f'{lol(12)}<Report a="&l11;"/>',
    "one long entity, often": (
        f'<!DOCTYPE r [<!ENTITY a "{"a" * 100_000}">]><r>{"&a;" * 10_000}</r>'
    ),
    "one long entity in attributes": (
        f'<!DOCTYPE r [<!ENTITY a "{"a" * 100_000}">]><r>{_MANY}</r>'
    ),
    "many attributes": "<r " + " ".join(f'a{i}="1"' for i in range(500_000)) + "/>",
}
PEAK = """
import resource, sys
from pathlib import Path
from policity.fields.alerts import formats
from policity.fields.alerts.rules.bulletin import Refused
from policity.fields.alerts.sources import folder
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    formats.read(folder.read(Path(sys.argv[1]), limit=formats.LIMIT))
except Refused as reason:
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) // 1024, reason)
"""
MEGABYTES = 100


def peak(file: Path) -> tuple[int, str]:
    """Megabytes that refusing a file took, measured in a process of its own, and the reason."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(file)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    megabytes, _, reason = done.stdout.strip().partition(" ")
    return int(megabytes), reason


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_bounded_memory(tmp_path, name):
    file = tmp_path / "bomb.xml"
    file.write_text(BOMBS[name], encoding="utf-8")
    megabytes, reason = peak(file)
    assert reason
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("name", ["huge.xml", "huge.xml.gz"])
def test_a_huge_file_is_refused_in_bounded_memory(tmp_path, name):
    file = tmp_path / name
    with (gzip.open if name.endswith("gz") else open)(file, "wb") as out:
        out.write(b"<Report>")
        for _ in range(100):
            out.write(b"a" * 1_000_000)
    megabytes, reason = peak(file)
    assert "larger" in reason
    assert megabytes < MEGABYTES
