"""What the terminal says of a finished stage, in one line."""

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
            return [f"{rows[name]:,} {name}" for name in ("train", "control", "test")]
        case "finetune":
            best = f"{facts['best_control_bits']:.2f} bits per control record"
            return [f"{facts['trainable_parameters']:,} trainable weights", best]
        case "generate":
            return [f"{facts['records']:,} records"]
        case "eval":
            return [facts["verdict"]]
        case _:
            return [f"{facts['name']}, {facts['verdict']}"]
