"""The staff's addresses, all below /staff/."""

from django.urls import path

from policity.back_office import views

app_name = "back_office"

urlpatterns = [
    path("", views.board, name="board"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
]
