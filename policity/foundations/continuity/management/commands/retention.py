"""`policity retention [--now]`: how long what is known of persons is kept, and what is due."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from policity.foundations.continuity.rules.retention import periods
from policity.foundations.continuity.services import fading


class Command(BaseCommand):
    help = "個人について分かっていることを、いつまで残すかを表示します"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="過ぎたものを、いま消します")

    def handle(self, *args: Any, now: bool, **_: Any) -> None:
        at = timezone.now()
        due = fading.to_fade(now=at)
        for kind, period in periods().items():
            kept = f"{period.what}：{period.keeps.days}日（{period.why}）"
            self.stdout.write(f"{kept}。過ぎたもの：{due[kind]:,}")
        if not now:
            return
        counts: Counter[str] = Counter()
        while (piece := fading.fade_piece(now=at))[1]:
            counts[piece[0]] += piece[1]
        fading.note_faded(dict(counts), now=at)
        self.stdout.write(f"消しました：{sum(counts.values()):,}")
