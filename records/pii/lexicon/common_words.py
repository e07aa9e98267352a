"""Frequent words of a language, which are not a name unless a list of names has them too."""

import importlib
from functools import cache

from paracosm.records.pii.lexicon.name_lists import LOCALES


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text that blanks separate."""
    return frozenset(text.split())


ENGLISH = word_set(
    """
    acute admission admitted age aged agreed alert also appointment arrives arrived asked assessment attending back billing
    bilateral called cardiology chart chronic clinic comes complains consult consulted continue daily date daughter denies
    department diagnosis discharge discharged discussed dr evaluation exam examined father felt follow followed gave given
    gone has history home hospital husband icu in informed kept last left lives md meets met mother mr mrs ms neurology new
    notes notified nurse on oncology ordered orthopedics pain patient pediatrics phone plan presents previous prior psychiatry
    put ran received recommended referral referred reports result results return returns reviewed right said saw says seen sent
    signed since sister sleeps son spoke staff stable stated states status surgery surgical symptoms test tests then therapist
    therapy thinks today told tomorrow tonight took treatment unknown urology visit visits wants was well went wife will
    yesterday practitioner assistant manager station name names number id address account complaint attorney fees general
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december weekend ago years months weeks days morning afternoon evening night noon
    contract section article exhibit schedule notice title chapter clause paragraph page item appendix annex party
    female male caucasian hispanic advocate safety rating scale anxiety shall both parties lessee lessor borrower lender tenant landlord
    client licensor licensee franchisee franchisor customer supplier distributor consultant agency contractor reseller recipient
    discloser seller buyer purchaser manufacturer provider publisher sponsor developer investor owner holder trustee guarantor
    establishment exploit exemplary negligence joint parent subsidiary affiliate effective whereas therefore
    overnight meanwhile regardless additionally tonight thanks sorry hello okay yes
    healthy alive deceased negative positive unremarkable noncontributory cancer stroke diabetes asthma hypertension
    """
)
"""Words of notes, contracts and complaints that are not among the most frequent ones."""


@cache
def common_words(language: str) -> frozenset[str]:
    """Return the frequent words of a language, case-folded: stop words of spaCy, words of Faker's sample texts, and `ENGLISH`."""
    stop_words = importlib.import_module(f"spacy.lang.{language}.stop_words").STOP_WORDS
    try:
        sample = importlib.import_module(f"faker.providers.lorem.{LOCALES[language]}").Provider.word_list
    except ModuleNotFoundError:
        sample = ()  # Faker has no sample text in every language
    own = ENGLISH if language == "en" else ()
    return frozenset(str(word).casefold() for word in (*stop_words, *sample, *own))


def is_common(word: str, language: str) -> bool:
    """Return whether a word, or its form without a plural `s`, is a frequent word of a language."""
    words, small = common_words(language), word.casefold()
    return small in words or (language == "en" and small.removesuffix("s") in words)
