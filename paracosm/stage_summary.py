"""The line that the terminal prints about a finished stage."""

from typing import Any


def stage_line(stage: str, record: dict[str, Any], *, ran: bool) -> str:
    """Return one line about a stage from its record in `run.json`."""
    words = _facts(stage, record["facts"])
    took = f"{record['wall_seconds']:.0f} s" if ran else "done already"
    return f"{stage:<10} {' · '.join([*words, took])}"


def _facts(stage: str, facts: dict[str, Any]) -> list[str]:
    match stage:
        case "records":
            rows = facts["rows"]
            personal = [pii_words(facts["pii"])] if "pii" in facts else []
            return [*(f"{rows[name]:,} {name}" for name in ("train", "control", "test")), *personal]
        case "finetune":
            if facts.get("strategy") in ("prompt", "chain"):
                return [facts["method"], "nothing is trained"]
            if facts.get("strategy") == "augment":
                return [f"nothing to train; augments {', '.join(facts['texts'])}"]
            bits = facts["best_control_bits"]
            best = "no control loss" if bits is None else f"control loss {bits:.2f} bits per record"
            if facts.get("strategy") == "statistical":
                return [facts["method"], best]
            if facts.get("strategy") == "combined":
                best = f"{facts['method']} and texts, {best}"
            return [f"{facts['trainable_parameters']:,} trainable weights", best]
        case "generate":
            return [f"{facts['records']:,} records", *prompting_words(facts.get("prompting"))]
        case "eval":
            return [facts["verdict"]]
        case _:
            return [f"{facts['name']}, {facts['verdict']}"]


def prompting_words(prompting: dict[str, Any] | None) -> list[str]:
    """Return what the answers of models cost, and how many were valid at once."""
    steps = [] if prompting is None else prompting["steps"]
    calls, records = (sum(step[name] for step in steps) for name in ("calls", "records"))
    if not calls:
        return []
    tokens = sum(step["input_tokens"] + step["output_tokens"] for step in steps)
    first = sum(step["first_try"] for step in steps)
    return [
        f"{calls:,} {_plural('answer', calls)}, {first / records:.0%} valid at first",
        f"{tokens:,} tokens",
    ]


def pii_words(found: dict[str, Any]) -> str:
    """Return how much personal data was found, and what became of it."""
    columns, passages = len(found["columns"]), sum(sum(kinds.values()) for kinds in found["texts"].values())
    done = {"replace": "replaced", "drop": "removed", "report": "found, and left"}[found["action"]]
    return f"personal data {done}: {columns} {_plural('column', columns)}, {passages:,} {_plural('passage', passages)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
