"""Check digits of cards, bank accounts and NHS numbers: validation and computation."""


def luhn_is_valid(digits: str) -> bool:
    """Return whether the last digit is the Luhn check digit (ISO/IEC 7812-1, annex B: cards, IMEI, NPI)."""
    return len(digits) > 1 and digits.isdecimal() and with_luhn(digits[:-1]) == digits


def with_luhn(body: str) -> str:
    """Return `body` followed by its Luhn check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for index, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if index % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{body}{-total % 10}"


def iban_is_valid(text: str) -> bool:
    """Return whether an account number is a valid IBAN (ISO 13616, modulo 97)."""
    letters = "".join(text.split()).upper()
    if not (15 <= len(letters) <= 34 and letters.isalnum() and letters.isascii() and letters[:2].isalpha()):
        return False
    return letters[2:4].isdecimal() and _remainder(letters[4:] + letters[:4]) == 1


def with_iban_check(country: str, account: str) -> str:
    """Return the IBAN of an account in a country, with its check digits (ISO 13616)."""
    return f"{country}{98 - _remainder(f'{account}{country}00'):02d}{account}"


def nhs_is_valid(digits: str) -> bool:
    """Return whether ten digits are a valid NHS number: the last digit is a weighted sum modulo 11."""
    return len(digits) == 10 and digits.isdecimal() and with_nhs_check(digits[:9]) == digits


def with_nhs_check(body: str) -> str | None:
    """Return nine digits with their check digit, or None if it would be 10: such numbers are never issued."""
    check = -sum(int(digit) * (10 - index) for index, digit in enumerate(body)) % 11
    return None if check == 10 else f"{body}{check}"


def _remainder(letters: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in letters)) % 97
