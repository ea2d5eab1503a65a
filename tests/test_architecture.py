"""The house as a whole: floors, migrations, translations, and what is shipped beside the code."""

import ast
import importlib.util
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import polib
import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.utils.translation import to_locale
from django_migration_linter import MigrationLinter
from grimp import ImportGraph
from pytest_django import DjangoDbBlocker

from policity.kit.sides import Side
from policity.project.settings.installed import ROOMS, side
from policity.public_site.rules import EDITING_POLICY
from tests.sides_contract import wrong

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "policity"
LOCALES = PACKAGE / "design" / "locale"
SOURCE_LANGUAGE = "ja"

# Lowest first. A room may use rooms on lower floors, and itself; never a neighbour.
FLOORS = [
    ["kit"],
    ["design"],
    ["foundations.accounts"],
    ["foundations.work"],
    ["foundations.crossing"],
    ["foundations.publishing"],
    ["foundations.places"],
    ["foundations.sharing"],
    ["foundations.search"],
    ["foundations.residents"],
    ["foundations.delivery"],
    ["foundations.events"],
    ["foundations.continuity"],
    ["foundations.city_plan"],
    ["fields.*"],
    ["public_site", "back_office"],
    ["project"],
]
SIDES = {room.removeprefix("policity."): side(room) for room in ROOMS}
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def _floor(room: str) -> int:
    return FLOOR["fields.*"] if room.startswith("fields.") else FLOOR[room]


def may_use(user: str, used: str, sides: Mapping[str, Side] = SIDES) -> bool:
    """Whether a room may refer to another: to one below, and to an internal one only from inside.

    What the import contracts do not see: relations by name, and templates.
    """
    if sides.get(used) is Side.INTERNAL and sides.get(user) is not Side.INTERNAL:
        return False
    return user == used or _floor(used) < _floor(user)


def room_of(dotted: str) -> str | None:
    """ "policity.fields.alerts.models" → "fields.alerts"; None for packages that are not ours."""
    parts = dotted.split(".")
    if parts[0] != "policity":
        return None
    return ".".join(parts[1:3] if parts[1] in ("fields", "foundations") else parts[1:2])


def _rooms() -> dict[str, str]:
    """Each of our app labels with its room."""
    return {
        config.label: room for config in apps.get_app_configs() if (room := room_of(config.name))
    }


def _tag_libraries() -> dict[str, str]:
    """Each of our template tag libraries with its room."""
    return {
        file.stem: room_of(config.name) or ""
        for config in apps.get_app_configs()
        if room_of(config.name)
        for file in (Path(config.path) / "templatetags").glob("[!_]*.py")
    }


USES = re.compile(
    r"{%\s*(?P<tag>extends|include|url|load)\s+(?P<quoted>['\"](?P<name>[^'\"]+)['\"])?(?P<rest>[^%]*)%}"
)


def template_uses(text: str, libraries: dict[str, str], rooms: dict[str, str]) -> Iterator[str]:
    """The rooms a template refers to by extends, include, url and load."""
    for found in USES.finditer(text):
        tag, name, rest = found["tag"], found["name"] or "", found["rest"]
        if tag == "load":
            names = rest.split(" from ")[-1].split()
            yield from (libraries[library] for library in names if library in libraries)
        elif tag == "url":
            label = name.split(":")[0]
            yield from [rooms[label]] if label in rooms else []
        else:
            label = name.split("/")[0]
            yield from [rooms[label]] if label in rooms else []


def _templates() -> Iterator[tuple[str, Path]]:
    for config in apps.get_app_configs():
        room = room_of(config.name)
        if room:
            for file in sorted((Path(config.path) / "templates").rglob("*.*")):
                yield room, file


def test_a_template_uses_only_its_own_floor_and_lower_ones() -> None:
    rooms, libraries = _rooms(), _tag_libraries()
    wrong = [
        f"{file.relative_to(ROOT)} uses {used}"
        for room, file in _templates()
        for used in template_uses(file.read_text(), libraries, rooms)
        if not may_use(room, used)
    ]
    assert wrong == []


