"""Lists of given and family names, from the package Faker (MIT), to recognize names and to draw replacements from."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

LOCALES = {
    "en": "en_US",
    "de": "de_DE",
    "es": "es_ES",
    "fr": "fr_FR",
    "it": "it_IT",
    "nl": "nl_NL",
    "pt": "pt_BR",
}
SHORTEST = 3
"""Letters of the shortest name that is listed."""


@dataclass(frozen=True)
class NameLists:
    """Lists of names.

    Attributes:
        female: female given names of one language, to draw from.
        male: male given names of that language.
        family: family names of that language.
        known_female: female given names of all languages, case-folded, to look up.
        known_male: male given names of all languages.
        known_given: given names of all languages.
        known_family: family names of all languages.
    """

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    known_female: frozenset[str]
    known_male: frozenset[str]
    known_given: frozenset[str]
    known_family: frozenset[str]

    def is_known(self, word: str) -> bool:
        """Return whether a word is a given or a family name in any language."""
        return (small := word.casefold()) in self.known_given or small in self.known_family

    def is_rather_given(self, word: str) -> bool:
        """Return whether a word that stands alone is more likely a given name than a family name."""
        small = word.casefold()
        if small in self.common_given or small in self.common_family:
            return small in self.common_given
        return small in self.known_given

    def gender(self, word: str) -> str | None:
        """Return `female` or `male` if a given name is used for one gender only, else None."""
        small = word.casefold()
        if (small in self.known_female) == (small in self.known_male):
            return None
        return "female" if small in self.known_female else "male"

    @cached_property
    def common_given(self) -> frozenset[str]:
        """Given names of the one language, case-folded."""
        return frozenset(name.casefold() for name in (*self.female, *self.male))

    @cached_property
    def common_family(self) -> frozenset[str]:
        """Family names of the one language, case-folded."""
        return frozenset(name.casefold() for name in self.family)


@cache
def name_lists(language: str) -> NameLists:
    """Return the lists of a language, one of the keys of `LOCALES`."""
    import faker.providers.person as person

    own = importlib.import_module(f"{person.__name__}.{LOCALES[language]}").Provider
    female, male, given, family = set(), set(), set(), set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        female |= _folded(provider, "first_names_female")
        male |= _folded(provider, "first_names_male")
        given |= _folded(provider, "first_names")
        for family_list in ("last_names", "last_names_male", "last_names_female"):
            family |= _folded(provider, family_list)
    return NameLists(
        female=_plain(own, "first_names_female"),
        male=_plain(own, "first_names_male"),
        family=_plain(own, "last_names"),
        known_female=frozenset(female),
        known_male=frozenset(male),
        known_given=frozenset(female | male | given),
        known_family=frozenset(family),
    )


def _entries(provider: Any, attribute: str) -> list[str]:
    names = getattr(provider, attribute, ())
    # Some languages compute a list when a provider is instantiated; those are left out.
    return [] if isinstance(names, property) else [str(name) for name in names]


def _folded(provider: Any, attribute: str) -> set[str]:
    """Return the words of all names of a list, case-folded."""
    return {
        word.casefold()
        for name in _entries(provider, attribute)
        for word in name.replace("-", " ").split()
        if len(word) >= SHORTEST and word.isalpha()
    }


def _plain(provider: Any, attribute: str) -> tuple[str, ...]:
    """Return the names of a list that are single words, sorted, so that a draw depends on the list alone."""
    names = {name for name in _entries(provider, attribute) if name.isalpha() and len(name) >= SHORTEST}
    return tuple(sorted(names))
