from django.urls import path

from tests.planted.hidden import views

app_name = "hidden"
urlpatterns = [path("", views.people)]
