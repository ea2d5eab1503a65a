"""The `policity` command: `policity X Y …` is the management command X with sub-command Y."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from policity.kit.sides import Role
from policity.project import environment, home
from policity.project.settings.installed import ROOMS, at_work

# Commands that look at a home as it is: it may be empty, or another's.
UNPREPARED = {"continuity", "doctor"}


def main(words: Sequence[str] = ()) -> None:
    """Runs one command in a home that is prepared first. Exits 2 when it cannot be understood.

    `words` are the command's; else those that this process was begun with.
    """
    words = words or sys.argv[1:]
    if not words or words[0] in ("help", "-h", "--help"):
        print(_overview())  # noqa: T201
        sys.exit(0 if words else 2)
    try:
        where = environment.read()
        os.environ.update(DJANGO_SETTINGS_MODULE=where.settings)
        _run(words, where)
    except environment.BadEnvironmentError as error:
        sys.exit(_refuse(f"A setting cannot be used:\n{error}"))
    except home.PreparationError as error:
        home.say(str(error))
        sys.exit(1)


def _run(words: Sequence[str], where: environment.Environment) -> None:
    if words[0] == "serve":
        # Imported here: other commands need no supervisor.
        from policity.project import serve

        sys.exit(serve.main(where))
    if words[0] == "upgrade":
        # Before the home is prepared: it may be another version's.
        from policity.project import releases

        sys.exit(releases.main(where, words[1:]))
    if words[0] in _resting(where.role):
        sys.exit(
            _refuse(
                f"policity {words[0]} は、インターネット側の設置で動かします（ここは内部側です）。"
                " / That is done on the installation that the Internet reaches."
            )
        )
    if words[0] not in _ours(where.role) | _djangos(where.role):
        sys.exit(_refuse(f"There is no command {words[0]!r}.\n\n{_overview(where.role)}"))
    # Who asks how a command is used gets no home by it.
    if words[0] not in UNPREPARED and not {"-h", "--help"} & {*words}:
        home.prepare(where)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["policity", *words])


def _refuse(text: str) -> int:
    home.say(text)
    return 2


def _ours(role: Role) -> set[str]:
    return {
        name
        for app, folder in home.app_folders(role).items()
        if app in ROOMS and at_work(app, role)
        for name in _commands(folder)
    }


def _resting(role: Role) -> set[str]:
    """What only an installation of the other side does."""
    folders = home.app_folders(role).items()
    return {name for app, folder in folders if not at_work(app, role) for name in _commands(folder)}


def _djangos(role: Role) -> set[str]:
    """Developers' commands: makemigrations, shell, …"""
    import django.core

    core = Path(django.core.__path__[0])
    return {
        name for folder in (core, *home.app_folders(role).values()) for name in _commands(folder)
    }


def _commands(folder: Path) -> set[str]:
    files = (folder / "management" / "commands").glob("[!_]*.py")
    return {file.stem for file in files}


def _overview(role: Role = Role.ALL) -> str:
    names = "\n".join(f"  policity {name}" for name in sorted({"serve", "upgrade", *_ours(role)}))
    return f"Commands (each explains itself with --help):\n{names}"


if __name__ == "__main__":
    main()
