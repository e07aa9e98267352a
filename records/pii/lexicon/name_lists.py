"""Lists of given and family names, out of the package Faker (MIT): what may be a name, and what an invented one is drawn from."""

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


@dataclass(frozen=True)
class NameLists:
    """Names of one language, to draw from; and of all languages, to look up, case-folded."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    known_female: frozenset[str]
    known_male: frozenset[str]
    known_given: frozenset[str]
    known_family: frozenset[str]

    def is_known(self, word: str) -> bool:
        """Return whether a word is somebody's name somewhere."""
        return (small := word.casefold()) in self.known_given or small in self.known_family

    def is_rather_given(self, word: str) -> bool:
        """Return whether a word that stands alone is rather a given name than a family name."""
        small = word.casefold()
        if small in self.common_given or small in self.common_family:
            return small in self.common_given
        return small in self.known_given

    def gender(self, word: str) -> str | None:
        """Return `female` or `male` where a given name tells."""
        small = word.casefold()
        if (small in self.known_female) == (small in self.known_male):
            return None
        return "female" if small in self.known_female else "male"

    @cached_property
    def common_given(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in (*self.female, *self.male))

    @cached_property
    def common_family(self) -> frozenset[str]:
        return frozenset(each.casefold() for each in self.family)


@cache
def name_lists(language: str) -> NameLists:
    """Return the lists for a language of `data.pii.language`."""
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
    found = getattr(provider, attribute, ())
    # Some languages compute a list when a provider is made; those are left out.
    return [] if isinstance(found, property) else [str(each) for each in found]


def _folded(provider: Any, attribute: str) -> set[str]:
    return {
        part.casefold()
        for each in _entries(provider, attribute)
        for part in each.replace("-", " ").split()
        if len(part) >= SHORTEST and part.isalpha()
    }


def _plain(provider: Any, attribute: str) -> tuple[str, ...]:
    """Return the single words of a list, sorted, so that a draw depends on the list alone."""
    kept = {each for each in _entries(provider, attribute) if each.isalpha() and len(each) >= SHORTEST}
    return tuple(sorted(kept))
