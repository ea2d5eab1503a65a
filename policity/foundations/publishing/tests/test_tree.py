"""Files are whole, readable by a web server, and durable in an order that readers can trust."""

import gzip
import os
import stat
from pathlib import Path

import brotli
import pytest

from policity.foundations.publishing.services import tree as files


@pytest.fixture
def strict_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_page_is_written_with_its_encodings(tree):
    body = "雨".encode() * 1000
    assert files.write({"/en/alerts/12/": body}) == {}
    target = tree / "en/alerts/12/index.html"
    assert target.read_bytes() == body
    assert brotli.decompress((target.parent / "index.html.br").read_bytes()) == body
    assert gzip.decompress((target.parent / "index.html.gz").read_bytes()) == body
    assert files.holds("/en/alerts/12/", body)
    assert files.present() == {"/en/alerts/12/"}


@pytest.mark.usefixtures("strict_umask")
def test_a_web_server_may_read_all_of_it_and_nothing_half_written(tree):
    files.write({"/en/alerts/": b"x"})
    for folder in (tree / "en", tree / "en/alerts"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    for suffix in ("", ".br", ".gz"):
        mode = (tree / f"en/alerts/index.html{suffix}").stat().st_mode
        assert stat.S_IMODE(mode) == 0o644
    assert stat.S_IMODE((tree / files.STAGING).stat().st_mode) == 0o700


def test_everything_is_on_disk_before_anything_takes_its_place(tree, monkeypatch):
    story = []
    fsync, replace = os.fsync, Path.replace

    def folder_or_file(handle):
        story.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(self, target):
        story.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", folder_or_file)
    monkeypatch.setattr(Path, "replace", renamed)
    files.write({"/a/": b"a", "/b/": b"b"})
    assert story == ["file"] * 6 + ["rename"] * 6 + ["folder"] * 3


@pytest.mark.parametrize("damage", [b"", b"other", None])
@pytest.mark.parametrize("suffix", ["", ".br", ".gz"])
def test_damage_is_noticed(tree, suffix, damage):
    files.write({"/a/": b"text" * 100})
    part = tree / f"a/index.html{suffix}"
    part.unlink() if damage is None else part.write_bytes(damage)
    assert not files.holds("/a/", b"text" * 100)


def test_what_goes_leaves_no_encoding_and_no_empty_folder(tree):
    files.write({"/en/alerts/12/": b"x", "/en/": b"y"})
    files.remove(["/en/alerts/12/", "/never/was/"])
    assert files.present() == {"/en/"}
    assert not (tree / "en/alerts").exists()
    files.remove(["/en/"])
    assert {path.name for path in tree.iterdir()} == {files.STAGING}


def test_a_page_that_cannot_be_written_does_not_hold_up_the_others(tree):
    (tree / "a").write_bytes(b"a file where a folder should be")
    failed = files.write({"/a/": b"x", "/b/": b"y"})
    assert list(failed) == ["/a/"]
    assert files.holds("/b/", b"y")


def test_what_a_dead_writer_left_is_cleared_with_the_pen(tree):
    files.write({"/a/": b"x"})
    (tree / files.STAGING / "3.br").write_bytes(b"half")
    with files.pen():
        assert not list((tree / files.STAGING).iterdir())
