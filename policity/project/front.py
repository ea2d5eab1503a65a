"""The front: Caddy, told to serve the published folder and to pass the rest to the application.

It answers from the folder whatever happens to the rest; deploy/nginx does the same for a city
that has nginx. Both are held to the same behaviour by tests.
"""

import os
import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from string import Template

from policity.design import assets
from policity.kit.languages import LANGUAGES
from policity.public_site.rules import EDITING, EDITING_POLICY

PAGES = Path(__file__).parent / "pages"
_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)


def styles() -> tuple[str, ...]:
    """The styles that stand inside this version's pages, as browsers compare them (CSP level 3)."""
    texts = [assets.inline(parts) for parts in assets.INLINE]
    for page in sorted(PAGES.glob("*.html")):
        texts += _STYLE.findall(page.read_text("utf-8"))
    digests = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
    return tuple(f"'sha256-{digest}'" for digest in digests)


def script() -> str:
    """The script that stands inside pages, likewise.

    While pages of another version still stand theirs is not followed, and they are shown as
    anybody sees them.
    """
    return f"'sha256-{b64encode(sha256(assets.early().encode()).digest()).decode()}'"


# A year, as lists of such sites ask for; never said over http, where browsers would ignore it.
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


def security_headers(styles: Iterable[str]) -> dict[str, str]:
    """What every answer says: only these styles may be inline, and one script.

    From elsewhere come the pictures of one map alone (地理院タイル), once a reader opens it.
    """
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self' {script()}; "
            f"style-src 'self' {' '.join(styles)}; "
            "img-src 'self' data: https://cyberjapandata.gsi.go.jp; font-src 'self'; "
            "connect-src 'self'; manifest-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


SECURITY_HEADERS = security_headers(styles())
# The application may be stricter: the address of a personal page is told to nobody.
STRICTER = frozenset({"Referrer-Policy"})
# The system's own table differs from machine to machine.
CONTENT_TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "cap": "application/cap+xml; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "geojson": "application/geo+json",
    "gpx": "application/gpx+xml",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "xml": "application/xml; charset=utf-8",
}
# Long enough to carry a crowd, short enough for what changes in an emergency.
CACHE_PAGES = "max-age=10, must-revalidate"
# Where residents register, change what they registered, sign up for an event, and answer; where
# they see what they sent and say what is wrong with it; where they say what they think of a plan;
# and where a short link leads.
_OTHERS = "|".join(language.prefix.strip("/") for language in LANGUAGES[1:])
RESIDENTS = (
    f"^/(?:(?:(?:{_OTHERS})/)?(?:(?:events/)?(?:register|me)|charm/photographs/(?:me|report)"
    "|plan/comments/(?:me|send)|reply)|s)(?:/|$)"
)
# Where residents send photographs.
UPLOADS = f"^/(?:(?:{_OTHERS})/)?charm/photographs/send/$"
# Where somebody asks the search (`?q=`), and its page, which is also a file.
SEARCH = f"^/(?:(?:{_OTHERS})/)?search/$"
ASKED = f"^/(?:(?:{_OTHERS})/)?search/(?:suggest/)?$"
# An asset's name has a digest of its bytes.
CACHE_ASSETS = "max-age=31536000, immutable"

