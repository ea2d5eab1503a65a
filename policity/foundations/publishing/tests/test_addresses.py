"""One file has one address, and no address leads out of the folder."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policity.foundations.publishing.rules import (
    ENCODINGS,
    address_of,
    encodings,
    file_of,
    key_of,
    split_key,
)

names = st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,30}", fullmatch=True).filter(
    lambda name: name != "index.html" and not name.endswith(ENCODINGS)
)
folders = st.lists(names, max_size=4).map(lambda parts: "".join(f"{part}/" for part in parts))
addresses = st.builds("/{}{}".format, folders, st.one_of(st.just(""), names))
anything = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["/", "..", ".", "a", "%2e%2e", "\\", "\0", "~", "C:", "index.html", ".br"])
    ).map("".join),
)


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/", "index.html"),
        ("/en/alerts/12/", "en/alerts/12/index.html"),
        ("/alerts/feed.atom", "alerts/feed.atom"),
    ],
)
def test_examples(address, file):
    assert file_of(address) == PurePosixPath(file)


@given(addresses)
def test_the_file_of_an_address_answers_to_it_in_every_encoding(address):
    file = file_of(address)
    assert address_of(file) == address
    for suffix in encodings(address):
        assert address_of(PurePosixPath(f"{file}{suffix}")) == address


@given(anything)
def test_no_address_leads_out_of_the_folder(address):
    try:
        file = file_of(address)
    except ValueError:
        return
    assert not file.is_absolute()
    assert not any(part.startswith(".") for part in file.parts)
    assert "\\" not in str(file)
    assert "\0" not in str(file)
    assert file.parts, "the folder itself is no file"
    assert address_of(file) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "en/",
        "//",
        "/../secret.key",
        "/en/../../secret.key",
        "/.writing/1",
        "/en//alerts/",
        "/a?b",
        "/%2e%2e/x",
        "/a\\..\\b",
        "/page.html.br",
        "/en/index.html",
        "/new\n",
        "/" + "a" * 300,
    ],
)
def test_refused(address):
    with pytest.raises(ValueError, match="not an address"):
        file_of(address)


@given(names, addresses)
def test_a_work_item_s_key_says_family_and_address(family, address):
    assert split_key(key_of(family, address)) == (family, address)


def test_what_is_compressed_already_is_not_compressed_again():
    assert encodings("/assets/map.webp") == ()
    assert encodings("/assets/site.css") == ENCODINGS
