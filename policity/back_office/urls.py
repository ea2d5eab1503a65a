"""The staff's addresses, all below /staff/."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from policity.back_office.views import (
    accounts,
    alarms,
    audit,
    board,
    chronology,
    crossings,
    drill_messages,
    drills,
    emergency,
    hand_over,
    health,
    keys,
    live,
    orders,
    outbox,
    reach,
    rules,
    sign_in,
    sites,
)


class Number(IntConverter):
    """A number that a database can hold (64 bits): with a longer one there is no such page."""

    regex = "[0-9]{1,18}"


register_converter(Number, "number")

app_name = "back_office"

urlpatterns = [
    path("", board.board, name="board"),
    path("live/", live.live, name="live"),
    path("reach/<number:message>/", reach.reach, name="reach"),
    path("reach/<number:message>.csv", reach.as_csv, name="reach_csv"),
    path("reach/<number:message>.json", reach.as_json, name="reach_json"),
    path("approve/<number:message>/", board.approve, name="approve"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<number:alarm>/take/", alarms.take, name="take_alarm"),
    path("alarms/<number:alarm>/close/", alarms.close, name="close_alarm"),
    path("orders/", orders.orders, name="orders"),
    path("orders/new/", orders.compose, name="compose"),
    path("orders/<number:order>/", orders.order, name="order"),
    path("orders/<number:order>/edit/", orders.compose, name="edit_order"),
    path("orders/<number:order>/submit/", orders.submit, name="submit_order"),
    path("orders/<number:order>/issue/", orders.issue, name="issue_order"),
    path("orders/<number:order>/turn-down/", orders.turn_down, name="turn_down_order"),
    path("orders/<number:order>/discard/", orders.discard, name="discard_order"),
    path("orders/<number:order>/withdraw/", orders.withdraw, name="withdraw_order"),
    path("orders/<number:order>/review/", orders.review, name="review_order"),
    path("orders/<number:order>/told/<slug:outlet>/", orders.told_by_hand, name="told_by_hand"),
    path("sites/", sites.sites, name="sites"),
    path("sites/close/", sites.close_sites, name="close_sites"),
    path("sites/<number:site>/", sites.set_site, name="set_site"),
    path("sites/<number:site>/<number:opening>/", sites.take_back, name="take_back_site"),
    path("chronology/", chronology.chronology, name="chronology"),
    path("chronology.csv", chronology.as_csv, name="chronology_csv"),
    path("chronology.txt", chronology.as_text, name="chronology_text"),
    path("chronology/note/", chronology.note, name="write_note"),
    path("hand-over/", hand_over.hand_over, name="hand_over"),
    path("hand-over/<number:number>/", hand_over.record, name="hand_over_record"),
    path("drills/", drills.drills, name="drills"),
    path("drills/messages/new/", drill_messages.compose, name="compose_drill"),
    path("drills/messages/<number:message>/", drill_messages.shown, name="drill_message"),
    path("drills/messages/<number:message>/approve/", drill_messages.approve, name="approve_drill"),
    path(
        "drills/messages/<number:message>/withdraw/", drill_messages.withdraw, name="withdraw_drill"
    ),
    path("drills/<slug:name>/", drills.drill, name="drill"),
    path("drills/<slug:name>/stop/", drills.stop, name="stop_drill"),
    path("emergency/", emergency.emergency, name="emergency"),
    path("rules/", rules.rules, name="rules"),
    path("rules/<slug:phenomenon>/", rules.rule, name="rule"),
    path("texts/", rules.texts, name="texts"),
    path("texts/<slug:book>/<str:key>/", rules.text, name="text"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<name>/", outbox.mail, name="kept_mail"),
    path("health/", health.health, name="health"),
    path("crossings/", crossings.crossings, name="crossings"),
    path("audit/", audit.audit, name="audit"),
    path("audit.csv", audit.as_csv, name="audit_csv"),
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/new/", accounts.new_account, name="new_account"),
    path("accounts/<number:user>/", accounts.account, name="account"),
    path("accounts/<number:user>/role/", accounts.give_role, name="give_role"),
    path("accounts/<number:user>/role/<number:grant>/end/", accounts.end_role, name="end_role"),
    path("accounts/<number:user>/end/", accounts.end_account, name="end_account"),
    path("accounts/<number:user>/reset/", accounts.reset, name="reset_account"),
    path("accounts/<number:user>/link/", accounts.link, name="account_link"),
    path(
        "accounts/<number:user>/session/<number:session>/end/",
        accounts.end_session,
        name="end_their_session",
    ),
    path("me/", keys.me, name="me"),
    path("me/password/", keys.change_password, name="change_password"),
    path("me/session/<number:session>/end/", keys.end_session, name="end_session"),
    path("keys/", keys.set_up, name="set_up"),
    path("keys/ask/", keys.ask_new_passkey, name="ask_new_passkey"),
    path("keys/passkey/", keys.add_passkey, name="add_passkey"),
    path("keys/app/", keys.add_app, name="add_app"),
    path("keys/codes/", keys.recovery_codes, name="recovery_codes"),
    path("keys/codes/new/", keys.new_codes, name="new_codes"),
    path("keys/<number:key>/remove/", keys.remove_key, name="remove_key"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/passkey/", sign_in.by_passkey, name="by_passkey"),
    path("sign-in/ask/", sign_in.ask_passkey, name="ask_passkey"),
    path("sign-in/second/", sign_in.second_step, name="second_step"),
    path("sign-in/provider/", sign_in.to_provider, name="to_provider"),
    path("sign-in/provider/back/", sign_in.from_provider, name="from_provider"),
    path("sign-in/sealed/", sign_in.break_glass, name="break_glass"),
    path("welcome/<str:number>/<str:token>/", sign_in.welcome, name="welcome"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
]
