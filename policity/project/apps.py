from django.apps import AppConfig


class Config(AppConfig):
    name = "policity.project"

    def ready(self) -> None:
        from django.conf.locale import LANG_INFO

        # やさしい日本語 is Japanese to browsers and to Django's own texts.
        LANG_INFO.setdefault(
            "ja-easy",
            {
                "bidi": False,
                "code": "ja-easy",
                "name": "Easy Japanese",
                "name_local": "やさしい日本語",
            },
        )
