"""A copy is unpacked within its folder, whoever packed it."""

import io
import tarfile
from pathlib import Path

import pyrage
import pytest

from policity.foundations.continuity.services.packing import unpack_tar


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, mode: int = 0o644) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.mode, found.linkname = kind, mode, "/etc/passwd"
    found.uid, found.uname = 12345, "somebody"
    return found


def packed(*entries: tarfile.TarInfo) -> tuple[io.BytesIO, list[pyrage.x25519.Identity]]:
    identity = pyrage.x25519.Identity.generate()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w|gz") as tar:
        for one in entries:
            if one.isreg():
                one.size = 2
                tar.addfile(one, io.BytesIO(b"ok"))
            else:
                tar.addfile(one)
    return io.BytesIO(pyrage.encrypt(plain.getvalue(), [identity.to_public()])), [identity]


@pytest.mark.parametrize(
    "hostile",
    [
        entry("../outside"),
        entry("media/../../outside"),
        entry("/tmp/outside"),  # noqa: S108  # never written
        entry("link", tarfile.SYMTYPE),
        entry("link", tarfile.LNKTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("device", tarfile.CHRTYPE),
    ],
    ids=lambda one: f"{one.name} {one.type!r}",
)
def test_nothing_lies_outside_and_nothing_leads_there(
    tmp_path: Path, hostile: tarfile.TarInfo
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ValueError, match="写しに入れたものではありません"):
        unpack_tar(*packed(entry("secret.key"), hostile), into)
    assert {path.name for path in tmp_path.rglob("*")} == {"into", "secret.key"}


def test_what_comes_back_is_ours_and_nobody_elses_to_write(tmp_path: Path) -> None:
    folder = entry("media", tarfile.DIRTYPE, mode=0o777)
    unpack_tar(*packed(folder, entry("media/one", mode=0o6777)), tmp_path)
    one = tmp_path / "media" / "one"
    assert one.read_bytes() == b"ok"
    for path in (one, one.parent):
        assert path.stat().st_mode & 0o7022 == 0
        assert path.owner() == tmp_path.owner()