CONFIGURATION = Template("""\
# Written by `policity serve` at every start; changes here are lost.
{
	admin off
	persist_config off
	auto_https off
	default_bind $bind
	skip_install_trust
	log default {
		output stderr
		level ERROR
		format filter {
			wrap json
			# Addresses of readers, and what they asked for.
			fields {
				request delete
			}
		}
	}
	servers {
		protocols h1
		# Who comes from elsewhere may say of itself what it likes.
		trusted_proxies static $proxies
		trusted_proxies_strict
		timeouts {
			read_header 10s
			read_body 30s
			idle 2m
		}
	}
}

(security) {
	header {
		-Server
		-Via
$security
	}
	# After the others, which wait until an answer is sent: there a browser may do a little more.
	header $editing* >Content-Security-Policy "$editing_policy"
}

http://:$port {
	root * $published
	import security

	handle /healthz {
		header Cache-Control no-store
		respond "ok" 200
	}

	# RFC 9116; of names that start with a dot nothing is published.
	rewrite /.well-known/security.txt /security.txt

	handle /readyz {
		reverse_proxy "unix/$socket"
	}

	# The board as it changes: each event goes on at once, for as long as somebody looks.
	@live path /staff/live/
	handle @live {
		header ?Cache-Control "no-store"
		reverse_proxy "unix/$live" {
			flush_interval -1
			header_up X-Forwarded-For {client_ip}
		}
	}

	# A telegram to try a rule on: the one file that anybody can send. It is read up to 8 MiB.
	@files path /staff/rules/*
	handle @files {
		header ?Cache-Control "no-store"
		request_body {
			max_size 9MB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	# Areas of hazard maps: 20 MB, and the form around them.
	@areas path /staff/hazards/*
	handle @areas {
		header ?Cache-Control "no-store"
		request_body {
			max_size 22MB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	# An older site in one file: 200 MB, and the form around it.
	@older path ${editing}import/*
	handle @older {
		header ?Cache-Control "no-store"
		request_body {
			max_size 210MB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	# Pages of an ordinary day, and pictures and files for them (20 MB, and the form around one).
	@editing path $editing*
	handle @editing {
		header ?Cache-Control "no-store"
		request_body {
			max_size 22MB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	@staff path /staff /staff/*
	handle @staff {
		header ?Cache-Control "no-store"
		request_body {
			max_size 1MB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	@residents path_regexp "$residents"
	handle @residents {
		header ?Cache-Control "no-store"
		request_body {
			max_size 64KB
		}
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	# Photographs from residents: 80 MB, and the form around them, from a telephone on the way. They
	# have a process of their own, which is all that somebody slow keeps waiting.
	@uploads path_regexp "$uploads"
	handle @uploads {
		header ?Cache-Control "no-store"
		request_body {
			max_size 82MB
		}
		reverse_proxy "unix/$uploading" {
			header_up X-Forwarded-For {client_ip}
		}
	}

	# What is asked of the search the application answers. While it cannot, the published page does,
	# whose script searches the published files.
	@asked {
		path_regexp "$asked"
		query q=*
	}
	handle @asked {
		header ?Cache-Control "no-store"
		reverse_proxy "unix/$socket" {
			header_up X-Forwarded-For {client_ip}
			@failed status 5xx
			handle_response @failed {
				error 503
			}
		}
	}

$inside
	handle {
		# What is half written lies in a folder of its own, which is nobody's page; nor are those
		# that answer for an error.
		@hidden path /.* /errors/*
		error @hidden 404

		@starting {
			not path /assets/*
			not file {
				try_files /index.html
			}
		}
		handle @starting {
			root * $pages
			rewrite * /starting.html
			header Retry-After 5
			header Cache-Control no-store
			# Whatever was asked for by its ending, this is a page.
			header Content-Type "text/html; charset=utf-8"
			file_server {
				status 503
			}
		}

		@pages not path /assets/*
		header @pages Cache-Control "$cache_pages"
		header /assets/* Cache-Control "$cache_assets"
$types
		file_server {
			precompressed br gzip
		}
	}

	handle_errors {
		import security
		header Cache-Control no-store
		header Content-Type "text/html; charset=utf-8"

		@readyz path /readyz
		handle @readyz {
			header Content-Type application/json
			respond `{"ready": false, "missing": ["web"]}` 503
		}

		@unanswered {
			path_regexp "$search"
			file {path}index.html
			expression {err.status_code} in [502, 503, 504]
		}
		handle @unanswered {
			rewrite * {path}index.html
			file_server {
				precompressed br gzip
				status 200
			}
		}

		@down expression {err.status_code} in [502, 503, 504]
		handle @down {
			header Retry-After 10
			@published file /errors/503.html
			handle @published {
				rewrite * /errors/503.html
				file_server {
					precompressed br gzip
					status 503
				}
			}
			handle {
				root * $pages
				rewrite * /starting.html
				file_server {
					status 503
				}
			}
		}

		handle {
			@page file /errors/{err.status_code}.html
			handle @page {
				rewrite * /errors/{err.status_code}.html
				file_server {
					precompressed br gzip
				}
			}
			handle {
				header Content-Type "text/plain; charset=utf-8"
				respond "{err.status_code} {err.status_text}"
			}
		}
	}
}
""")


INSIDE = """
	@outside not path /assets/*
	handle @outside {
		redir * /staff/ 302
	}
"""


def configuration(
    *,
    published: Path,
    socket: Path,
    bind: str,
    port: int,
    pages: Path = PAGES,
    before: Iterable[str] = (),
    https: bool = False,
    proxies: Iterable[str] = ("127.0.0.0/8", "::1/128"),
    inside: bool = False,
) -> str:
    """The Caddyfile for one city. `pages` holds what is shown before there is anything else.

    `before` are the styles of the version before: its pages stay until they are rendered anew.
    `https`: the city's address is one, whoever ends it before us. `proxies`: from these networks
    a request says itself whose it is, and whether it came by https. `inside`: nothing is
    published but what staff's pages are drawn with.
    """
    said = security_headers(dict.fromkeys([*styles(), *before])) | (HTTPS_ONLY if https else {})
    return CONFIGURATION.substitute(
        published=_quoted(published),
        pages=_quoted(pages),
        socket=socket,
        # They lie beside each other (serve).
        live=socket.with_name("live.sock"),
        uploading=socket.with_name("uploads.sock"),
        bind=bind,
        port=port,
        # None at all is not a word that Caddy knows: no address is in this network.
        proxies=" ".join(proxies) or "0.0.0.0/32",
        cache_pages=CACHE_PAGES,
        cache_assets=CACHE_ASSETS,
        security="\n".join(
            f'\t\t{"?" if name in STRICTER else ""}{name} "{text}"' for name, text in said.items()
        ),
        residents=RESIDENTS,
        uploads=UPLOADS,
        asked=ASKED,
        search=SEARCH,
        editing=EDITING,
        editing_policy=EDITING_POLICY,
        inside=INSIDE if inside else "",
        types="\n".join(
            f'\t\t@{end} path *.{end}\n\t\theader @{end} Content-Type "{kind}"'
            for end, kind in CONTENT_TYPES.items()
        ),
    )


def command(file: Path) -> list[str]:
    """Starts Caddy, which lies beside our Python as one of its packages."""
    caddy = Path(sys.executable).parent / "caddy"
    return [str(caddy), "run", "--adapter", "caddyfile", "--config", str(file)]


def surroundings(run: Path) -> dict[str, str]:
    """Keeps what Caddy writes inside the city's own folder."""
    own = run / "caddy"
    own.mkdir(exist_ok=True)
    return {"XDG_DATA_HOME": str(own), "XDG_CONFIG_HOME": str(own), "HOME": str(own)}


def _quoted(path: Path) -> str:
    return f'"{os.fspath(path)}"'
