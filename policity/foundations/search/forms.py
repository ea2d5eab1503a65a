"""What an address asks of the search."""

from django import forms

from policity.foundations.search.formats.finding import Facets
from policity.foundations.search.queries import DEEPEST
from policity.foundations.search.rules.asking import LONGEST


class SearchForm(forms.Form):
    """What was typed, and what it is narrowed to. Whatever makes no sense is left out."""

    q = forms.CharField(required=False)
    kind = forms.CharField(required=False, max_length=100)
    section = forms.CharField(required=False, max_length=100)
    year = forms.IntegerField(required=False, min_value=1900, max_value=9999)
    p = forms.IntegerField(required=False, min_value=1, max_value=DEEPEST)

    def clean_q(self) -> str:
        """As much of it as is read."""
        return " ".join(str(self.cleaned_data["q"]).split())[:LONGEST]

    @property
    def typed(self) -> str:
        """What was typed."""
        return str(self.cleaned_data.get("q") or "")

    @property
    def within(self) -> Facets:
        """What it is narrowed to."""
        said = self.cleaned_data
        return Facets(said.get("kind") or "", said.get("section") or "", said.get("year") or 0)

    @property
    def page(self) -> int:
        """Which page of what was found."""
        return int(self.cleaned_data.get("p") or 1)
