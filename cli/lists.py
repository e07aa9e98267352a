"""`paracosm models`, `metrics` and `schema`: what Paracosm offers."""

from typing import Annotated

import typer


def models() -> None:
    """List the base models that `model.base` can name."""
    from importlib.util import find_spec

    from paracosm.finetune.models.bundled_models import ALIASES

    for name, alias in ALIASES.items():
        state = "not installed (paracosm setup model)" if find_spec(alias.package) is None else "installed"
        print(f"{name:<14} {alias.objective}, {alias.parameters:,} parameters, {alias.licence}; {state}")
        print(f"{'':<14} {alias.upstream}, from the package {alias.requirement}")
    print("ORG/NAME       any causal or masked language model on the Hugging Face Hub")
    print("./FOLDER       any causal or masked language model in a local folder")


def metrics(
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of metrics.json instead.")
    ] = False,
) -> None:
    """List all metrics with their goals."""
    if schema:
        from paracosm.eval.results.evaluation_file import evaluation_schema
        from paracosm.eval.results.model import json_text

        print(json_text(evaluation_schema()), end="")
        return
    from paracosm.eval.catalogue import metrics
    from paracosm.eval.results.metric_entry import Aim

    rows = [
        (metric.name, metric.section, str(Aim(metric.goal, metric.target)), metric.what)
        for metric in metrics()
    ]
    widths = [max(map(len, column)) for column in zip(*(row[:3] for row in rows), strict=True)]
    for *short, what in rows:
        print(" ".join([*(cell.ljust(width) for cell, width in zip(short, widths, strict=True)), what]))


def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    import json

    from paracosm.recipes.loading.load import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
