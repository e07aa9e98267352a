"""Parser of the expression language of rules.

The grammar, lowest precedence first:

    expression  = "if" expression "then" expression          (an implication)
                | expression "if" expression "else" expression
                | expression ("and" | "or") expression | "not" expression
                | expression ("==" | "!=" | "<" | "<=" | ">" | ">=") expression    (may be chained: a < b < c)
                | expression ["not"] "in" "(" constant {"," constant} ")"
                | expression ("+" | "-") expression
                | expression ("*" | "/" | "//" | "%") expression
                | ("-" | "+") expression
                | expression "**" expression
                | function "(" expression {"," expression} ")" | "missing" "(" field ")"
                | field | constant | "(" expression ")"
    field       = a name, or any text in backticks: `family history`, `class`, `a.b`; two backticks stand for one: `a``b`
    constant    = a number, a text in quotes, True or False
    function    = abs, min, max, sum, round, floor, ceil, sqrt, log, exp, length, year, month, lower

Examples:

    discharge >= admission
    if sex == "male" then pregnancies == 0
    round(weight / (height / 100) ** 2, 1)
    `family history` in ("yes", "no") or missing(age)

An expression has one of the kinds number, text, truth and moment (a date or datetime). An operation on a missing value is unknown;
`and` and `or` follow three-valued logic, and `missing(x)` tests for a missing value. Moments are written as text ("2024-12-31").
The difference of two moments is a number of days; a moment plus or minus a number is a moment.

Python's own parser reads the syntax; `semantics.py` gives the tree its meaning.
"""

import ast
import re
from keyword import kwlist

from paracosm.foundation.errors import RecipeError
from paracosm.records.constraints.expression import Expression
from paracosm.records.constraints.semantics import Builder
from paracosm.records.schema.schema import Schema

IF = re.compile(r"\s*if\b(?P<condition>.+?)\bthen\b(?P<then>.+)", re.DOTALL)
QUOTED = re.compile(r"""`((?:[^`]|``)+)`(?!`)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
"""A field in backticks, or a text, in which backticks have no meaning."""
LONGEST = 2000
"""Most characters of an expression."""


def read_expression(text: str, schema: Schema, where: str) -> Expression:
    """Parse and check an expression.

    Args:
        text: the expression.
        schema: the fields that it may name.
        where: key of the recipe, for messages.

    Raises:
        RecipeError: the expression is not valid; the message has one line.
    """
    if len(text) > LONGEST:
        raise RecipeError(f"{where}: is longer than {LONGEST:,} characters")
    names: dict[str, str] = {}
    prefix = _unused_prefix(text)

    def placeholder(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        names[f"{prefix}{len(names)}"] = match[1].replace("``", "`")
        return f"{prefix}{len(names) - 1}"

    plain = QUOTED.sub(placeholder, text)
    source = _without_then(plain)
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "nested too deeply"
        raise RecipeError(f"{where}: {text!r} cannot be parsed: {reason}{_hint(text, schema)}") from error
    builder = Builder(schema, names, f"{where}: {text!r}", _hint(text, schema, parsed=True))
    try:
        kind, compute = builder.build(tree)
    except RecursionError as error:
        raise RecipeError(f"{where}: {text!r} cannot be parsed: nested too deeply") from error
    return Expression(text, kind, frozenset(builder.used), tree, names, builder.parts, compute)


def _without_then(plain: str) -> str:
    """Return `if A then B` as `(not A) or B`, and every other expression unchanged."""
    # A text such as "then" does not end the condition.
    words = QUOTED.sub(lambda match: "_" * len(match[0]), plain)
    implication = IF.fullmatch(words)
    if implication is None:
        return plain
    condition, then = (slice(*implication.span(part)) for part in ("condition", "then"))
    return f"(not ({plain[condition]})) or ({plain[then]})"


def _unused_prefix(text: str) -> str:
    """Return the beginning of names that stand for the fields in backticks, which no name in `text` has."""
    prefix = "quoted_"
    while prefix in text:
        prefix += "_"
    return prefix


def _hint(text: str, schema: Schema, *, parsed: bool = False) -> str:
    """Return which field of an expression needs backticks, as the end of an error message.

    In an expression that was parsed, words such as `and` were operators.
    """
    plain = QUOTED.sub(" ", text)
    special = [name for name in schema.names if not name.isidentifier()]
    words = ("None",) if parsed else (*kwlist, "then")
    special += [name for name in schema.names if name in words]
    # The longest names come first, because `total` is a part of `total (EUR)`.
    for name in sorted(special, key=len, reverse=True):
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", plain):
            written = name.replace("`", "``")
            return f"; write `{written}` in backticks"
    return ""
