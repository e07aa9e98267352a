"""Hides passwords and tokens in URLs and connection strings, before a text is shown or stored.

The rules prefer to hide too much: a URL is not always written by the standard, and a password may hold any character.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

HIDDEN = "***"
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A reference to an environment variable. It is not a secret, so it stays as it is."""
VERSIONED = ("hf", "mlflow", "file")
"""Schemes (before a `+`) of URLs that may end in `@VERSION`, which is not the host after a password."""
USER_ALONE = (
    "postgresql",
    "postgres",
    "mysql",
    "mariadb",
    "mssql",
    "oracle",
    "cockroachdb",
    "redshift",
    "sqlite",
)
"""Schemes (before a `+`) in which a user without a password is the name of a person. Elsewhere it may be a token."""
SECRET = re.compile(
    r"pass|pw|secret|token|credential|auth|api.?key|access.?key|account.?key|private|signature|bearer|jwt|^sig$|^sas$|^key$",
    re.IGNORECASE,
)
"""Marks the name of a parameter as secret; also its value, where one parameter holds a whole connection string."""
FILES = ("passfile", "sslpassfile", "authenticator", "require_auth", "channel_binding", "auth_plugin")
"""Parameters whose name looks secret, and whose value is a path or a setting."""
PARAMETER = re.compile(r"(?P<start>[?&;#])(?P<name>[^=?&;#]*)(?P<equals>=?)(?P<value>[^&;#]*)")
CONNECTION_STRING = re.compile(
    r"""(?P<name>\b[\w-]{0,40}(?:password|passwd|pwd|passphrase|secret)['"]?\s{0,4}=>?\s{0,4}|['"][\w-]{0,40}(?:password|passwd|pwd|passphrase|secret)['"]\s{0,4}:\s{0,4})"""
    r"""(?P<value>\*\*\*|(?:\$\{[A-Za-z_]\w*\})+(?=[^\w$]|$)|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|\{[^}]*\}+|[^\s;&,)'"]+)""",
    re.IGNORECASE,
)
"""`password=...` of a connection string, or `'password': ...` of printed settings."""
JDBC_ORACLE = re.compile(r"(?P<start>jdbc:[a-z0-9]{1,20}:[a-z0-9]{1,20}:)[^\s/:@]+/[^\s]*@", re.IGNORECASE)
COLLAPSED = re.compile(r"(?P<start>(?<=[A-Za-z0-9]{2}):/)(?!/)[^\s/:@]{1,256}:[^\s@]{1,256}@")
"""A URL that was taken for a path, which has one slash in place of two."""
LONGEST_SCHEME = 40
CLOSING = "'\"`),.;:>]"
"""Punctuation after a URL in a sentence."""
SHORT = 4
"""Length below which a secret is replaced as a whole word only, so that the rest of a text stays readable."""


