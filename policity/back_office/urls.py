"""The staff's addresses, all below /staff/."""

from django.urls import path

from policity.back_office.views import alarms, board, live, outbox, reach, sign_in, sites

app_name = "back_office"

urlpatterns = [
    path("", board.board, name="board"),
    path("live/", live.live, name="live"),
    path("reach/<int:message>/", reach.reach, name="reach"),
    path("reach/<int:message>.csv", reach.as_csv, name="reach_csv"),
    path("reach/<int:message>.json", reach.as_json, name="reach_json"),
    path("approve/<int:message>/", board.approve, name="approve"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:alarm>/take/", alarms.take, name="take_alarm"),
    path("alarms/<int:alarm>/close/", alarms.close, name="close_alarm"),
    path("sites/", sites.sites, name="sites"),
    path("sites/close/", sites.close_sites, name="close_sites"),
    path("sites/<int:site>/", sites.set_site, name="set_site"),
    path("sites/<int:site>/<int:opening>/", sites.take_back, name="take_back_site"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<name>/", outbox.mail, name="kept_mail"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
]
