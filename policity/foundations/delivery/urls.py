"""Where people answer, in each language: /reply/LINK/, /en/reply/LINK/ …"""

from django.urls import path

from policity.foundations.delivery import views
from policity.kit.languages import LANGUAGES

app_name = "delivery"

urlpatterns = [
    *(
        pattern
        for language in LANGUAGES
        for prefix in [language.prefix.lstrip("/")]
        for pattern in (
            path(f"{prefix}reply/<link>/", views.answer, {"code": language.code}),
            path(f"{prefix}reply/<link>/more/", views.more, {"code": language.code}),
        )
    ),
]
