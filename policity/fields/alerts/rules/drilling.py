"""When no drill may be sent to real people: what is real comes first. Pure."""

from collections.abc import Iterable

from policity.kit.severity import Severity


def obstacle(*, emergency: bool, orders: bool, in_force: Iterable[tuple[str, Severity]]) -> str:
    """Why no drill may be sent now, in Japanese; empty when one may.

    `orders`: evacuation information stands somewhere. `in_force`: names and severities.
    """
    if emergency:
        return "緊急時（災害対策本部）の間は、訓練の知らせを送れません。"
    if orders:
        return "市の避難情報が出ている間は、訓練の知らせを送れません。"
    for name, severity in in_force:
        if severity.rank >= Severity.SEVERE.rank:
            return f"「{name}」が出ている間は、訓練の知らせを送れません。"
    return ""