def redact_url(url: str) -> str:
    """Return a URL, path or connection string without passwords and tokens; references such as `${NAME}` stay.

    Args:
        url: the complete text of one URL, such as the value of `data.source`.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _redact_connection_string(_redact_parameters(url))
    user, host = _split_user(scheme.lower(), rest)
    shown = "" if user is None else f"{user if _is_harmless_user(scheme.lower(), user) else HIDDEN}@"
    return _redact_connection_string(f"{scheme}://{shown}{_redact_parameters(host)}")


def redact(text: str, *urls: str) -> str:
    """Return a text in which every URL and connection string is redacted.

    Args:
        text: any text, such as the message of a database driver.
        urls: URLs that the text may repeat in part; their secrets are hidden wherever they stand.
    """
    for url in urls:
        text = text.replace(url, redact_url(url))
        for secret in sorted(secrets_of(url), key=len, reverse=True):
            text = replace_value(text, secret, HIDDEN)
    if "://" in text:
        text = "".join(_redacted_parts(text))
    return _redact_connection_string(text)


def without_credentials(url: str) -> str:
    """Return a URL without user and password, such as the address of a server on a published card."""
    return redact_url(url).replace(f"{HIDDEN}@", "", 1)


def secrets_of(url: str) -> set[str]:
    """Return the secrets of a URL as they are written, percent-decoded, and in the parts that a wrong reading of the URL gives."""
    scheme, separator, rest = url.partition("://")
    secrets: set[str] = set()
    if separator:
        user, rest = _split_user(scheme.lower(), rest)
        if user is not None and not _is_harmless_user(scheme.lower(), user):
            name, colon, password = user.partition(":")
            secrets.add(password if colon else name)
    for parameter in PARAMETER.finditer(rest):
        if _is_secret(parameter["name"], parameter["value"]):
            secrets.add(parameter["value"])
    # A password with one of these characters is divided by a driver, which then names a part of it as the host.
    secrets |= {part for secret in secrets for part in re.split(r"[/?#@:]", secret) if len(part) >= SHORT}
    secrets |= {match["value"].strip("'\"") for match in CONNECTION_STRING.finditer(rest)}
    decoded = {_decoded(secret) for secret in secrets} | {unquote_plus(secret) for secret in secrets}
    return {secret for secret in secrets | decoded if secret and not _is_reference(secret)} - {HIDDEN}


def replace_value(text: str, value: str, replacement: str) -> str:
    """Return `text` with every occurrence of a value replaced; a short value only where it is a whole word."""
    if len(value) >= SHORT:
        return text.replace(value, replacement)
    return re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda _: replacement, text)


def _redacted_parts(text: str) -> Iterator[str]:
    """Yield the text between URLs, and each URL redacted."""
    end = 0
    for start in (match.start() for match in re.finditer("://", text)):
        if start < end:
            continue
        begin = max(end, start - LONGEST_SCHEME)
        scheme = re.search(r"[A-Za-z0-9+.-]*$", text[begin:start])
        begin = start - len(scheme[0]) if scheme else start
        stop = _end_of_url(text, start + 3)
        url = text[begin:stop]
        address = url.rstrip(CLOSING)
        yield text[end:begin]
        yield redact_url(address)
        yield url[len(address) :]
        end = stop
    yield text[end:]


def _end_of_url(text: str, start: int) -> int:
    """Return where a URL ends: at white space, unless a password with white space is cut there."""
    space = re.compile(r"\s").search(text, start)
    stop = space.start() if space else len(text)
    authority = re.split(r"[/?#]", text[start:stop], maxsplit=1)[0]
    _, colon, port = authority.rstrip(CLOSING).rpartition(":")
    if colon and "@" not in text[start:stop] and not port.isdigit() and not authority.startswith("["):
        line = text.find("\n", stop)
        at_sign = text.rfind("@", stop, len(text) if line < 0 else line)
        if at_sign >= 0:
            space = re.compile(r"\s").search(text, at_sign)
            stop = space.start() if space else len(text)
    return stop


def _split_user(scheme: str, rest: str) -> tuple[str | None, str]:
    """Divide what follows `://` at the `@` before the host; the first part is None if there is no user.

    A password may hold `/`, `?`, `#` and `@` that are not percent-encoded, so the last `@` counts, except where it cannot
    end a password.
    """
    if rest.startswith("/") or "@" not in rest:
        return None, rest
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at_sign, _ = authority.rpartition("@")
    versioned = scheme.partition("+")[0] in VERSIONED
    if at_sign and (_password_is_reference(user) or (versioned and rest.count("@") <= 2)):
        return user, rest[len(user) + 1 :]
    _, colon, port = authority.rpartition(":")
    if not at_sign and versioned and (not colon or port.isdigit()):
        return None, rest
    if ":" not in rest.rpartition("@")[0]:
        # No password: a user, or an `@` that belongs to the path or a parameter.
        return (user, rest[len(user) + 1 :]) if at_sign else (None, rest)
    user, _, host = rest.rpartition("@")
    return user, host


def _is_harmless_user(scheme: str, user: str) -> bool:
    if ":" in user:
        return _password_is_reference(user)
    return _is_reference(user) or scheme.partition("+")[0] in USER_ALONE


def _password_is_reference(user: str) -> bool:
    name, colon, password = user.partition(":")
    return bool(colon) and "@" not in name and _is_reference(password)


def _is_reference(text: str) -> bool:
    return bool(text) and not REFERENCE.sub("", text)


def _redact_parameters(text: str) -> str:
    """Hide the values of secret parameters, and parts without `=` behind one: its value holds a `&`, `;` or `#`."""
    secret = False

    def hide(parameter: re.Match[str]) -> str:
        nonlocal secret
        start, name, equals, value = parameter.groups()
        if not equals:
            return f"{start}{HIDDEN}" if secret and name else parameter[0]
        secret = _is_secret(name, value)
        return f"{start}{name}={HIDDEN}" if secret else parameter[0]

    return PARAMETER.sub(hide, text)


def _is_secret(name: str, value: str) -> bool:
    if not value or _is_reference(value) or value == HIDDEN:
        return False
    plain_name, plain = _decoded(name).strip(), _decoded(value)
    if plain_name.lower() in FILES:
        return False
    if SECRET.search(plain_name):
        return True
    # A connection string or a URL as the value of one parameter: odbc_connect=..., options=..., url=...
    holds_url = "://" in plain and plain != value and redact_url(plain) != plain
    return holds_url or ("=" in plain and bool(SECRET.search(plain)))


def _decoded(text: str) -> str:
    """Return a text without percent-encoding, also where it was encoded several times."""
    for _ in range(5):
        plain = unquote_plus(text)
        if plain == text:
            break
        text = plain
    return text


def _redact_connection_string(text: str) -> str:
    def hide(match: re.Match[str]) -> str:
        return match[0] if _is_reference(match["value"]) else f"{match['name']}{HIDDEN}"

    text = CONNECTION_STRING.sub(hide, text)
    for pattern in (JDBC_ORACLE, COLLAPSED) if "@" in text else ():
        text = pattern.sub(rf"\g<start>{HIDDEN}@", text)
    return text
