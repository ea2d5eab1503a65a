"""Opening accounts and giving roles; `audit` keeps the trail of what was done."""

from policity.foundations.accounts.services.staff import create_staff

__all__ = ["create_staff"]
