"""An S3 store over HTTP in a thread of the tests, which does what stores do on bad days.

moto's server: it checks signatures and the rights of keys as AWS describes them. Between it and
whoever asks stands what answers 503, breaks lines, lists late, and takes its time.
"""

import io
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import boto3
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from policity.foundations.continuity.channels.bucket import Bucket

ADDS = ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:AbortMultipartUpload"]
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_number = itertools.count(1)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Nobody reads it."""


class BrokenLineError(Exception):
    """The line broke."""


class S3:
    """A store, and what is wrong with it. `asked` are the requests, as (method, path, query)."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.mend()

    def mend(self) -> None:
        """All is well again, and whoever comes may do everything."""
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        self.asked: list[tuple[str, str, str]] = []
        # Who of them is answered 503, and whose line breaks.
        self.busy: Callable[[str, str], bool] = lambda method, query: False
        self.breaks: Callable[[str, str], bool] = lambda method, query: False
        # Whether a locked bucket takes the checksum that AWS takes, too, and not only the name of
        # its algorithm: "Content-MD5 OR x-amz-checksum- HTTP header is required".
        self.takes_checksums = False
        # Names that are not listed yet.
        self.late: set[str] = set()
        # Bytes after which an answer breaks off; seconds until one comes.
        self.cut, self.slow = 0, 0.0

    def close(self) -> None:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        self._server.shutdown()
        self._server.server_close()

    def client(self, service: str = "s3") -> Any:
        """Another's client, which sees what lies there by itself."""
        return boto3.client(
            service, endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id="root", aws_secret_access_key="root",
        )  # fmt: skip

    @contextmanager
    def open(self) -> Iterator[None]:
        """Nobody is asked for a key."""
        before = settings.INITIAL_NO_AUTH_ACTION_COUNT
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        try:
            yield
        finally:
            settings.INITIAL_NO_AUTH_ACTION_COUNT = before

    def bucket(self, *, locked: bool = False) -> str:
        """A new one; `locked`: what lies in it stays for a day, whoever asks."""
        name, client = f"city-{next(_number)}", self.client()
        with self.open():
            client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
            if locked:
                days = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
                client.put_object_lock_configuration(
                    Bucket=name,
                    ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": days},
                )
        return name

    def key(self, *rights: str) -> tuple[str, str]:
        """A key that may do these things; from now on keys are asked for."""
        user, iam = f"user-{next(_number)}", self.client("iam")
        said = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(rights), "Resource": "*"}],
        }
        with self.open():
            iam.create_user(UserName=user)
            iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(said))
            found = iam.create_access_key(UserName=user)["AccessKey"]
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        return found["AccessKeyId"], found["SecretAccessKey"]

    def store(self, bucket: str, key: tuple[str, str] = ("any", "any")) -> Bucket:
        return Bucket(f"{bucket}/copies/here", endpoint=self.url, region="", key=key)

    def lying(self, bucket: str) -> list[str]:
        """Every name in a bucket, and uploads that were begun and not ended."""
        with self.open():
            client = self.client()
            found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
            begun = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return [one["Key"] for one in found] + [f"begun {one['Key']}" for one in begun]

    def _answer(self, environ: Any, start: Any) -> Iterable[bytes]:
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _Again(body)
        if self.takes_checksums and "HTTP_X_AMZ_CHECKSUM_SHA256" in environ:
            environ["HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM"] = "SHA256"
        ours = "object_store" in environ.get("HTTP_USER_AGENT", "")
        if ours:
            self.asked.append((method, environ["PATH_INFO"], query))
            time.sleep(self.slow)
        if ours and self.breaks(method, query):
            environ["werkzeug.socket"].close()
            raise BrokenLineError
        if ours and self.busy(method, query):
            start("503 Slow Down", [("Content-Length", str(len(BUSY)))])
            return [b"" if method == "HEAD" else BUSY]
        return self._cut(environ, self._listed(environ, start, query) if ours else None, start)

    def _cut(self, environ: Any, listed: Iterable[bytes] | None, start: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._app(environ, start) if listed is None else listed
        if not self.cut or environ["REQUEST_METHOD"] != "GET":
            return answer
        data = b"".join(answer)
        if len(data) <= self.cut:
            return [data]

        def broken() -> Iterator[bytes]:
            yield data[: self.cut]
            environ["werkzeug.socket"].close()
            raise BrokenLineError

        return broken()

    def _listed(self, environ: Any, start: Any, query: str) -> Iterable[bytes] | None:
        if not self.late or "list-type" not in parse_qs(query):
            return None
        heads: list[Any] = []
        answer = self._app(environ, lambda status, found, *_: heads.append((status, found)))
        data = b"".join(answer).decode()
        for name in self.late:
            for tag in ("Contents", "CommonPrefixes"):
                inside = f"(?:(?!</{tag}>).)*"
                one = f"<{tag}>{inside}{re.escape(name)}{inside}</{tag}>"
                data = re.sub(one, "", data, flags=re.DOTALL)
        status, found = heads[0]
        kept = [(key, value) for key, value in found if key.lower() != "content-length"]
        start(status, [*kept, ("Content-Length", str(len(data.encode())))])
        return [data.encode()]


class _Again:
    """What was read already."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)
