"""What a city may set from outside, checked once, with a message that helps.

Knows nothing of Django, so that `policity serve` can put the front up before Django is imported.
"""

import re
from base64 import urlsafe_b64decode
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env, EnvValidationError, ValidationError, validate

from policity.kit.sides import Role

# Where a home notes its address.
ADDRESS = "address"
# What makes a home a drill's. It lies in the home, so that no process there can forget it.
DRILL = "drill"
# Copies in a bucket: its name by S3's rules, and a prefix that needs no quoting anywhere.
S3 = "s3://"
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.+(/|$))[A-Za-z0-9._-]+)*/?")
# A key's parts in AWS's files, and in the environment. The last is there where it is for a while.
KEY = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Which settings a process runs with is chosen here and nowhere else (`Environment.settings`).
EMBEDDED = "policity.project.settings.embedded"
CLUSTER = "policity.project.settings.cluster"
# What a real city's installation is that does not say: it has no tables of what is internal.
UNSAID = Role.INTERNET


class BadEnvironmentError(Exception):
    """A variable has a value that cannot be used; the text names each of them in a line."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables of docs/operations.md: where the city lives and how it is reached.

    `home` holds everything the city owns. `demo` loads the sample city and its people on the first
    start. `url` is the address residents use, `hosts` the names under which staff may reach the
    application. `email_url` is the server that takes our mails (empty: they are kept in the home's
    outbox), `email_from` the address they come from. `push_allow_private` lets notifications go to
    addresses inside, `push_ca` names a further root certificate to trust there;
    `feeds_allow_private` lets feeds come from there. `proxies` are the networks of what stands
    before the front: who comes from there says whose request it passes on. `secret_key_file` is a
    file with the key that links and sessions are signed with, where it is not the home's own;
    `push_key_file` one with who the city is to push services, and `crossing_key_file` one with what
    signs for the other installation. `security_contact` is where people write who find a weakness.
    `audit_heads` is a file outside the home for the heads of the audit trail, `syslog` where its
    entries go as well. `backup` is a folder outside the home, or s3://BUCKET/PREFIX, where copies
    go, encrypted for the public keys in the file `backup_recipients`; `backup_endpoint` is the S3
    store's address (empty: AWS), `backup_region` its region, `backup_key` our key there: its name,
    the secret, and a token if it has one. `database_url` names a PostgreSQL database with its
    password; empty: the data is a SQLite file in the home. `backup_database_url` is its server by a
    role that may copy it; empty: the same. `oidc_issuer` is the city's own sign-in (OpenID
    Connect), `oidc_client` our name there, `oidc_secret_file` a file with our secret, `oidc_claim`
    what it knows staff by: "email", or a claim that holds the name they sign in with. `role` is
    which of a city's two installations this is (docs/adr/0018); not said, it is both in the demo
    and else the one that the Internet reaches. `drill`: the home is a drill's. Then no mail server
    and no database is named and the address is its own, whatever stands in the environment: nothing
    leaves it, and nothing in it leads to the real city. What is drilled is telling people: it has
    no internal slices.
    """

    home: Path
    demo: bool
    bind: str
    port: int
    hosts: tuple[str, ...]
    url: str
    email_url: str = ""
    email_from: str = "policity@localhost"
    push_allow_private: bool = False
    push_ca: str = ""
    feeds_allow_private: bool = False
    proxies: tuple[str, ...] = ()
    secret_key_file: str = ""
    push_key_file: str = ""
    crossing_key_file: str = ""
    security_contact: str = ""
    audit_heads: str = ""
    syslog: str = ""
    backup: str = ""
    backup_recipients: str = ""
    backup_endpoint: str = ""
    backup_region: str = ""
    backup_key: tuple[str, ...] = field(default=(), repr=False)
    database_url: str = field(default="", repr=False)
    backup_database_url: str = field(default="", repr=False)
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret_file: str = ""
    oidc_claim: str = "email"
    drill: bool = False
    role: Role = Role.INTERNET

    @property
    def settings(self) -> str:
        """The module of Django settings for every process of this home."""
        return CLUSTER if self.database_url else EMBEDDED

    @property
    def reachable(self) -> str:
        """Where this machine itself reaches what the front is bound to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)  # noqa: S104


def read() -> Environment:
    """The environment of this process. Raises BadEnvironmentError naming every bad variable."""
    env = Env(eager=False)
    home = env.str("POLICITY_HOME", "var", validate=validate.Length(min=1))
    demo = env.bool("POLICITY_DEMO", True)
    role = env.str(
        "POLICITY_ROLE", "", validate=lambda text: _role(text, bool(demo), Path(home).resolve())
    )
    bind = env.str("POLICITY_BIND", "127.0.0.1", validate=validate.Length(min=1))
    port = env.int("PORT", 8000, validate=validate.Range(min=1, max=65535))
    hosts = env.list("POLICITY_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
    url = env.str(
        "POLICITY_URL",
        "",
        validate=validate.Regexp(r"^(https?://[^/]+)?$", error="Not like https://city.example."),
    )
    email_url = env.str(
        "POLICITY_EMAIL_URL",
        "",
        validate=validate.Regexp(
            r"^((smtp|smtps|smtp\+starttls)://.+)?$", error="Not like smtp://mail.example:25."
        ),
    )
    email_from = env.str(
        "POLICITY_EMAIL_FROM",
        "",
        validate=validate.Regexp(r"^([^@\s<>]+@[^@\s<>]+)?$", error="Not a mail address."),
    )
    push_allow_private = env.bool("POLICITY_PUSH_ALLOW_PRIVATE", False)
    push_ca = env.str("POLICITY_PUSH_CA", "")
    feeds_allow_private = env.bool("POLICITY_FEEDS_ALLOW_PRIVATE", False)
    proxies = env.list("POLICITY_PROXIES", ["127.0.0.0/8", "::1/128"], validate=_networks)
    secret_key_file = env.str(
        "POLICITY_SECRET_KEY_FILE",
        "",
        validate=[lambda text: _outside(text, Path(home).resolve()), _key],
    )
    push_key_file = env.str(
        "POLICITY_PUSH_KEY_FILE",
        "",
        validate=[lambda text: _outside(text, Path(home).resolve()), _push_key],
    )
    crossing_key_file = env.str(
        "POLICITY_CROSSING_KEY_FILE",
        "",
        validate=[lambda text: _outside(text, Path(home).resolve()), _crossing_key],
    )
    security_contact = env.str(
        "POLICITY_SECURITY_CONTACT",
        "",
        validate=validate.Regexp(
            r"^((https://|mailto:|tel:)[^\s]+)?$", error="Not like mailto:security@city.example."
        ),
    )
    audit_heads = env.str(
        "POLICITY_AUDIT_HEADS", "", validate=lambda text: _outside(text, Path(home).resolve())
    )
    backup = env.str(
        "POLICITY_BACKUP", "", validate=lambda text: _for_copies(text, Path(home).resolve())
    )
    store = _store(env, Path(home).resolve()) if (backup or "").startswith(S3) else ("", "", ())
    backup_recipients = env.str("POLICITY_BACKUP_RECIPIENTS", "")
    database_url = env.str("POLICITY_DATABASE_URL", "", validate=_postgresql)
    database_url_file = env.str(
        "POLICITY_DATABASE_URL_FILE", "", validate=lambda text: _secret(text, Path(home).resolve())
    )
    backup_url_file = env.str(
        "POLICITY_BACKUP_DATABASE_URL_FILE", "",
        validate=lambda text: _secret(text, Path(home).resolve()),
    )  # fmt: skip
    syslog = env.str(
        "POLICITY_SYSLOG",
        "",
        validate=validate.Regexp(
            r"^(unix:/.+|(udp|tcp)://[^/]+)?$", error="Not like unix:/dev/log or udp://host:514."
        ),
    )
    oidc_issuer = env.str(
        "POLICITY_OIDC_ISSUER",
        "",
        validate=validate.Regexp(
            r"^(https://.+|http://(localhost|127\.0\.0\.1)(:\d+)?(/.*)?)?$",
            error="Not like https://login.city.example.",
        ),
    )
    oidc_client = env.str(
        "POLICITY_OIDC_CLIENT", "", validate=lambda text: _with(oidc_issuer, text)
    )
    oidc_secret_file = env.str(
        "POLICITY_OIDC_SECRET_FILE",
        "",
        validate=[
            lambda text: _with(oidc_issuer, text),
            lambda text: _outside(text, Path(home).resolve()),
            _for_its_owner,
        ],
    )
    oidc_claim = env.str("POLICITY_OIDC_CLAIM", "email", validate=validate.Length(min=1))
    try:
        env.seal()
    except EnvValidationError as error:
        problems: dict[str, list[str]] = error.error_messages  # type: ignore[assignment]
        lines = (f"{name}: {' '.join(texts)}" for name, texts in problems.items())
        raise BadEnvironmentError("\n".join(lines)) from error
    if backup.startswith(S3):
        _complete(store)
    database_url = database_url or (database_url_file and _read(database_url_file))
    place = Path(home).resolve()
    drill = (place / DRILL).exists()
    address = (not drill and url) or _remembered(place) or _local(port)
    return Environment(
        home=place,
        demo=demo,
        bind=bind,
        port=port,
        hosts=tuple(hosts),
        url=address,
        email_url="" if drill else email_url,
        email_from=email_from or f"policity@{_mail_domain(address)}",
        push_allow_private=push_allow_private,
        push_ca=push_ca,
        feeds_allow_private=feeds_allow_private,
        proxies=tuple(proxies),
        secret_key_file="" if drill else secret_key_file,
        push_key_file="" if drill else push_key_file,
        crossing_key_file="" if drill else crossing_key_file,
        security_contact="" if drill else security_contact,
        audit_heads="" if drill else audit_heads,
        syslog="" if drill else syslog,
        backup="" if drill else backup,
        backup_recipients="" if drill else backup_recipients,
        backup_endpoint="" if drill else store[0],
        backup_region="" if drill else store[1],
        backup_key=() if drill else store[2],
        database_url="" if drill else database_url,
        backup_database_url=(
            "" if drill else (backup_url_file and _read(backup_url_file)) or database_url
        ),
        oidc_issuer="" if drill else oidc_issuer,
        oidc_client=oidc_client,
        oidc_secret_file=oidc_secret_file,
        oidc_claim=oidc_claim,
        drill=drill,
        role=_unless_drill(role, demo=demo, drill=drill),
    )


def _role(text: str, demo: bool, home: Path) -> None:
    if text and text not in list(Role):
        raise ValidationError("Not one of internet, internal, all.")
    if text == Role.ALL and not demo and not (home / DRILL).exists():
        raise ValidationError(
            "本番（POLICITY_DEMO=0）では、1つの設置で両方の側を兼ねられません。"
            "internet か internal を選んでください。"
            " / A real city has two installations: choose internet or internal."
        )


def _unless_drill(said: str, *, demo: bool, drill: bool) -> Role:
    if drill:
        return Role.INTERNET
    return Role(said) if said else Role.ALL if demo else UNSAID


def _postgresql(text: str) -> None:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/")):
        # The text holds a password: it is not repeated.
        raise ValidationError("Not like postgresql://USER:PASSWORD@HOST/DATABASE.")


def _for_copies(text: str, home: Path) -> None:
    if "://" not in text:
        _outside(text, home)
    elif not BUCKET.fullmatch(text):
        # It might hold a key: it is not repeated.
        raise ValidationError(
            "フォルダーでも、s3://バケット/場所 でもありません（英数字と . _ - /。鍵なし）。"
            " / Neither a folder nor like s3://BUCKET/PREFIX, which holds no key."
        )


def _store(env: Env, home: Path) -> tuple[str, str, tuple[str, ...]]:
    """Of an S3 store its address, its region and our key, by the names that AWS has given them."""
    plain = bool(env.bool("POLICITY_BACKUP_ALLOW_HTTP", False))
    endpoint = ""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "POLICITY_BACKUP_ENDPOINT"):
        said = env.str(name, "", validate=lambda text: _endpoint(text, plain))
        endpoint = said or endpoint
    region = env.str("AWS_REGION", "") or env.str("AWS_DEFAULT_REGION", "")
    file = env.str(
        "POLICITY_BACKUP_KEY_FILE",
        "",
        validate=[lambda text: _outside(text, home), _for_its_owner, _with_key],
    )
    given = tuple(str(env.str(name, "")) for name in KEY.values())
    return endpoint, region or "", _key_in(file) if file else given


def _complete(store: tuple[str, str, tuple[str, ...]]) -> None:
    """Raises BadEnvironmentError: an S3 store cannot be reached with as little as this."""
    endpoint, region, key = store
    lacking = []
    if not all(key[:2]):
        lacking.append(
            "POLICITY_BACKUP_KEY_FILE（または AWS_ACCESS_KEY_ID と AWS_SECRET_ACCESS_KEY）"
        )
    if not endpoint and not region:
        lacking.append("AWS_REGION（AWS でなければ POLICITY_BACKUP_ENDPOINT）")
    if lacking:
        raise BadEnvironmentError(
            f"POLICITY_BACKUP: S3 に写すには {'、'.join(lacking)} がいります。"
        )


def _endpoint(text: str, plain: bool) -> None:
    if not text:
        return
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValidationError("Not like https://s3.example.")
    if parts.scheme == "http" and not plain and parts.hostname not in LOOPBACK:
        raise ValidationError(
            "暗号化されない http:// には、写しを送りません。https:// にするか、"
            "市の中の線だけを通るなら POLICITY_BACKUP_ALLOW_HTTP=1 と書いてください。"
            " / Not encrypted: use https://, or say POLICITY_BACKUP_ALLOW_HTTP=1."
        )


def _with_key(text: str) -> None:
    if text and not _key_in(text):
        raise ValidationError("Not like aws_access_key_id = … and aws_secret_access_key = ….")


def _key_in(file: str) -> tuple[str, ...]:
    """A key as in AWS's own files (aws_access_key_id = …); empty where there is none."""
    found = ConfigParser(interpolation=None)
    try:
        text = _read(file)
        found.read_string(text if "[" in text else f"[default]\n{text}")
    except (OSError, UnicodeDecodeError, ConfigParserError):
        return ()
    said = dict(found["default"]) if "default" in found else {}
    key = tuple(said.get(name, "") for name in KEY)
    return key if all(key[:2]) else ()


