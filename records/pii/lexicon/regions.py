"""Names of countries and US states, which are too large to identify a person and are therefore not personal data."""

import importlib
from functools import cache

from paracosm.records.pii.lexicon.name_lists import LOCALES


@cache
def countries_and_states(language: str) -> frozenset[str]:
    """Return the names of countries and US states in a language and in English, case-folded."""
    american = importlib.import_module("faker.providers.address.en_US").Provider
    names = {
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
        names |= set(getattr(provider, "countries", ())) | set(getattr(provider, "alpha_3_country_codes", ()))
    return frozenset(str(name).casefold() for name in names) | frozenset(
        f"the {name}"
        for name in ("united states", "united kingdom", "usa", "us", "uk", "netherlands", "philippines")
    )


@cache
def countries() -> frozenset[str]:
    """Return the English names of countries, as addresses have them."""
    american = importlib.import_module("faker.providers.address.en_US").Provider
    return frozenset(american.countries) | {
        "USA",
        "UK",
        "England",
        "Scotland",
        "Wales",
        "Czech Republic",
        "Greenland",
    }


@cache
def states() -> frozenset[str]:
    """Return the abbreviations of the states of the United States."""
    american = importlib.import_module("faker.providers.address.en_US").Provider
    return frozenset(american.states_abbr)
