"""The staff's addresses, all below /staff/."""

from django.urls import path

from policity.back_office.views import (
    alarms,
    board,
    chronology,
    emergency,
    hand_over,
    live,
    orders,
    outbox,
    reach,
    sign_in,
    sites,
)

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
    path("orders/", orders.orders, name="orders"),
    path("orders/new/", orders.compose, name="compose"),
    path("orders/<int:order>/", orders.order, name="order"),
    path("orders/<int:order>/edit/", orders.compose, name="edit_order"),
    path("orders/<int:order>/submit/", orders.submit, name="submit_order"),
    path("orders/<int:order>/issue/", orders.issue, name="issue_order"),
    path("orders/<int:order>/turn-down/", orders.turn_down, name="turn_down_order"),
    path("orders/<int:order>/discard/", orders.discard, name="discard_order"),
    path("orders/<int:order>/withdraw/", orders.withdraw, name="withdraw_order"),
    path("orders/<int:order>/review/", orders.review, name="review_order"),
    path("orders/<int:order>/told/<slug:outlet>/", orders.told_by_hand, name="told_by_hand"),
    path("sites/", sites.sites, name="sites"),
    path("sites/close/", sites.close_sites, name="close_sites"),
    path("sites/<int:site>/", sites.set_site, name="set_site"),
    path("sites/<int:site>/<int:opening>/", sites.take_back, name="take_back_site"),
    path("chronology/", chronology.chronology, name="chronology"),
    path("chronology.csv", chronology.as_csv, name="chronology_csv"),
    path("chronology.txt", chronology.as_text, name="chronology_text"),
    path("chronology/note/", chronology.note, name="write_note"),
    path("hand-over/", hand_over.hand_over, name="hand_over"),
    path("hand-over/<int:number>/", hand_over.record, name="hand_over_record"),
    path("emergency/", emergency.emergency, name="emergency"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<name>/", outbox.mail, name="kept_mail"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
]
