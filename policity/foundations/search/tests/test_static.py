"""The files that a browser searches, and the script that does: both do the same sums."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.design import assets
from policity.foundations.search.formats.static import shard_files, titles_file
from policity.foundations.search.rules.static import (
    SUMMARY,
    deltas,
    number_of,
    shards,
    signs_of,
)
from policity.kit.japanese import fold, grams, skeleton

# The functions of the script, without what needs a page.
SCRIPT = assets.content("search.js").decode()
SUMS = SCRIPT[SCRIPT.index("const kana") : SCRIPT.index("const loaded")]
TEXTS = [
    "引っ越し", "引越し", "ﾏｲﾅﾝﾊﾞｰ", "コンピューター教室", "コンピュ−タ", "人々", "三ヶ所",
    "ＡＥＤ設置場所", "ビール", "Evacuation Shelters 2026", "ゴミ、粗大ごみ", "대피소", "避难场所",
    "ヴァイオリン", "ー", "", "bus", "class", "1990s", "子どもの 遊び場", "カー", "らーめん",
    "あいうーー", "らーーめん", "こんぴーーた", "ごみ-1", "さくら-1",
]  # fmt: skip


def test_a_browser_folds_and_cuts_and_counts_as_we_do():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here; the journey in a browser says the same")
    program = f"""{SUMS}
        const all = JSON.parse(process.argv[1]).map((text) => [fold(text), grams(fold(text)),
            skeleton(fold(text)), number(fold(text))]);
        console.log(JSON.stringify(all));"""
    said = subprocess.run(
        [node, "-e", program, json.dumps(TEXTS)], capture_output=True, text=True, check=True
    )
    ours = [[fold(t), list(grams(fold(t))), skeleton(fold(t)), number_of(fold(t))] for t in TEXTS]
    assert json.loads(said.stdout) == ours


@given(st.lists(st.integers(0, 10_000), unique=True).map(sorted))
def test_distances_add_up_again(numbers):
    total, seen = 0, []
    for further in deltas(numbers):
        total += further
        seen.append(total)
    assert seen == numbers


@given(st.integers(0, 100_000))
def test_more_documents_are_in_more_files(documents):
    assert shards(documents) in (16, 64, 256)
    assert shards(documents) <= shards(documents + 1)


def test_a_text_is_found_as_written_as_read_and_as_usual():
    found = signs_of("引越しの日", "ja")
    for typed in ("引越し", "引っ越し", "ひっこし", "引越"):
        assert set(grams(fold(typed))) <= found, typed
    assert signs_of("引越し", "zh-hans") == set(grams("引越し"))


def test_every_sign_is_in_the_file_of_its_number():
    documents = [(3, "避難 難所", "市民"), (7, "避難", "")]
    files = shard_files(documents, range(16), 16)
    for part, sign, expected in (("t", "避難", [3, 4]), ("t", "難所", [3]), ("x", "市民", [3])):
        assert json.loads(files[number_of(sign) % 16])[part][sign] == expected


def test_the_beginning_of_a_text_cuts_no_reading():
    text = "あ" * (SUMMARY - 1) + "{避難|ひなん}"
    (line,) = json.loads(titles_file([(1, "/a/", "題", text, "案内")])).values()
    assert line == ["/a/", "題", "あ" * (SUMMARY - 1) + "…", "案内"]
