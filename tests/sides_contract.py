"""An import contract: nothing imports an internal slice but internal slices.

Which those are stands in each slice's `SIDE` alone; a list beside it would be forgotten.
"""

from collections.abc import Iterator, Mapping

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

from policity.kit.sides import Side
from policity.project.settings.installed import ROOMS, side


def wrong(graph: ImportGraph, sides: Mapping[str, Side]) -> Iterator[str]:
    """Each way from a slice that is not internal to one that is."""
    inside = [room for room, side in sides.items() if side is Side.INTERNAL]
    for room in sorted(sides.keys() - inside):
        for target in inside:
            for chain in graph.find_shortest_chains(room, target, as_packages=True):
                yield " → ".join(chain)


class SidesContract(Contract):
    """For `[[tool.importlinter.contracts]]` with `type = "sides"`."""

    type_name = "sides"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = sorted(wrong(graph, {room: side(room) for room in ROOMS}))
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for one in check.metadata["found"]:
            output.print_error(one)
