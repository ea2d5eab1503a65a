"""The staff's addresses, all below /staff/."""

from django.urls import path

from policity.back_office import views

app_name = "back_office"

urlpatterns = [
    path("", views.board, name="board"),
    path("alarms/", views.alarms, name="alarms"),
    path("alarms/<int:alarm>/take/", views.take_alarm, name="take_alarm"),
    path("alarms/<int:alarm>/close/", views.close_alarm, name="close_alarm"),
    path("approve/<int:message>/", views.approve, name="approve"),
    path("outbox/", views.outbox, name="outbox"),
    path("outbox/<name>/", views.kept_mail, name="kept_mail"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
]