def _secret(text: str, home: Path) -> None:
    _outside(text, home)
    _for_its_owner(text)
    if text:
        _postgresql(_read(text) or "empty")


def _read(file: str) -> str:
    return Path(file).read_text("utf-8").strip()


def _outside(text: str, home: Path) -> None:
    if text and Path(text).resolve().is_relative_to(home):
        raise ValidationError("Lies in the home: it would be lost and changed with it.")


def _with(issuer: str | None, text: str) -> None:
    if issuer and not text:
        raise ValidationError("Needed beside POLICITY_OIDC_ISSUER.")


def _networks(words: list[str]) -> None:
    for word in words:
        try:
            ip_network(word)
        except ValueError as error:
            raise ValidationError(f"{word}: not a network like 10.1.2.0/24.") from error


def _for_its_owner(text: str) -> None:
    """A secret that others of the machine can read is none."""
    if not text:
        return
    try:
        mode = Path(text).stat().st_mode
        _read(text)
    except (OSError, UnicodeDecodeError) as error:
        # What is in it is not repeated.
        raise ValidationError(f"Cannot be read: {type(error).__name__}.") from error
    if mode & 0o007:
        raise ValidationError(f"Everybody on the machine may read it: chmod o-rwx {text}")


def _key(text: str) -> None:
    _for_its_owner(text)
    if text and len(_read(text)) < 32:
        raise ValidationError("Shorter than 32 signs.")


