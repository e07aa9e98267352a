"""What answers cost and how many were valid, step by step, as `run.json` and the card state it."""

from collections.abc import Mapping
from typing import Any

from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.recipes.sections.model import Server

MILLION = 1e6
MOST_REASONS = 8
"""Reasons that are stated."""


def usage_facts(store: AnswerStore, servers: Mapping[str, Server]) -> list[dict[str, Any]]:
    """Return one entry for each step.

    Args:
        store: the answers of the run.
        servers: step -> its server; steps on this machine have none.
    """
    facts = []
    for step, usage in store.usage().items():
        server = servers.get(step)
        entry = usage.plain() | {"step": step, "seconds": round(usage.seconds, 2)}
        entry["reasons"] = dict(usage.reasons.most_common(MOST_REASONS))
        entry["first_try_share"] = round(usage.first_try / usage.records, 4) if usage.records else None
        if server is not None:
            entry |= {"model": server.model, "here": server.is_here}
            if server.price_input is not None or server.price_output is not None:
                cost = usage.input_tokens * (server.price_input or 0) + usage.output_tokens * (
                    server.price_output or 0
                )
                entry["cost"] = round(cost / MILLION, 6)
        facts.append(entry)
    return facts
