from policity.foundations.residents.services.importing import Imported, Refused, import_list
from policity.foundations.residents.services.registering import (
    AlreadyConfirmedError,
    BadRegistrationError,
    add_place,
    change,
    change_mail,
    confirm_mail,
    drop_push,
    leave,
    register,
    remove_place,
    retire,
    set_push,
)

__all__ = [
    "AlreadyConfirmedError",
    "BadRegistrationError",
    "Imported",
    "Refused",
    "add_place",
    "change",
    "change_mail",
    "confirm_mail",
    "drop_push",
    "import_list",
    "leave",
    "register",
    "remove_place",
    "retire",
    "set_push",
]
