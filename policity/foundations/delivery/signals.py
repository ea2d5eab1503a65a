"""What delivery asks the rooms above, which know their stories."""

from django.dispatch import Signal

open_stories = Signal()
"""Which threads are not over: each receiver gives a set of them. No arguments."""
