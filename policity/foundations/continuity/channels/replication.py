"""PostgreSQL's streaming replication, as far as copies need it: its log, as it is written.

https://www.postgresql.org/docs/15/protocol-replication.html. psycopg has no words for it, but gives
libpq's own. Needs the extra `cluster`.
"""

import re
import select
import struct
import time
from collections.abc import Iterator

import psycopg
from psycopg import conninfo, pq
from psycopg.pq.abc import PGresult

# Whoever is connected for a log is asked for with this; a dead line shows within half a minute.
SURROUNDINGS = {
    "replication": "true",
    "application_name": "policity copies",
    "connect_timeout": "5",
    "tcp_user_timeout": "20000",
    "keepalives_idle": "10",
}
# https://www.postgresql.org/docs/15/errcodes-appendix.html: somebody else has it; it is there; and
# what passes: no code at all, a broken line, nothing left to give, a server that ends or starts.
IN_USE, IS_THERE = "55006", "42710"
PASSES = re.compile(rf"|{IN_USE}|08...|53...|57...")
# A message of the log begins with a letter, its position, the log's end, and the server's time.
_LOG = struct.Struct(">cQQq")
_CONFIRM = struct.Struct(">cQQQqB")
# Seconds until whoever had the slot a moment ago has let go of it.
LETS_GO = 5.0
# Seconds until a server that says nothing of what it has written is taken for away.
PATIENCE = 20.0


class AwayError(RuntimeError):
    """The server cannot be reached, or does not do it now."""


class RefusedError(RuntimeError):
    """The server does not do it, and will not: what was asked for is gone."""


class Replication:
    """One connection. Raises AwayError everywhere."""

    def __init__(self, url: str) -> None:
        self._raw = pq.PGconn.connect(conninfo.make_conninfo(url, **SURROUNDINGS).encode())
        if self._raw.status != pq.ConnStatus.OK:
            raise AwayError(self._fault())

    def close(self) -> None:
        """Let go of it."""
        self._raw.finish()

    def ask(self, command: str) -> list[str]:
        """The one row that a command gives; nothing where it gives none. Raises RefusedError."""
        result = self._raw.exec_(command.encode())
        if result.status == pq.ExecStatus.COMMAND_OK:
            return []
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise self._refusal(result)
        cells = (result.get_value(0, column) for column in range(result.nfields))
        return [bytes(cell or b"").decode() for cell in cells]

    def reserve(self, name: str) -> None:
        """See that the server keeps its log from now on, until the copies have it."""
        try:
            self.ask(f"CREATE_REPLICATION_SLOT {name} PHYSICAL RESERVE_WAL")
        except RefusedError as error:
            if IS_THERE not in str(error):
                raise

    def follow(self, name: str, start: str, timeline: int) -> None:
        """Have the log sent from a position on. Raises RefusedError: it is not there any more."""
        command = f"START_REPLICATION SLOT {name} PHYSICAL {start} TIMELINE {timeline}"
        deadline = time.monotonic() + LETS_GO
        while (result := self._raw.exec_(command.encode())).status != pq.ExecStatus.COPY_BOTH:
            refusal = self._refusal(result)
            if IN_USE not in str(refusal) or time.monotonic() > deadline:
                raise refusal
            time.sleep(0.1)

    def read(self, until: int) -> Iterator[tuple[int, bytes]]:
        """What was written until a position, as (position, bytes), as it comes.

        Raises RefusedError: it is not there any more.
        """
        at, deadline = 0, time.monotonic() + PATIENCE
        while at < until:
            data = self._message()
            if data is None:
                if time.monotonic() > deadline:
                    raise AwayError("nothing comes")
                select.select([self._raw.socket], [], [], 1.0)
            elif data[:1] == b"w":
                _, start, _, _ = _LOG.unpack_from(data)
                piece = data[_LOG.size :]
                at, deadline = start + len(piece), time.monotonic() + PATIENCE
                yield start, piece

    def confirm(self, position: int) -> None:
        """Tell that everything until a position is in the copies: it need not be kept for us."""
        said = _CONFIRM.pack(b"r", position, position, position, 0, 0)
        try:
            self._raw.put_copy_data(said)
            self._raw.flush()
        except psycopg.Error as error:
            raise AwayError(str(error)) from error

    def _message(self) -> bytes | None:
        """The next one; None: it has not come yet."""
        try:
            length, data = self._raw.get_copy_data(1)
            if length == 0:
                self._raw.consume_input()
                length, data = self._raw.get_copy_data(1)
        except psycopg.Error as error:
            raise AwayError(str(error)) from error
        if length < 0:
            result = self._raw.get_result()
            raise self._refusal(result) if result else AwayError("the log has ended")
        return bytes(data) if length else None

    def _refusal(self, result: PGresult) -> Exception:
        code = bytes(result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        told = f"{self._fault()} ({code})"
        return AwayError(told) if PASSES.fullmatch(code) else RefusedError(told)

    def _fault(self) -> str:
        return " ".join(self._raw.error_message.decode("utf-8", "replace").split())[:200]
