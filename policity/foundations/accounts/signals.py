"""What accounts tell the rooms above, which can send."""

from django.dispatch import Signal

mail_wanted = Signal()
"""Arguments: `user` (their number), `about` (a `rules.mails.About`), `on` (a number), `now`."""
