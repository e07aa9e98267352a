"""Countries, and the states of the United States: too large to name a person, so they are no places here."""

import importlib
from functools import cache

from paracosm.records.pii.lexicon.name_lists import LOCALES


@cache
def countries_and_states(language: str) -> frozenset[str]:
    """Return their names in a language, case-folded."""
    american = importlib.import_module("faker.providers.address.en_US").Provider
    found = {
        *american.states,
        *american.states_abbr,
        "US",
        "USA",
        "U.S.",
        "U.S.A.",
        "UK",
        "U.K.",
        "America",
        "England",
    }
    for locale in {LOCALES[language], "en_US"}:
        provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        found |= set(getattr(provider, "countries", ())) | set(getattr(provider, "alpha_3_country_codes", ()))
    return frozenset(str(each).casefold() for each in found) | frozenset(
        f"the {name}"
        for name in ("united states", "united kingdom", "usa", "us", "uk", "netherlands", "philippines")
    )
