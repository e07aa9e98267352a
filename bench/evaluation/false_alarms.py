"""How often `worst_column` and `worst_pair` name something in records in which nothing is wrong; 1% is what they state.

    python bench/evaluation/false_alarms.py --draws 1000 --results alarms.jsonl

In every draw, 500 records of adult are compared with 500 other ones, as fresh records with train. Saved draws are not repeated.
Needs the tables in the folder that PARACOSM_SHARED_DATA names (by default ../shared/data beside the repository).
"""

import argparse

import numpy as np
from fresh_and_leaking import DATA, TABLES
from resumable_draws import add_draw_options, draws_in_file

from paracosm.eval.fidelity.pairs import pair_associations
from paracosm.eval.fidelity.worst_column import worst_column
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.statistics.intervals import wilson
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

METRICS = ("worst_column", "worst_pair")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_draw_options(parser, rows=(500, 0, 0, 500))
    parser.add_argument("--table", choices=TABLES, default="adult")
    given = parser.parse_args()
    file, _, columns = TABLES[given.table]
    data = Data(source=str(DATA / file))
    raw = read_source(data, root=DATA)
    raw = raw if columns is None else raw[columns]
    schema = Schema(infer(raw, data).schema.modelled)
    table = to_typed(raw, schema)
    train, others = given.rows[0], given.rows[3]

    def make(draw: int) -> dict[str, Estimate]:
        order = np.random.default_rng([draw, 89]).permutation(len(table))
        parts = (table.iloc[order[:train]], table.iloc[order[train : train + others]])
        real, fresh = (part.reset_index(drop=True) for part in parts)
        settings = Evaluate(seed=draw)
        context = Context(schema, real, real.iloc[:0], None, None, settings, others)
        found = worst_column(context, fresh) | pair_associations(context, fresh)
        # The value is 0 unless something is named; the probability by chance takes the place of the interval.
        return {name: Estimate(found[name].value, *[found[name].facts["p_value"]] * 2) for name in METRICS}

    draws = range(given.first, given.first + given.draws)
    setting: dict[str, object] = {"table": given.table, "rows": given.rows}
    saved = draws_in_file(given.results, draws, setting, make)
    for name in METRICS:
        for level in (0.01, 0.05):
            named = sum(draw[name].low <= level for draw in saved)
            low, high = wilson(named, len(saved))
            print(
                f"{given.table} {name}: p at most {level:.0%} in {named} of {len(saved)} ({named / len(saved):.1%} [{low:.1%}, {high:.1%}])"
            )


if __name__ == "__main__":
    main()
