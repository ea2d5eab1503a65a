"""Copies in a bucket of an S3 store, whoever runs it (AWS, MinIO, Ceph, Garage …).

What is written comes up in parts and has its name only when the store has put them together; what
breaks off is given up there. What the store says in an error may hold our key's name and what was
signed: none of it is repeated but its code.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

# Bytes. A store takes 10,000 parts: 160 GB in all.
PART = 16 << 20
# Parts that are on their way at once, and in our memory.
AT_ONCE = 2
# A part that takes longer has no line worth the name (two at once: 5 Mbit/s).
PATIENCE = timedelta(seconds=60)
CONNECTING = timedelta(seconds=5)
# What a store answers now and then (5xx, 429, a line that breaks) is asked again, until then.
AGAIN = timedelta(seconds=20)

# By these words in it an error is the library's: its classes are partly Python's own, and whoever
# writes through an encryption gets that one's.
OURS = re.compile("Object at location|Generic S3 error|Error performing|Error after")
_CODE = re.compile(r"(?:<Code>|\(code: )(\w+)")
_STATUS = re.compile(r"status code: (\d{3})")
_KEY = "鍵が違います。AWS_ACCESS_KEY_ID などか、POLICITY_BACKUP_KEY_FILE を確かめてください"
_REGION = "リージョンが違います。AWS_REGION を確かめてください"
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
TOLD = {
    "InvalidAccessKeyId": _KEY,
    "SignatureDoesNotMatch": _KEY,
    "InvalidToken": _KEY,
    "ExpiredToken": "鍵の期限が切れています。新しい鍵にしてください",
    "401": _KEY,
    "AccessDenied": "この鍵では許されていません。鍵の権限（読み、書き、一覧）を確かめてください",
    "403": "この鍵では許されていません。鍵とその権限（読み、書き、一覧）を確かめてください",
    "NoSuchBucket": "そのバケットがありません。POLICITY_BACKUP とバケットを確かめてください",
    "RequestTimeTooSkewed": "この機械の時計が合っていません。時刻合わせ（NTP）を確かめてください",
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "QuotaExceeded": "いっぱいです。古い写しを片づけるか、契約の量を増やしてください",
    "507": "いっぱいです。古い写しを片づけるか、契約の量を増やしてください",
}
FORBIDDEN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "401"}
FORBIDDEN |= {"AccessDenied", "403"}
# What a broken line says of itself, in the library's own words.
BROKEN = {
    "InvalidCertificate": "証明書を信用できません。市の認証局のものなら、SSL_CERT_FILE に書きます",
    "TimedOut": "時間内に応じません。つながり方と、あいだの装置を確かめてください",
    "operation timed out": "時間内に応じません。つながり方と、あいだの装置を確かめてください",
    "Connect": "届きません。宛先（POLICITY_BACKUP_ENDPOINT）と、外への通信の設定を確かめてください",
}


class Bucket:
    """Names are paths below a prefix, with slashes. What is there under its name is whole."""

    def __init__(self, place: str, *, endpoint: str, region: str, key: Sequence[str]) -> None:
        """`place` is BUCKET/PREFIX, `key` its name, the secret, and a token if it has one.

        Without an `endpoint` it is AWS.
        """
        bucket, _, prefix = place.partition("/")
        name, secret, token = (*key, "")[:3]
        said = {"prefix": prefix, "endpoint": endpoint, "session_token": token}
        self._store = S3Store(
            bucket,
            **cast(Any, {name: value for name, value in said.items() if value}),
            region=region or "us-east-1",
            access_key_id=name,
            secret_access_key=secret,
            # A bucket that locks what lies in it takes nothing without one.
            checksum_algorithm="SHA256",
            client_options={
                # That it is not sent around in the clear was seen to when the setting was read.
                "allow_http": endpoint.startswith("http:"),
                "timeout": PATIENCE,
                "connect_timeout": CONNECTING,
            },
            retry_config={
                "retry_timeout": AGAIN,
                "backoff": {"max_backoff": timedelta(seconds=5)},
            },
        )

    def names(self, folder: str = "") -> list[str]:
        """What lies in a folder of it, ascending. Raises OSError."""
        with _plainly():
            found = obstore.list_with_delimiter(self._store, folder or None)
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(path.rpartition("/")[2] for path in paths)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file to write; it has its name once it is whole. Raises OSError."""
        with (
            _plainly(),
            obstore.open_writer(
                self._store, name, buffer_size=PART, max_concurrency=AT_ONCE
            ) as file,
        ):
            yield cast(BinaryIO, file)

    def reading(self, name: str) -> BinaryIO:
        """A file to read, part by part. Raises FileNotFoundError, OSError."""
        with _plainly():
            found = obstore.get(self._store, name)
            size = found.meta["size"]
            if size <= PART:
                return io.BytesIO(found.bytes())
        return io.BufferedReader(_Parts(self._store, name, size), PART)

    def size(self, name: str) -> int:
        """Bytes of a file. Raises FileNotFoundError, OSError."""
        with _plainly():
            return obstore.head(self._store, name)["size"]

    def remove(self, folder: str) -> None:
        """A folder with all that is in it. Raises OSError; then some of it is left."""
        with _plainly():
            for some in obstore.list(self._store, folder, chunk_size=1000):
                obstore.delete(self._store, [one["path"] for one in some])


class _Parts(io.RawIOBase):
    """A large file, asked for part by part: a line that breaks costs one of them."""

    def __init__(self, store: S3Store, name: str, size: int) -> None:
        self._file = obstore.open_reader(store, name, buffer_size=PART, size=size)

    def readable(self) -> bool:
        """So that it can be buffered."""
        return True

    def readinto(self, into: Any, /) -> int:
        """As much as there is. Raises OSError."""
        view = memoryview(into)
        with _plainly():
            some = memoryview(self._file.read(len(view)))
        view[: len(some)] = some
        return len(some)


@contextmanager
def _plainly() -> Iterator[None]:
    """Errors of the store as errors of a disk, in Japanese that says what to do."""
    try:
        yield
    except Exception as error:
        text = str(error)
        if not isinstance(error, BaseError) and not OURS.search(text):
            raise  # of what was being written there, not of the store
        word, told = _reason(text)
        kind: type[OSError] = PermissionError if word in FORBIDDEN else OSError
        if isinstance(error, FileNotFoundError) and not word:
            kind, told = FileNotFoundError, "その写しがありません"
        raise kind(f"S3 の置き場所：{told}") from None


def _reason(text: str) -> tuple[str, str]:
    """The store's code or the answer's status, and what it means for who reads it."""
    for pattern in (_CODE, _STATUS):
        if (found := pattern.search(text)) and found[1] in TOLD:
            return found[1], TOLD[found[1]]
    for word, told in BROKEN.items():
        if word in text:
            return word, told
    status, code = _STATUS.search(text), _CODE.search(text)
    if status and status[1].startswith("4") and status[1] not in ("408", "429"):
        said = "、".join(found[1] for found in (status, code) if found)
        return "", f"断られました（{said}）。置き場所とバケットの設定を確かめてください"
    said = f"（{status[1]}）" if status else ""
    return (
        "",
        f"いま応じません{said}。自動で続けます。長く続くなら、置き場所の状態を確かめてください",
    )
