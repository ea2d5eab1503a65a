from policity.foundations.residents.services.importing import (
    Imported,
    OtherImportError,
    Refused,
    import_list,
)
from policity.foundations.residents.services.registering import (
    AlreadyConfirmedError,
    BadRegistrationError,
    Dead,
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
from policity.foundations.residents.services.versions import TOPIC

__all__ = [
    "TOPIC",
    "AlreadyConfirmedError",
    "BadRegistrationError",
    "Dead",
    "Imported",
    "OtherImportError",
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
