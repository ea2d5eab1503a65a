"""What other rooms may want to hear of, in the transaction in which it happens."""

from django.dispatch import Signal

# Pages were written, or are on their way out. Arguments: documents (for each address what is found
# on its page, nothing where it goes), now.
written = Signal()

# All pages are about to be compared with what they ought to be: whoever lets changes settle before
# it says which pages they make stale says so now. Arguments: now.
comparing = Signal()
