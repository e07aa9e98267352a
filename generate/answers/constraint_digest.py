"""Digest of the constraints on records, on which what a model may write depends."""

from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.generate.constraints.record_constraints import RecordConstraints
from paracosm.generate.constraints.request import Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints


class ConstraintDigest:
    """Digests of requests of one run.

    Attributes:
        base: digest of what all requests depend on.
        copies: which copies of training records are refused; None for none.
    """

    def __init__(self, base: str, copies: str | None) -> None:
        self.base = base
        self.copies = copies
        self._rules: tuple[RuleConstraints | None, str] = (None, "")

    def of(self, request: Request) -> str:
        """Return the digest of a request's constraints."""
        guide = request.guide
        own: list[Any] = [list(request.order or ())]
        if isinstance(guide, RecordConstraints):
            conditions = sorted(
                (name, sorted(map(repr, values))) for name, values in guide.conditions.items()
            )
            relations = None if guide.relations is None else [each.text for each in guide.relations.all]
            own += [
                conditions,
                sorted(guide.enforced),
                sorted(guide.required),
                sorted(guide.present),
                relations,
            ]
            own.append(self._of_rules(guide.shared))
        return value_digest([self.base, self.copies, own])

    def _of_rules(self, shared: RuleConstraints) -> str:
        if self._rules[0] is not shared:
            rules = shared.rules
            plain = [
                [check.text for check in rules.checks],
                [[name, expression.text] for name, expression in rules.derived],
                sorted((name, sorted(map(repr, values))) for name, values in rules.references.items()),
                [each.text for each in rules.relations.all],
            ]
            self._rules = (shared, value_digest(plain))
        return self._rules[1]
