"""What is installed beside us, under which licence: `python -m policity.project.licences uv.lock`.

Fails when something comes under a licence that is not on the list: somebody has to read it first.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

# Permissive ones, two that ask no more of a city than to leave the package as it is, and that of
# fonts (OFL), which may go along and into documents, and are not sold alone.
MAY = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|HPND|MIT-CMU|Unlicense|Zlib|0BSD|CC0"
    r"|MPL-2\.0|Mozilla Public License 2\.0|LGPL|OFL-1\.1",
    re.IGNORECASE,
)
# What their metadata has no line for, read in their LICENSE.
READ = {"pyrage": "MIT", "pyreqwest": "Apache-2.0"}


def base(lock: Path) -> list[str]:
    """The packages that a city runs on, by the lock: what we need and what that needs, no tools."""
    packages = {one["name"]: one for one in tomllib.loads(lock.read_text())["package"]}
    found: set[tuple[str, str]] = set()
    # With PostgreSQL's client, as script/install and script/bundle take it along.
    left = [("policity", ""), ("policity", "cluster")]
    while left:
        name, extra = one = left.pop()
        if one in found or name not in packages:
            continue
        found.add(one)
        package = packages[name]
        further = package.get("optional-dependencies", {})
        for need in further.get(extra, []) if extra else package.get("dependencies", []):
            left += [(need["name"], extra) for extra in ("", *need.get("extra", []))]
    return sorted({name for name, _ in found} - {"policity"})


def licence(name: str) -> tuple[str, str] | None:
    """A package's version and licence as it says them; None where it is not for this machine."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return None

    def first(field: str) -> str:
        return str((said.get_all(field) or [""])[0]).partition("\n")[0]

    classes = [line for line in said.get_all("Classifier", []) if line.startswith("License ::")]
    named = "; ".join(line.rpartition(" :: ")[2] for line in classes)
    text = first("License-Expression") or named or first("License")
    return said["Version"], text or READ.get(name, "")


def main(lock: Path) -> int:
    """A line for each package; gives 1 where nobody has read a licence yet."""
    found = {name: said for name in base(lock) if (said := licence(name))}
    for name, (version, text) in found.items():
        sys.stdout.write(f"{name}\t{version}\t{text}\n")
    unread = [name for name, (_, text) in found.items() if not MAY.search(text)]
    for name in unread:
        sys.stderr.write(f"{name}: a licence that nobody has read yet\n")
    return 1 if unread else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
