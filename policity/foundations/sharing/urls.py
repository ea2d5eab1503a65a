"""The shortest address there is; the page it leads to has the language in its own."""

from django.urls import path

from policity.foundations.sharing import views

urlpatterns = [path("s/<str:code>/", views.follow, name="short_link")]
