"""An internal slice as the support register will be one: a model, a page, a task, a command.

HIDDEN_SIDE has it say the wrong side, as somebody might by mistake.
"""

import os

from policity.kit.sides import Side

SIDE = Side(os.environ.get("HIDDEN_SIDE", "internal"))
