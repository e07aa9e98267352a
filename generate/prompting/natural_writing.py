"""Automata of values as a person writes them: `63`, `-0.5`, `asymptomatic`, `unknown`, for a model that was not trained on records.

A line of a record is `name: value` and a line break. Every token of a line is written, also those that nothing decides, because
the model reads its own record as plain text. A line break ends each value, so that no value is a prefix of another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.records.codec.automata.automaton import END, Node, TokenPath
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.restriction import restrict_to_range
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens
from paracosm.records.schema.schema import Field, Value

ABSENT = ("unknown", "not recorded", "(no value)")
"""Words for a missing cell; the first that is not a value of the field."""
BREAK = "\n"
Part = tuple[int, int, int]
"""Digits that are left to write, and the smallest and largest number that they may form."""


class Written(Node):
    """A state whose tokens are all written, also where one alone is allowed."""

    @property
    def decides(self) -> bool:
        return bool(self.edges)


def absent_word(field: Field) -> str:
    """Return how a prompt writes a missing cell of a field."""
    taken = {field.true, field.false, *field.categories}
    return next((word for word in ABSENT if word not in taken), ABSENT[-1])


def shown(field: Field, value: Value) -> str:
    """Return a value on one line, as prompts and answers write it."""
    if value is None:
        return absent_word(field)
    if field.is_text or not _is_decimal(field):
        return " ".join(str(field.write(value)).split())
    return _decimal(field.kind.numbering(field)[0](value), field.decimals)


def is_json_number(field: Field) -> bool:
    """Return whether a value is a number in JSON: a duration, for example, is not."""
    return field.kind.expressed_as == "number" and field.kind.json_value


def _is_decimal(field: Field) -> bool:
    """Return whether a value is written as a decimal number, without unit and padding."""
    return is_json_number(field) and not field.scientific


def _decimal(number: int, decimals: int) -> str:
    if not decimals:
        return str(number)
    digits = f"{abs(number):0{decimals + 1}d}"
    return f"{'-' if number < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


@dataclass(frozen=True)
class Writing:
    """The lines of one field.

    Attributes:
        field: the field.
        tokenizer: of the base model.
        alphabet: tokens of digits and signs; its `stop` is the line break.
    """

    field: Field
    tokenizer: Tokenizer
    alphabet: SymbolTokens

    @cached_property
    def label(self) -> tuple[int, ...]:
        """Tokens before the value."""
        return tuple(plain_tokens(self.tokenizer, f"{self.field.name}:"))

    @cached_property
    def code(self) -> FieldCode:
        """The lines of all values of a closed domain, the missing one included."""
        root = self.allowed(AllowedValues())
        assert root is not None
        return FieldCode(root, self._path, self._value, None)

    def allowed(self, allowed: AllowedValues) -> Node | None:
        """Return the automaton of the lines of some values; None if there are none."""
        field = self.field
        nodes: list[Node] = []
        if field.nullable and allowed.missing:
            nodes.append(self._words(absent_word(field)))
        if allowed.values is not None:
            nodes += [self._value_node(value) for value in allowed.values]
        elif _is_decimal(field):
            number_of = field.kind.numbering(field)[0]
            low, high = (
                number_of(own if bound is None else bound)
                for own, bound in ((field.minimum, allowed.low), (field.maximum, allowed.high))
            )
            if low <= high:
                nodes.append(
                    self._chain(
                        self._space, decimals(low, high, field.decimals, self._symbols, self.alphabet.stop)
                    )
                )
        elif field.discrete:
            nodes += [self._words(name) for name in self._names]
        else:
            code = self._closed_code
            root = code.root
            if not allowed.all_present:
                root = restrict_to_range(field, code, allowed.low, allowed.high, self.alphabet, missing=False)
            if root is not None:
                nodes.append(self._chain(self._space, _written(root, self._end, {})))
        return self._chain(self.label, union(nodes)) if nodes else None

    @cached_property
    def _symbols(self) -> Mapping[str, int]:
        point = plain_tokens(self.tokenizer, ".")
        return {**self.alphabet.symbols, ".": point[-1]}

    @cached_property
    def _space(self) -> tuple[int, ...]:
        return tuple(plain_tokens(self.tokenizer, " "))

    @cached_property
    def _end(self) -> Node:
        return Written({self.alphabet.stop: END})

    @cached_property
    def _closed_code(self) -> FieldCode:
        """Digits of a date, a time or a number with an exponent, which have no plainer form of a fixed width."""
        return self.field.kind.code(self.field, self.tokenizer, self.alphabet)

    @cached_property
    def _names(self) -> Mapping[str, Value]:
        """Word of each value of a closed list -> the value; words that would be equal on one line get a number."""
        values: Iterable[Value] = (
            (True, False) if self.field.kind.expressed_as == "truth" else self.field.categories
        )
        names: dict[str, Value] = {}
        for value in values:
            name = shown(self.field, value)
            while name in names or name in ("", absent_word(self.field)):
                name += f" ({len(names)})"
            names[name] = value
        return names

    @cached_property
    def _name_of(self) -> Mapping[Value, str]:
        return {value: name for name, value in self._names.items()}

    def _value_node(self, value: Value) -> Node:
        if self.field.discrete:
            return self._words(self._name_of[value])
        if _is_decimal(self.field):
            number = self.field.kind.numbering(self.field)[0](value)
            return self._chain(
                self._space, decimals(number, number, self.field.decimals, self._symbols, self.alphabet.stop)
            )
        return self._chain((*self._space, *self._closed_code.path(value)), self._end)

    def _words(self, words: str) -> Node:
        return self._chain(self._word_tokens(words), self._end)

    def _word_tokens(self, words: str) -> tuple[int, ...]:
        return tuple(
            token for token in plain_tokens(self.tokenizer, f" {words}") if token != self.alphabet.stop
        )

    def _chain(self, tokens: Sequence[int], then: Node) -> Node:
        for token in reversed(tokens):
            then = Written({token: then})
        return then

    def line(self, value: Value) -> tuple[int, ...]:
        """Return the tokens of the whole line of a value."""
        if value is None or self.field.is_text:
            return (*self.label, *self._word_tokens(shown(self.field, value)), self.alphabet.stop)
        return tuple(self._path(value))

    def _path(self, value: Value) -> Sequence[int]:
        if value is None:
            return self.line(None)
        node, path = self._chain(self.label, self._value_node(value)), []
        while node.edges:
            ((token, node),) = node.edges.items()
            path.append(token)
        return path

    @cached_property
    def _listed(self) -> Mapping[TokenPath, Value]:
        listed: dict[TokenPath, Value] = (
            {self._word_tokens(name): value for name, value in self._names.items()}
            if self.field.discrete
            else {}
        )
        return {**listed, self._word_tokens(absent_word(self.field)): None}

    def _value(self, path: TokenPath) -> Value:
        content = path[len(self.label) : -1]
        if content in self._listed:
            return self._listed[content]
        content = content[len(self._space) :]
        if not _is_decimal(self.field):
            return self._closed_code.value(content)
        letters = {token: symbol for symbol, token in self._symbols.items()}
        text = "".join(letters[token] for token in content)
        return self.field.kind.numbering(self.field)[1](int(text.replace(".", "")))


def decimals(low: int, high: int, places: int, symbols: Mapping[str, int], end: int) -> Node:
    """Return the automaton of the numbers low to high in units of the last decimal place, as people write them.

    Args:
        low: smallest number.
        high: largest number, at least `low`.
        places: digits after the point, all of which are written.
        symbols: digits, `-` and `.` -> token id.
        end: token after the number.
    """
    known: dict[tuple[tuple[Part, ...], bool], Node] = {}

    def build(parts: tuple[Part, ...], after_point: bool) -> Node:
        key = (parts, after_point)
        if key in known:
            return known[key]
        edges: dict[int, Node] = {}
        if any(rest == 0 for rest, _, _ in parts):
            edges[end] = END
        if places and not after_point and (whole := tuple(part for part in parts if part[0] == places)):
            edges[symbols["."]] = build(whole, True)
        longer = [part for part in parts if part[0] > (0 if after_point else places)]
        for digit in range(10):
            following = tuple(rest for part in longer if (rest := _after(part, digit)) is not None)
            if following:
                edges[symbols[str(digit)]] = build(following, after_point)
        known[key] = Written(edges)
        return known[key]

    def magnitudes(least: int, most: int) -> Node:
        parts = []
        for width in range(places + 1, max(places + 1, len(str(most))) + 1):
            first = max(least, 0 if width == places + 1 else 10 ** (width - 1))
            last = min(most, 10**width - 1)
            if first <= last:
                parts.append((width, first, last))
        return build(tuple(parts), False)

    edges: dict[int, Node] = {}
    if high >= 0:
        edges |= magnitudes(max(low, 0), high).edges
    if low < 0:
        edges[symbols["-"]] = magnitudes(max(1, -high), -low)
    return Written(edges)


def _after(part: Part, digit: int) -> Part | None:
    """Return what is left of a part after its next digit; None if the digit is not allowed."""
    rest, low, high = part
    unit = 10 ** (rest - 1)
    least, most = max(low - digit * unit, 0), min(high - digit * unit, unit - 1)
    return (rest - 1, least, most) if least <= most and least < unit and most >= 0 else None


def union(nodes: Sequence[Node]) -> Node:
    """Return the automaton that accepts what one of some automata accepts; a line break ends every path of them."""
    if len(nodes) == 1:
        return nodes[0]
    following: dict[int, list[Node]] = {}
    for node in nodes:
        for token, then in node.edges.items():
            following.setdefault(token, []).append(then)
    return (
        Written({token: union(list(dict.fromkeys(thens))) for token, thens in following.items()})
        if following
        else END
    )


def _written(root: Node, end: Node, known: dict[Node, Node]) -> Node:
    """Return an automaton whose every token is written, followed by `end`."""
    if root.accepts:
        return end
    if root not in known:
        known[root] = Written({token: _written(then, end, known) for token, then in root.edges.items()})
    return known[root]
