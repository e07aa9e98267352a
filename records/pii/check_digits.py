"""Check digits: whether a number carries them rightly, and numbers completed with theirs."""


def luhn_is_valid(digits: str) -> bool:
    """Return whether the last digit is right by ISO/IEC 7812-1, annex B (cards, IMEI, NPI)."""
    return len(digits) > 1 and digits.isdecimal() and with_luhn(digits[:-1]) == digits


def with_luhn(body: str) -> str:
    """Return `body` followed by its check digit by ISO/IEC 7812-1, annex B."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        doubled = int(letter) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{body}{-total % 10}"


def iban_is_valid(text: str) -> bool:
    """Return whether an account number carries its check digits rightly by ISO 13616 (modulo 97)."""
    letters = "".join(text.split()).upper()
    if not (15 <= len(letters) <= 34 and letters.isalnum() and letters.isascii() and letters[:2].isalpha()):
        return False
    return letters[2:4].isdecimal() and _remainder(letters[4:] + letters[:4]) == 1


def with_iban_check(country: str, account: str) -> str:
    """Return the IBAN of a country and an account by ISO 13616."""
    return f"{country}{98 - _remainder(f'{account}{country}00'):02d}{account}"


def nhs_is_valid(digits: str) -> bool:
    """Return whether ten digits are an NHS number: the last one is a weighted sum modulo 11."""
    return len(digits) == 10 and digits.isdecimal() and with_nhs_check(digits[:9]) == digits


def with_nhs_check(body: str) -> str | None:
    """Return nine digits with their check digit, or None where that would be 10, which is never issued."""
    check = -sum(int(letter) * (10 - place) for place, letter in enumerate(body)) % 11
    return None if check == 10 else f"{body}{check}"


def _remainder(letters: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in letters)) % 97
