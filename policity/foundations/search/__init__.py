from policity.kit.sides import Side

SIDE = Side.INTERNET