def test_a_template_lies_in_a_folder_named_after_its_room() -> None:
    labels = {room: label for label, room in _rooms().items()}
    wrong = [
        str(file.relative_to(ROOT))
        for room, file in _templates()
        if f"/templates/{labels[room]}/" not in str(file)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ('{% extends "back_office/base.html" %}', ["back_office"]),
        ("{% include 'alerts/card.html' with x=1 %}", ["fields.alerts"]),
        ("{% url 'back_office:board' %}", ["back_office"]),
        ("{% load policity i18n %}", ["design"]),
        ("{% load say from policity %}", ["design"]),
    ],
)
def test_the_rooms_a_template_uses_are_found(text: str, used: list[str]) -> None:
    assert list(template_uses(text, {"policity": "design"}, _rooms())) == used


def test_floors_say_who_may_use_whom() -> None:
    assert may_use("fields.alerts", "foundations.places")
    assert may_use("fields.alerts", "fields.alerts")
    assert not may_use("fields.alerts", "fields.reports")
    assert not may_use("foundations.places", "fields.alerts")
    assert not may_use("public_site", "back_office")


def test_nothing_refers_to_what_is_internal_but_from_inside() -> None:
    sides = SIDES | {"fields.support": Side.INTERNAL, "fields.alerts": Side.INTERNET}
    assert may_use("fields.support", "foundations.places", sides)
    assert not may_use("back_office", "fields.support", sides)
    assert not may_use("project", "fields.support", sides)


def test_every_room_says_on_which_side_it_stands() -> None:
    folders = {file.parent for file in PACKAGE.rglob("apps.py")}
    rooms = {str(folder.relative_to(ROOT)).replace("/", ".") for folder in folders}
    assert rooms == set(ROOMS)
    for room in ROOMS:
        assert side(room) in list(Side)


def test_an_import_of_an_internal_slice_breaks_its_contract() -> None:
    graph = ImportGraph()
    sides = {"a": Side.INTERNET, "b": Side.BOTH, "c": Side.INTERNAL, "d": Side.INTERNAL}
    for module in ("a", "a.views", "b", "c", "c.models", "d"):
        graph.add_module(module)
    graph.add_import(importer="d", imported="c.models")
    graph.add_import(importer="c", imported="b")
    assert list(wrong(graph, sides)) == []
    graph.add_import(importer="a.views", imported="c.models")
    assert list(wrong(graph, sides)) == ["a.views → c.models"]


def test_every_room_has_a_floor() -> None:
    for room in _rooms().values():
        assert _floor(room) >= 0


def test_relations_point_down() -> None:
    """A foreign key named by a string escapes the import contracts."""
    wrong = []
    for model in apps.get_models():
        room = room_of(model.__module__)
        for field in model._meta.get_fields():
            other = getattr(field, "remote_field", None) and field.related_model
            used = room_of(other.__module__) if isinstance(other, type) else None
            if room and used and not field.auto_created and not may_use(room, used):
                wrong.append(f"{model.__name__}.{field.name} → {other.__name__}")
    assert wrong == []


def _migrations() -> list[Path]:
    return sorted(PACKAGE.glob("**/migrations/[0-9]*.py"))


@pytest.mark.parametrize("file", _migrations(), ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_a_migration_imports_no_code_of_ours_and_runs_none(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + [alias.name for alias in node.names if isinstance(node, ast.Import)]
    }
    assert not [name for name in imported if name.split(".")[0] == "policity"]
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"RunPython", "RunSQL"}


def _last_tag() -> str | None:
    found = subprocess.run(
        ["git", "-C", ROOT, "describe", "--tags", "--abbrev=0"], capture_output=True, text=True
    )
    return found.stdout.strip() or None


