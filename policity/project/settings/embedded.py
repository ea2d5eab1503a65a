"""One machine, one folder, SQLite (docs/adr/0001). Every value can be set from the environment."""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

import policity
from policity.foundations.accounts.rules.limits import limits
from policity.project import environment, logs
from policity.project.settings.installed import installed

try:
    ENVIRONMENT = environment.read()
except environment.BadEnvironmentError as error:
    raise ImproperlyConfigured(str(error)) from error

HOME = ENVIRONMENT.home
DEMO = ENVIRONMENT.demo
# A drill's home: everything is marked 訓練, and nothing leaves it.
DRILL = ENVIRONMENT.drill
# Which of a city's two installations this is; what is installed and what works follows from it.
ROLE = ENVIRONMENT.role
# Who runs drills for the back office, which is below the project and may not import it.
DRILLS = "policity.project.drill_desk.Desk"
DEBUG = False
# Staff come by these names, residents by the public address.
ALLOWED_HOSTS = [*ENVIRONMENT.hosts, urlsplit(ENVIRONMENT.url).hostname or ""]
SECRET_KEY_FILE = Path(ENVIRONMENT.secret_key_file or HOME / "secret.key")
# A home that is not prepared has none yet; what is signed without it is worth nothing later.
SECRET_KEY = (
    SECRET_KEY_FILE.read_text().strip() if SECRET_KEY_FILE.exists() else secrets.token_urlsafe(48)
)
# Empty: they lie in the home, and are made there.
PUSH_KEY_FILE = ENVIRONMENT.push_key_file
CROSSING_KEY_FILE = ENVIRONMENT.crossing_key_file

PUBLISHED = HOME / "published"

INSTALLED_APPS = installed(ROLE)

