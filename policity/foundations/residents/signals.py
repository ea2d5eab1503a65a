"""What other rooms may want to hear of, in the transaction in which it happens."""

from django.dispatch import Signal

# A mail address waits for its owner's word, or its owner asks for the link to their settings.
# Arguments: resident (number), purpose (rules.links.Purpose), now.
link_wanted = Signal()

# Somebody left: nothing that waits for them is to be sent. Arguments: resident (number), now.
left = Signal()

# Somebody may be forgotten: whoever still has something to tell them gives their numbers as a set.
# Arguments: persons (numbers).
needed = Signal()