def _push_key(text: str) -> None:
    """A private number of P-256, base64url, as the home's own `vapid.key` has it."""
    _for_its_owner(text)
    try:
        known = not text or len(urlsafe_b64decode(_read(text) + "==")) == 32
    except ValueError:
        known = False
    if not known:
        raise ValidationError("Not a key like the home's own vapid.key.")


def _crossing_key(text: str) -> None:
    _for_its_owner(text)
    if not text:
        return
    # Imported here: most have none, and a front need not wait for it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        known = isinstance(load_pem_private_key(_read(text).encode(), None), Ed25519PrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        known = False
    if not known:
        raise ValidationError("Not a key like the home's own crossing-*.key.")


def remember(where: Environment) -> None:
    """Note in the home under which address it is being served.

    Feeds and CAP name it, so every command must write the same, whatever its own environment.
    """
    url = (not where.drill and Env().str("POLICITY_URL", "")) or _local(where.port)
    (where.home / ADDRESS).write_text(url + "\n")


def _remembered(home: Path) -> str:
    try:
        return (home / ADDRESS).read_text().strip()
    except FileNotFoundError:
        return ""


def _mail_domain(address: str) -> str:
    host = urlsplit(address).hostname or ""
    # A number is no domain for mail.
    return host if re.search("[a-z]", host) and ":" not in host else "localhost"


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"
