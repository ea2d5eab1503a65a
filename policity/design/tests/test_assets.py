import re
from pathlib import Path

import pytest

import policity
from policity.design import assets
from policity.design.templatetags.policity import icons, ladder

ROOT = Path(policity.__path__[0])
STYLES = ROOT / "design" / "static" / "design"


def templates():
    return "".join(f.read_text("utf-8") for f in ROOT.rglob("templates/**/*.html"))


def classes(css):
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return set(re.findall(r"\.([a-z][\w-]*)(?=[^{}]*\{)", re.sub(r"\{[^{}]*\}", "{}", bare)))


@pytest.mark.parametrize("sheet", sorted(path.name for path in STYLES.glob("*.css")))
def test_every_rule_has_a_user(sheet):
    makers = ("design/templatetags/policity.py", "design/drills.py")
    used = templates() + "".join((ROOT / maker).read_text("utf-8") for maker in makers)
    # Names that a script gives.
    used += "".join(path.read_text("utf-8") for path in STYLES.glob("*.js"))
    # Names that are put together in a template: a level, a tone, a hazard.
    used += " state--alert " + " ".join(
        f"{name}--{tone}" for name in (
            "lv", "order", "fits", "areas__one", "zone", "tick", "town",
            "health__line",
        )
        for tone in ("2", "3", "4", "5", "none", "calm", "flood", "landslide", "storm_surge",
                     "earthquake", "tsunami", "fire", "inland_flood", "volcano",
                     "unknown", "weak", "broken")
    )  # fmt: skip
    idle = {
        name for name in classes((STYLES / sheet).read_text("utf-8"))
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", used)
    }  # fmt: skip
    assert idle == set()


def test_every_token_has_a_user():
    tokens = (STYLES / "tokens.css").read_text("utf-8")
    everything = "".join(path.read_text("utf-8") for path in STYLES.glob("*.css"))
    idle = {name for name in re.findall(r"(--[\w-]+):", tokens) if f"var({name})" not in everything}
    assert idle == set()


def test_an_assets_name_changes_with_its_bytes():
    assert len(set(map(assets.address, assets.ASSETS))) == len(assets.ASSETS)
    assert re.fullmatch(r"/assets/app\.[0-9a-f]{8}\.css", assets.address("app.css"))


def test_squeezing_keeps_the_rules():
    css = """/* why */ a:hover , b > c { color: red ; margin: 0 -1px; }

    @media (min-width: 1px) { .x :lang(ja) { y: calc(1px + 2px); } }"""
    assert assets.squeeze(css) == (
        "a:hover,b>c{color:red;margin:0 -1px}"
        "@media (min-width:1px){.x :lang(ja){y:calc(1px + 2px)}}"
    )


def test_icons_are_all_there():
    plan = (ROOT / "fields/alerts/facts/texts/plan.toml").read_text("utf-8")
    asked = set(
        re.search(r"^icons = \[(.*?)\]", plan, re.DOTALL | re.MULTILINE)[1]
        .replace('"', "")
        .replace(",", " ")
        .split()
    )
    asked |= set(re.findall(r'\{% icon "([^"]+)"', templates()))
    assert asked == set(icons())


@pytest.mark.parametrize("level", range(1, 6))
def test_a_ladder_has_as_many_steps_as_the_level(level):
    drawn = ladder(level)
    assert drawn.count('class="on"') == level
    assert drawn.count('class="off"') == 5 - level