def test_released_migrations_are_never_changed() -> None:
    tag = _last_tag()
    if tag is None:
        return  # nothing has been released yet
    changed = subprocess.run(
        ["git", "-C", ROOT, "diff", "--diff-filter=MDR", "--name-only", tag, "--", "policity"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [file for file in changed if re.search(r"/migrations/\d", file)] == []


@pytest.mark.usefixtures("django_db_setup")
def test_migrations_can_run_beside_the_program_of_before(
    django_db_blocker: DjangoDbBlocker, caplog: pytest.LogCaptureFixture
) -> None:
    # Only reads; SQLite's schema editor cannot do even that within a test's transaction.
    with django_db_blocker.unblock():
        linter = MigrationLinter(
            str(ROOT),
            no_cache=True,
            ignore_initial_migrations=True,
            quiet=["ok", "ignore", "warning"],
            # Drops a table that it makes anew: counts, which whoever looks counts again.
            # The others add what is never null and has a default of the database's own, so that
            # the program of before goes on: SQLite does that by making the table anew.
            ignore_name=[
                "0007_standings_by_age",
                "0002_reasons",
                "0003_courses",
                "0002_program",
                "0004_schedules",
            ],
        )
        for app in _rooms():
            linter.lint_all_migrations(app_label=app, git_commit_id=_last_tag())
    assert not linter.has_errors, caplog.text


def _catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(LOCALES / to_locale(language) / "LC_MESSAGES" / "django.po"))


LANGUAGES = [code for code, _ in settings.LANGUAGES if code != SOURCE_LANGUAGE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    catalogue = _catalogue(language)
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert len(catalogue) > 0


def test_every_language_has_the_same_texts() -> None:
    texts = {language: {entry.msgid for entry in _catalogue(language)} for language in LANGUAGES}
    everything = set[str]().union(*texts.values())
    assert {language: everything - found for language, found in texts.items()} == {
        language: set() for language in LANGUAGES
    }


SAID = re.compile(r"""{%\s*(?:say|say_plain|translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")


def test_every_text_of_a_published_template_is_in_the_catalogues() -> None:
    known = {entry.msgid for entry in _catalogue(LANGUAGES[0])}
    missing = {
        f"{file.relative_to(ROOT)}: {text}"
        for room, file in _templates()
        if room != "back_office"  # staff work in Japanese
        for found in SAID.finditer(file.read_text())
        if (text := found[1] or found[2]) not in known
    }
    assert missing == set()


def test_every_text_in_the_catalogues_is_used() -> None:
    """A word that nobody says any more is a word that translators still keep."""
    program = "\n".join(
        file.read_text()
        for kind in ("**/*.html", "**/*.py", "**/*.toml", "**/*.txt")
        for file in PACKAGE.glob(kind)
        if "/tests/" not in str(file)
    )
    unused = [entry.msgid for entry in _catalogue(LANGUAGES[0]) if entry.msgid not in program]
    assert unused == []


def test_every_script_can_be_run() -> None:
    scripts = [file for file in (ROOT / "script").iterdir() if file.name != "install"]
    for file in [*scripts, ROOT / ".ci" / "run"]:
        assert stat.S_IMODE(file.stat().st_mode) & 0o111 == 0o111, file
        assert file.read_text().startswith("#!/usr/bin/env bash\n"), file
        subprocess.run(["bash", "-n", file], check=True)


def test_the_lock_names_only_public_addresses() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_publiccode_describes_the_project() -> None:
    description = yaml.safe_load((ROOT / "publiccode.yml").read_text())
    required = {
        "publiccodeYmlVersion",
        "name",
        "url",
        "platforms",
        "developmentStatus",
        "softwareType",
        "description",
        "legal",
        "maintenance",
        "localisation",
    }
    assert required <= description.keys()
    assert description["legal"]["license"] == "Apache-2.0"
    assert {"ja", "en"} <= description["description"].keys()
    for texts in description["description"].values():
        assert len(texts["shortDescription"]) <= 150
        assert 150 <= len(texts["longDescription"]) <= 10_000
        assert texts["features"]


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_nginx_we_ship_says_what_the_front_says() -> None:
    from policity.project import front

    headers = (ROOT / "deploy" / "nginx" / "policity-headers.conf").read_text()
    server = (ROOT / "deploy" / "nginx" / "policity.conf").read_text()
    editing = (ROOT / "deploy" / "nginx" / "policity-editing-headers.conf").read_text()
    assert f'add_header Content-Security-Policy "{EDITING_POLICY}" always;' in editing
    differ = set(headers.splitlines()) ^ set(editing.splitlines())
    assert {line.split()[1] for line in differ if not line.startswith("#")} == {
        "Content-Security-Policy"
    }
    for name, text in front.SECURITY_HEADERS.items():
        if name in front.STRICTER:
            assert f'    "" "{text}";' in server
        else:
            line = f'add_header {name} "{text}" always;'
            assert line in headers, f"deploy/nginx/policity-headers.conf lacks: {line}"
    for name, text in front.HTTPS_ONLY.items():
        assert f'# add_header {name} "{text}" always;' in headers
    types = (ROOT / "deploy" / "nginx" / "policity-types.conf").read_text()
    for ending, kind in front.CONTENT_TYPES.items():
        assert f'"{kind}" {ending};' in types


def test_no_variable_of_ours_is_read_past_the_settings() -> None:
    """Everything a city may set is read, checked and documented in one place."""
    readers = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if "/tests/" not in str(file)
        and re.search(r"environ\[|environ\.get|getenv", file.read_text())
    ]
    assert readers == []


@pytest.mark.parametrize("file", ["environment", "environment-internal"])
def test_what_the_unit_is_told_to_write_it_may_write(file):
    """The service writes little: a copy's folder that it may not write would be found out late."""
    unit = (ROOT / "deploy" / "systemd" / "policity.service").read_text()
    said = (ROOT / "deploy" / "systemd" / file).read_text()
    (home,) = re.findall(r"^POLICITY_HOME=/var/lib/(\S+)$", said, re.M)
    (heads,) = re.findall(r"^POLICITY_AUDIT_HEADS=/var/log/([^/]+)/", said, re.M)
    (copies,) = re.findall(r"^# POLICITY_BACKUP=(/\S+)$", said, re.M)
    assert f"StateDirectory={home}\n" in unit
    assert f"LogsDirectory={heads}\n" in unit
    assert f"ReadWritePaths=-{copies}\n" in unit


DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]


@pytest.mark.parametrize("language", ["", ".ja"])
def test_what_a_city_may_set_and_do_is_documented(language: str) -> None:
    text = (ROOT / "docs" / f"operations{language}.md").read_text()
    read = (PACKAGE / "project" / "environment.py").read_text()
    variables = set(re.findall(r'env\.\w+\(\s*"(\w+)"', read))
    assert len(variables) == 32
    assert {name for name in variables if f"`{name}`" not in text} == set()
    commands = {file.stem for file in PACKAGE.glob("**/management/commands/[a-z]*.py")} | {"serve"}
    assert {name for name in commands if f"`policity {name}" not in text} == set()


@pytest.mark.parametrize("file", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_a_document_names_is_there(file: Path) -> None:
    text = file.read_text()
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in linked if not (file.parent / link).exists()] == []
    cities = PACKAGE / "foundations" / "places" / "facts" / "cities"
    loaded = re.findall(r"policity places load ([a-z]+)", text)
    assert [name for name in loaded if not (cities / name).is_dir()] == []


def test_the_package_is_the_one_under_test() -> None:
    spec = importlib.util.find_spec("policity")
    assert spec is not None
    assert spec.submodule_search_locations
    assert Path(spec.submodule_search_locations[0]).samefile(PACKAGE)


def test_a_bundle_serves_every_patch_version_of_its_python():
    """Debian 12 has 3.11.2; a bundle has the wheels of the Python that made it."""
    packages = re.findall(r'marker = "([^"]*)"', (ROOT / "uv.lock").read_text())
    assert [one for one in packages if re.search(r"'\d+\.\d+\.\d+'", one)] == []
