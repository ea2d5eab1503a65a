"""Accounts: `staff` opens them and gives roles, `keys` are what people come in with beside a
password, `entering` lets them in, `glass` is the sealed account, `audit` keeps the trail.
"""

from policity.foundations.accounts.services.staff import create_staff

__all__ = ["create_staff"]
