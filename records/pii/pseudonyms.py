"""Pseudonyms: one invented value for each real one, in the same notation, drawn under a secret key.

The draw is an HMAC of the real value. A resumed run therefore gives the same bytes, and nobody without the key can find out who
is behind an invented name by trying names.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from paracosm.records.formats.identifier_pattern import CAPITALS
from paracosm.records.pii.check_digits import (
    iban_is_valid,
    luhn_is_valid,
    nhs_is_valid,
    with_iban_check,
    with_luhn,
    with_nhs_check,
)
from paracosm.records.pii.keyed_random import KeyedRandom
from paracosm.records.pii.lexicon.name_lists import LOCALES, name_lists
from paracosm.records.pii.lexicon.name_parts import match_case

WEEKS = 52
"""Most weeks by which the dates of a subject move, back or forth. Whole weeks keep the weekday."""
MOST_DRAWS = 64
"""Attempts to draw a value that is free, before a longer one is drawn."""
NORTH_AMERICAN_PHONE = re.compile(r"1?[2-9]\d{9}")
IBAN_FORM = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
EXTENSION = re.compile(r" ?(?:x|ext\.?) ?\d+$", re.IGNORECASE)
UNIT = re.compile(
    r"(?P<before>,? (?:(?:Apt|Apartment|Suite|Ste|Unit|Floor|Room|Rm)\.? ?#?|#))(?P<number>\w{1,6})\b",
    re.IGNORECASE,
)
"""The part of an address inside a building."""
MAIL_PART = re.compile(r"[^\W\d_]+|\d+")


class Pseudonyms:
    """Invented values under one key.

    Args:
        salt: the key. Whoever has it and guesses a real value can compute the invented one.
        language: language of the invented names and addresses.
        taken: kind -> the real values in `canonical` form; an invented value never equals one of them.
    """

    def __init__(self, salt: bytes, language: str, taken: Mapping[str, set[str]]):
        self._random = KeyedRandom(salt)
        self._lists = name_lists(language)
        self._locale = LOCALES[language]
        self._taken = {kind: set(values) for kind, values in taken.items()}
        self._invented: dict[tuple[str, str], str] = {}

    def days(self, subject: str) -> int:
        """Return the number of days by which the dates of a subject move: a multiple of 7, never 0."""
        weeks = self._random.number("days", subject) % (2 * WEEKS) - WEEKS
        return 7 * (weeks if weeks < 0 else weeks + 1)

    def given(self, scope: str, name: str, gender: str | None, forbidden: set[str]) -> str:
        """Return a given name that is not in `forbidden`, of the gender of `name` if it is known."""
        gender = gender or self._lists.gender(name)
        if gender is None:
            gender = ("female", "male")[self._random.number("gender", scope) % 2]
        pool = self._lists.female if gender == "female" else self._lists.male
        return self._drawn(pool, ("given", scope, name.casefold()), forbidden)

    def family(self, scope: str, name: str, forbidden: set[str]) -> str:
        """Return a family name that is not in `forbidden`."""
        return self._drawn(self._lists.family, ("family", scope, name.casefold()), forbidden)

    def initial(self, scope: str, letter: str) -> str:
        """Return a letter for an initial of an unknown name."""
        return CAPITALS[self._random.number("initial", scope, letter.casefold()) % 26]

    def place(self, text: str) -> str:
        """Return the name of a town, in the letter case of `text`."""
        return match_case(self._faked("city", text), text)

    def address(self, text: str) -> str:
        """Return a street and number, with town and postcode if `text` has several lines or several commas."""
        long = "\n" in text or text.count(",") > 1
        address = UNIT.sub("", self._faked("address" if long else "street_address", text))
        if unit := UNIT.search(text):
            street, comma, rest = address.replace("\n", ",\n").partition(",")
            digits = self._random.characters(unit.group("number"), ("unit", text), 0)
            address = f"{street}{unit.group('before')}{digits}{comma}{rest}".replace(",\n", "\n")
        return address.replace("\n", "\n" if "\n" in text else ", ") + ("." if text.endswith(".") else "")

    def postcode(self, text: str) -> str:
        """Return a postcode in the same notation."""
        real = canonical("postcode", text)
        return _in_notation_of(text, self._random.characters(real, ("postcode", real), 0))

    def email(self, text: str, names: Mapping[str, str]) -> str:
        """Return an e-mail address at a domain reserved for examples, in which invented names replace real names.

        Args:
            text: the real address.
            names: case-folded real names of the subject -> the invented ones.
        """
        key = ("email", canonical("email", text))
        if key not in self._invented:
            local, address = text.partition("@")[0], ""
            for attempt in range(MOST_DRAWS):
                address = f"{self._local_part(local, names, attempt)}@example.{self._domain(text)}"
                if self._is_free("email", address):
                    break
            self._remember(key, address)
        return self._invented[key]

    def identifier(self, kind: str, text: str) -> str:
        """Return an identifier of the same kind and notation, with valid check digits if those of `text` are valid.

        Two different identifiers never get the same replacement.
        """
        if kind == "phone" and (extension := EXTENSION.search(text)):
            number, suffix = text[: extension.start()], extension.group()
            new_suffix = self._random.characters(suffix, (kind, text), 0)
            return self.identifier(kind, number) + _in_notation_of(suffix, new_suffix)
        real = canonical(kind, text)
        if not real:
            return text
        if (kind, real) not in self._invented:
            self._remember((kind, real), self._draw_free(kind, real))
        new = self._invented[kind, real]
        if kind == "url":
            scheme = re.match(r"https?://", text)
            return f"{scheme.group() if scheme else ''}{new}"
        return new if kind == "ip" else _in_notation_of(text, new)

    def minted(self, kind: str, model: str) -> str:
        """Return a number of a kind in the notation of `model`, with check digits; unlike `identifier`, it remembers nothing."""
        real = canonical(kind, model)
        if kind == "bank_account" and IBAN_FORM.fullmatch(real.upper()):
            new = with_iban_check(real[:2].upper(), real[4:].upper())
        elif kind == "card" and real.isdecimal():
            new = with_luhn(real[:-1])
        else:
            new = self._draw(kind, real, 0)
        return new if kind in ("ip", "url") else _in_notation_of(model, new)

    def street(self, provider: str, *purpose: object) -> str:
        """Return what a provider of Faker makes: `street_name`, `street_address`, or `address` with town and postcode."""
        faker = _faker(self._locale)
        faker.seed_instance(self._random.number(provider, *purpose))
        return str(getattr(faker, provider)()).replace("\n", ", ")

    def _draw_free(self, kind: str, real: str) -> str:
        for attempt in range(MOST_DRAWS):
            if self._is_free(kind, drawn := self._draw(kind, real, attempt)):
                return drawn
        # Nearly all values of this length are real or used already, so the new value is longer.
        longer = real
        while True:
            longer += "0"
            for attempt in range(MOST_DRAWS):
                if self._is_free(kind, drawn := self._random.characters(longer, (kind, real), attempt)):
                    return drawn

    def _draw(self, kind: str, real: str, attempt: int) -> str:
        purpose = (kind, real)
        if kind == "phone" and NORTH_AMERICAN_PHONE.fullmatch(real):
            # 555-0100 to 555-0199 are reserved for fiction.
            number = self._random.number(*purpose, attempt)
            return f"{real[:-10]}{2 + number % 8}{number // 8 % 9}{number // 72 % 10}55501{number // 720 % 100:02d}"
        if kind == "phone":
            return real[:2] + self._random.characters(real[2:], purpose, attempt)
        if kind == "card" and real.isdecimal():
            drawn = real[0] + self._random.characters(real[1:], purpose, attempt)
            return with_luhn(drawn[:-1]) if luhn_is_valid(real) else drawn
        if kind == "bank_account" and iban_is_valid(real):
            country = real[:2].upper()
            return with_iban_check(country, self._random.characters(real[4:].upper(), purpose, attempt))
        if kind == "ip":
            return self._network_address(real, attempt)
        if kind == "url":
            return f"www.example.{self._domain(real)}/{self._random.number(*purpose, attempt) % 16**8:08x}"
        if kind == "national_id":
            return self._national_id(real, attempt)
        return self._random.characters(real, purpose, attempt)

    def _national_id(self, real: str, attempt: int) -> str:
        purpose = ("national_id", real)
        if len(real) == 9 and real.isdecimal():
            # US social security numbers never begin with 9.
            drawn = self._random.characters(real[1:], purpose, attempt)
            # A 9 and then a fourth digit of 5 or more may be a tax number (ITIN).
            return f"9{drawn[:2]}{int(drawn[2]) % 5}{drawn[3:]}"
        drawn = self._random.characters(real, purpose, attempt)
        if nhs_is_valid(real):
            return with_nhs_check(drawn[:9]) or self._national_id(real, attempt + MOST_DRAWS)
        return with_luhn(drawn[:-1]) if luhn_is_valid(real) else drawn

    def _network_address(self, real: str, attempt: int) -> str:
        number = self._random.number("ip", real, attempt)
        if "." in real:
            # 198.18.0.0/15 is reserved for benchmarks (RFC 2544), 2001:db8::/32 for documentation (RFC 3849).
            return f"198.{18 + number % 2}.{number // 2 % 256}.{number // 512 % 254 + 1}"
        pairs = f"{number % 16**10:010x}"
        if re.fullmatch(r"(?:[\da-f]{2}[:-]){5}[\da-f]{2}", real):
            return real[2].join(["02", *(pairs[at : at + 2] for at in range(0, 10, 2))])
        return f"2001:db8::{pairs[:4]}:{pairs[4:8]}"

    def _local_part(self, local: str, names: Mapping[str, str], attempt: int) -> str:
        def replacement(match: re.Match[str]) -> str:
            part = match.group()
            if part.isdecimal():
                return self._random.characters(part, ("mail", local), attempt)
            if part.casefold() in names:
                return match_case(names[part.casefold()].lower(), part)
            if joined := _joined_names(part.casefold(), names):
                return joined
            index = self._random.number("mail", part.casefold(), attempt) % len(self._lists.family)
            return self._lists.family[index].lower()

        new = MAIL_PART.sub(replacement, local)
        return new if attempt == 0 else f"{new}{self._random.number('mail', local, attempt) % 10000}"

    def _domain(self, text: str) -> str:
        return ("com", "net", "org")[self._random.number("domain", text.rpartition("@")[2].casefold()) % 3]

    def _faked(self, provider: str, text: str) -> str:
        """Return what a provider of Faker (a method such as `city`) makes, other than `text`."""
        faker = _faker(self._locale)
        real, fake = canonical("address", text), ""
        for attempt in range(MOST_DRAWS):
            faker.seed_instance(self._random.number(provider, real, attempt))
            fake = str(getattr(faker, provider)())
            if canonical("address", fake) != real:
                break
        return fake

    def _drawn(self, pool: tuple[str, ...], purpose: tuple[str, ...], forbidden: set[str]) -> str:
        name = pool[0]
        for attempt in range(MOST_DRAWS):
            name = pool[self._random.number(*purpose, attempt) % len(pool)]
            if name.casefold() not in forbidden:
                break
        return name

    def _is_free(self, kind: str, value: str) -> bool:
        return canonical(kind, value) not in self._taken.setdefault(kind, set())

    def _remember(self, key: tuple[str, str], value: str) -> None:
        self._invented[key] = value
        self._taken.setdefault(key[0], set()).add(canonical(key[0], value))


def canonical(kind: str, text: str) -> str:
    """Return the form that all notations of a value share: the digits of a phone number, the letters of an account."""
    if kind in ("ip", "url", "email"):
        return re.sub(r"^https?://", "", text.strip().lower())
    if kind == "record_id":
        # `A-1` and `A1` may be two people.
        return "".join(text.split())
    plain = "".join(letter for letter in text if letter.isalnum()).casefold()
    return plain[1:] if kind == "phone" and len(plain) == 11 and plain[0] == "1" else plain


def _in_notation_of(old: str, new: str) -> str:
    """Return the letters and digits of `new` with the punctuation, spaces and capitals of `old`."""
    characters, written = [letter for letter in new if letter.isalnum()], []
    indices = [index for index, letter in enumerate(old) if letter.isalnum()]
    # A country code that `canonical` left out stays.
    surplus = indices[: max(0, len(indices) - len(characters))]
    for index, letter in enumerate(old):
        if not letter.isalnum() or index in surplus:
            written.append(letter)
        else:
            character = characters.pop(0)
            written.append(
                character.upper()
                if letter.isupper()
                else character.lower()
                if letter.islower()
                else character
            )
    return "".join([*written, *characters])


def _joined_names(part: str, names: Mapping[str, str]) -> str | None:
    """Return the invented form of a local part such as `jsmith` or `johnsmith`, or None if it holds no known name."""
    for real, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
        if len(real) > 2 and part.endswith(real):
            before = part.removesuffix(real)
            if before in names:
                return f"{names[before]}{new}".lower()
            initial = next(
                (names[other][0] for other in names if before and other.startswith(before)), before[:1]
            )
            return f"{initial if before else ''}{new}".lower()
    return None


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)
