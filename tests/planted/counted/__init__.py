"""What the side that the Internet reaches is told of the hidden people: how many, in which town."""

from policity.kit.sides import Side

SIDE = Side.INTERNET
