"""Invented values: one for each real one, of the same writing, drawn by a secret key and by nothing else.

The draw is an HMAC of the real value, so that a run gives the same bytes when it is resumed, and nobody without its key
can work out who is behind an invented name by trying names.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from paracosm.records.pii.check_digits import (
    iban_is_valid,
    luhn_is_valid,
    nhs_is_valid,
    with_iban_check,
    with_luhn,
    with_nhs_check,
)
from paracosm.records.pii.lexicon.name_lists import LOCALES, name_lists
from paracosm.records.pii.lexicon.name_parts import like
from paracosm.records.schema.identifier_pattern import CAPITALS, DIGITS, SMALL

WEEKS = 52
"""Dates of a subject move by at most so many weeks, back or forth; by whole ones, so that weekdays stay."""
MOST_DRAWS = 64
AREA = re.compile(r"1?[2-9]\d{9}")
HEX = "0123456789abcdef"
EXTENSION = re.compile(r" ?(?:x|ext\.?) ?\d+$", re.IGNORECASE)
MAIL_PART = re.compile(r"[^\W\d_]+|\d+")


class Pseudonyms:
    """Invented values under one key.

    Args:
        salt: the key; whoever has it and guesses a real value can work out the invented one.
        language: of the invented names and addresses.
        taken: kind -> the real values of it, in `canonical` form: no other value is ever invented as one of them.
    """

    def __init__(self, salt: bytes, language: str, taken: Mapping[str, set[str]]):
        self._salt = salt
        self._lists = name_lists(language)
        self._locale = LOCALES[language]
        self._taken = {kind: set(values) for kind, values in taken.items()}
        self._invented: dict[tuple[str, str], str] = {}

    def days(self, subject: str) -> int:
        """Return by how many days the dates of a subject move; never 0."""
        weeks = self._number("days", subject) % (2 * WEEKS) - WEEKS
        return 7 * (weeks if weeks < 0 else weeks + 1)

    def given(self, scope: str, name: str, gender: str | None, forbidden: set[str]) -> str:
        """Return a given name that is none of `forbidden`; of the gender of `name` where that is known."""
        gender = gender or self._lists.gender(name)
        if gender is None:
            gender = ("female", "male")[self._number("gender", scope) % 2]
        pool = self._lists.female if gender == "female" else self._lists.male
        return self._drawn(pool, ("given", scope, name.casefold()), forbidden)

    def family(self, scope: str, name: str, forbidden: set[str]) -> str:
        """Return a family name that is none of `forbidden`."""
        return self._drawn(self._lists.family, ("family", scope, name.casefold()), forbidden)

    def initial(self, scope: str, letter: str) -> str:
        """Return a letter for an initial that stands for no known name."""
        return CAPITALS[self._number("initial", scope, letter.casefold()) % 26]

    def place(self, text: str) -> str:
        """Return a town."""
        return like(self._faked("city", text), text)

    def address(self, text: str) -> str:
        """Return an address: a street and number, with town and postcode where `text` has commas or lines for them."""
        long = "\n" in text or text.count(",") > 1
        made = self._faked("address" if long else "street_address", text)
        return made.replace("\n", "\n" if "\n" in text else ", ")

    def postcode(self, text: str) -> str:
        """Return a postcode of the same writing."""
        return _written_like(self._letters(canonical("postcode", text), ("postcode",), 0), text)

    def email(self, text: str, names: Mapping[str, str]) -> str:
        """Return an address at a domain that is reserved for examples, with the invented names where it holds the real ones.

        Args:
            text: the real address.
            names: the subject's real names, case-folded -> the invented ones.
        """
        key = ("email", canonical("email", text))
        if key not in self._invented:
            local, made = text.partition("@")[0], ""
            for attempt in range(MOST_DRAWS):
                made = f"{self._local_part(local, names, attempt)}@example.{self._domain(text)}"
                if self._is_free("email", made):
                    break
            self._keep(key, made)
        return self._invented[key]

    def identifier(self, kind: str, text: str) -> str:
        """Return an identifier of the same kind and writing, with check digits where `text` has them; two never share one."""
        if kind == "phone" and (extension := EXTENSION.search(text)):
            before, after = text[: extension.start()], extension.group()
            return self.identifier(kind, before) + _written_like(self._letters(after, (kind, text), 0), after)
        known = canonical(kind, text)
        if not known:
            return text
        if (kind, known) not in self._invented:
            self._keep((kind, known), self._free(kind, known))
        new = self._invented[kind, known]
        if kind == "url":
            scheme = re.match(r"https?://", text)
            return f"{scheme.group() if scheme else ''}{new}"
        return new if kind == "ip" else _written_like(new, text)

    def _free(self, kind: str, known: str) -> str:
        for attempt in range(MOST_DRAWS):
            if self._is_free(kind, made := self._draw(kind, known, attempt)):
                return made
        # So many values of this length are real ones or given away that the new one is longer.
        longer = known
        while True:
            longer += "0"
            for attempt in range(MOST_DRAWS):
                if self._is_free(kind, made := self._letters(longer, (kind, known), attempt)):
                    return made

    def _draw(self, kind: str, known: str, attempt: int) -> str:
        where = (kind, known)
        if kind == "phone" and AREA.fullmatch(known):
            # 555-0100 to 555-0199 are kept free for fiction.
            number = self._number(*where, attempt)
            return f"{known[:-10]}{2 + number % 8}{number // 8 % 9}{number // 72 % 10}55501{number // 720 % 100:02d}"
        if kind == "phone":
            return known[:2] + self._letters(known[2:], where, attempt)
        if kind == "card" and known.isdecimal():
            made = known[0] + self._letters(known[1:], where, attempt)
            return with_luhn(made[:-1]) if luhn_is_valid(known) else made
        if kind == "bank_account" and iban_is_valid(known):
            country = known[:2].upper()
            return with_iban_check(country, self._letters(known[4:].upper(), where, attempt))
        if kind == "ip":
            return self._network_address(known, attempt)
        if kind == "url":
            return f"www.example.{self._domain(known)}/{self._number(*where, attempt) % 16**8:08x}"
        if kind == "national_id":
            return self._national(known, attempt)
        return self._letters(known, where, attempt)

    def _national(self, known: str, attempt: int) -> str:
        where = ("national_id", known)
        if len(known) == 9 and known.isdecimal():
            # Social security numbers never begin with 9.
            return f"9{self._letters(known[1:], where, attempt)}"
        made = self._letters(known, where, attempt)
        if nhs_is_valid(known):
            return with_nhs_check(made[:9]) or self._national(known, attempt + MOST_DRAWS)
        return with_luhn(made[:-1]) if luhn_is_valid(known) else made

    def _network_address(self, known: str, attempt: int) -> str:
        number = self._number("ip", known, attempt)
        if "." in known:
            # 198.18.0.0/15 is set aside for measurements (RFC 2544), 2001:db8::/32 for documents (RFC 3849).
            return f"198.{18 + number % 2}.{number // 2 % 256}.{number // 512 % 254 + 1}"
        pairs = f"{number % 16**10:010x}"
        if re.fullmatch(r"(?:[\da-f]{2}[:-]){5}[\da-f]{2}", known):
            return known[2].join(["02", *(pairs[at : at + 2] for at in range(0, 10, 2))])
        return f"2001:db8::{pairs[:4]}:{pairs[4:8]}"

    def _letters(self, known: str, where: tuple[str, ...], attempt: int) -> str:
        """Return `known` with other digits, and other letters where they are more than a prefix of the digits."""
        body = re.sub(r"^\D+", "", known)
        mixed = not body or sum(map(str.isalpha, body)) > 2
        stream = self._stream((*where, str(attempt)), len(known))
        is_hex = len(known) >= 8 and set(known.lower()) <= {*HEX, "-"}
        new = []
        for place, (letter, drawn) in enumerate(zip(known, stream, strict=True)):
            if letter.isdecimal():
                # A number keeps its length when it is read as one.
                first = place == 0 and letter != "0" and known.isdecimal()
                new.append(DIGITS[1 + drawn % 9] if first else DIGITS[drawn % 10])
            elif not mixed or not letter.isalpha():
                new.append(letter)
            else:
                alphabet = HEX[10:] if is_hex else SMALL
                chosen = alphabet[drawn % len(alphabet)]
                new.append(chosen.upper() if letter.isupper() else chosen)
        return "".join(new)

    def _local_part(self, local: str, names: Mapping[str, str], attempt: int) -> str:
        def other(match: re.Match[str]) -> str:
            part = match.group()
            if part.isdecimal():
                return self._letters(part, ("mail", local), attempt)
            if part.casefold() in names:
                return like(names[part.casefold()].lower(), part)
            joined = _joined(part.casefold(), names)
            return (
                joined
                or self._lists.family[
                    self._number("mail", part.casefold(), attempt) % len(self._lists.family)
                ].lower()
            )

        made = MAIL_PART.sub(other, local)
        return made if attempt == 0 else f"{made}{self._number('mail', local, attempt) % 10000}"

    def _domain(self, text: str) -> str:
        return ("com", "net", "org")[self._number("domain", text.rpartition("@")[2].casefold()) % 3]

    def _faked(self, what: str, text: str) -> str:
        faker = _faker(self._locale)
        known, made = canonical("address", text), ""
        for attempt in range(MOST_DRAWS):
            faker.seed_instance(self._number(what, known, attempt))
            made = str(getattr(faker, what)())
            if canonical("address", made) != known:
                break
        return made

    def _drawn(self, pool: tuple[str, ...], where: tuple[str, ...], forbidden: set[str]) -> str:
        made = pool[0]
        for attempt in range(MOST_DRAWS):
            made = pool[self._number(*where, attempt) % len(pool)]
            if made.casefold() not in forbidden:
                break
        return made

    def _is_free(self, kind: str, made: str) -> bool:
        return canonical(kind, made) not in self._taken.setdefault(kind, set())

    def _keep(self, key: tuple[str, str], made: str) -> None:
        self._invented[key] = made
        self._taken.setdefault(key[0], set()).add(canonical(key[0], made))

    def _number(self, *where: object) -> int:
        return int.from_bytes(self._digest(where)[:12], "big")

    def _stream(self, where: tuple[str, ...], count: int) -> bytes:
        """Return `count` bytes below 250, of which each digit is as likely."""
        found, block = b"", 0
        while len(found) < count:
            found += bytes(each for each in self._digest((*where, block)) if each < 250)
            block += 1
        return found[:count]

    def _digest(self, where: tuple[object, ...]) -> bytes:
        return hmac.digest(self._salt, repr(where).encode(), hashlib.sha256)


def canonical(kind: str, text: str) -> str:
    """Return what two writings of one value have in common: the digits of a phone number, the letters of an account."""
    if kind in ("ip", "url", "email"):
        return re.sub(r"^https?://", "", text.strip().lower())
    if kind == "record_id":
        # `A-1` and `A1` may be two people.
        return "".join(text.split())
    kept = "".join(letter for letter in text if letter.isalnum()).casefold()
    return kept[1:] if kind == "phone" and len(kept) == 11 and kept[0] == "1" else kept


def _written_like(new: str, old: str) -> str:
    """Return the letters and digits of `new` with the punctuation, spaces and capitals of `old`."""
    fresh, out = [letter for letter in new if letter.isalnum()], []
    places = [place for place, letter in enumerate(old) if letter.isalnum()]
    # A country code that `canonical` left out stays.
    surplus = places[: max(0, len(places) - len(fresh))]
    for place, letter in enumerate(old):
        if not letter.isalnum() or place in surplus:
            out.append(letter)
        else:
            one = fresh.pop(0)
            out.append(one.upper() if letter.isupper() else one.lower() if letter.islower() else one)
    return "".join([*out, *fresh])


def _joined(part: str, names: Mapping[str, str]) -> str | None:
    """Return the invented form of a mail name such as `jsmith` or `johnsmith`, or None when it holds no known name."""
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