MIDDLEWARE = [
    "policity.project.middleware.request_log",
    "policity.project.middleware.drill_marks",
    "policity.project.middleware.Limits",
    "policity.project.middleware.Away",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Who comes with a session that is over, or without a second factor, is a stranger from here on.
    "policity.project.middleware.staff_sessions",
    # A view is for staff who have signed in unless it says otherwise.
    "policity.project.middleware.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # The keys' library asks it which request is being answered; none of its own pages is served.
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "policity.project.urls"
CSRF_FAILURE_VIEW = "policity.project.refusals.forged"
WSGI_APPLICATION = "policity.project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "policity.sqlite3",
        "OPTIONS": {
            # A read that later writes would otherwise fail at once and ignore the time-out.
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            # FULL: a commit survives power loss. Nothing here may write: who comes in would wait
            # for whoever is writing.
            "init_command": (
                "PRAGMA busy_timeout=5000;PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
            ),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
WAGTAILIMAGES_IMAGE_MODEL = "publishing.CityImage"
WAGTAILDOCS_DOCUMENT_MODEL = "publishing.CityDocument"
# The address residents use; feeds and CAP name it.
PUBLIC_URL = ENVIRONMENT.url
EMAIL_URL = ENVIRONMENT.email_url
EMAIL_FROM = ENVIRONMENT.email_from
PUSH_ALLOW_PRIVATE = ENVIRONMENT.push_allow_private
PUSH_CA = ENVIRONMENT.push_ca
FEEDS_ALLOW_PRIVATE = ENVIRONMENT.feeds_allow_private
SECURITY_CONTACT = ENVIRONMENT.security_contact
AUDIT_HEADS, SYSLOG = ENVIRONMENT.audit_heads, ENVIRONMENT.syslog
# Where copies go, and the file with whom they are encrypted for.
BACKUP, BACKUP_RECIPIENTS = ENVIRONMENT.backup, ENVIRONMENT.backup_recipients
# The folder, where it is one.
BACKUP_FOLDER = Path(BACKUP) if BACKUP and not BACKUP.startswith(environment.S3) else None
# Of an S3 store; the key by a name that is never shown.
BACKUP_ENDPOINT, BACKUP_REGION = ENVIRONMENT.backup_endpoint, ENVIRONMENT.backup_region
SECRET_BACKUP_KEY = ENVIRONMENT.backup_key
# Addresses of a PostgreSQL database, and of its server for copies; by these names never shown.
SECRET_DATABASE = ENVIRONMENT.database_url
SECRET_BACKUP_DATABASE = ENVIRONMENT.backup_database_url
# Ours are handed over by the senders; what else might mail stays here in a drill.
if DRILL:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
WAGTAIL_SITE_NAME = "Policity"
WAGTAILADMIN_BASE_URL = PUBLIC_URL
# Addresses are typed by people who write Japanese: a name in kanji would be a row of % signs.
WAGTAIL_ALLOW_UNICODE_SLUGS = False
# The address with its language is the page's own (docs/adr/0021): one tree, in Japanese.
WAGTAIL_I18N_ENABLED = False
# Who writes sees what is being typed; nobody writes comments beside it to be kept.
WAGTAILADMIN_COMMENTS_ENABLED = False
WAGTAILEMBEDS_FINDERS: list[dict[str, str]] = []
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp", "avif", "heic"]
# Bytes and pixels: what a telephone takes, and no more than our machine unpacks without pain.
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 2**20
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 60_000_000
# Another process may have made a picture anew: which sizes there are is asked of the database.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
WAGTAILDOCS_EXTENSIONS = ["pdf", "docx", "xlsx", "pptx", "odt", "ods", "csv", "txt", "zip", "ics"]
WAGTAILDOCS_DOCUMENT_FORM_BASE = "policity.foundations.publishing.forms.FileForm"
# Nobody gets a file from Wagtail: what a page shows is published beside it.
WAGTAILDOCS_SERVE_METHOD = "direct"
# A page of many blocks has many fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False

LOGIN_URL = "back_office:sign_in"
LOGIN_REDIRECT_URL = "back_office:board"
LOGOUT_REDIRECT_URL = "back_office:sign_in"
# The city's own sign-in; none where no issuer is named.
OIDC = (
    {
        "issuer": ENVIRONMENT.oidc_issuer,
        "client": ENVIRONMENT.oidc_client,
        "secret_file": ENVIRONMENT.oidc_secret_file,
        "claim": ENVIRONMENT.oidc_claim,
    }
    if ENVIRONMENT.oidc_issuer
    else {}
)
MFA_ADAPTER = "policity.foundations.accounts.services.keys.Adapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
# A passkey stands for two factors: the device, and the finger or PIN that unlocks it.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
PASSWORD_RESET_TIMEOUT = int(limits().link.total_seconds())
SESSION_COOKIE_AGE = int(limits().longest.total_seconds())
# Wagtail's own doors stay shut, also where its pages come to be served.
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAILADMIN_LOGIN_URL = "back_office:sign_in"
# Residents' pages never carry a cookie.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/staff/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.url.startswith("https:")
# No script of ours reads either; a link in a mail to a page of staff opens it (Lax).
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Browsers take a cookie of this name over https alone. __Host- would have residents carry it, too:
# it wants the path /. Cookies know no ports: who looks at a drill stays signed in to the city.
_NAMED = f"{'__Secure-' if SESSION_COOKIE_SECURE else ''}{'drill_' if DRILL else ''}"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_NAMED}sessionid", f"{_NAMED}csrftoken"
# Only the front and the home's group reach our socket; the front writes this header itself.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "ja"
LANGUAGES = [
    ("ja", "日本語"),
    ("ja-easy", "やさしい日本語"),
    ("en", "English"),
    ("zh-hans", "中文"),
    ("ko", "한국어"),
]
LOCALE_PATHS = [Path(policity.__path__[0]) / "design" / "locale"]
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True

# Wagtail's own style sheets and scripts, and small pictures of what was uploaded: for staff who
# have signed in. Residents get ours (design/assets.py), and pictures that a page shows.
STATIC_URL = "/staff/content/static/"
MEDIA_ROOT = HOME / "media"
MEDIA_URL = "/staff/content/media/"

LOGGING = logs.CONFIGURATION
logs.configure()
