"""The text of a page of a city: as long as such pages are, and no two alike."""

import random

LANGUAGES = ("ja", "ja-easy", "en", "zh-hans", "ko")
ARTICLES = 1_000
_SYLLABLES = "市役所窓口手続届出住民票転入学校図書館公園子育保育申込必要書類時間場所電話予約相談"


def article(number: int, language: str) -> tuple[str, str]:
    """A page's title, and its body as the same HTML for whoever shows it: about 1,800 signs."""
    rng = random.Random(f"{number} {language}")

    def words(count: int) -> str:
        if language == "en":
            letters = "abcdefghiklmnoprstuvw"
            return " ".join(
                "".join(rng.choices(letters, k=rng.randint(2, 8))) for _ in range(count)
            )
        # Readings are found by a dictionary only where the language wants them.
        return "".join(rng.choices(_SYLLABLES, k=count * 2)) + "。"

    parts = []
    for section in range(4):
        parts.append(f"<h2>{section + 1} {words(4)}</h2>")
        parts += [f"<p>{words(60)}</p>" for _ in range(3)]
        parts.append("<ul>" + "".join(f"<li>{words(8)}</li>" for _ in range(4)) + "</ul>")
    return f"{number} {words(3)}", "".join(parts)
