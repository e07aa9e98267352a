"""Relations between columns: share of records in which they hold, as shown to the model and as generated.

python bench/records/relations.py                       an invented table of 640 visits
python bench/records/relations.py visits.csv --target outcome --seconds 120
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import pandas as pd

from paracosm import run
from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.recipes.recipe import Recipe
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import from_plain
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.stage import preview

CITIES = {"Ostheim": 17033, "Talfurt": 55218, "Nordau": 23611, "Westrode": 48090, "Seebach": 18546}


def visits(rows: int = 640) -> pd.DataFrame:
    """Return visits in which the city determines the postcode, a stay does not end before it begins, and net + tax = total."""
    draw = random.Random(0)
    records = []
    for _ in range(rows):
        city = draw.choice(list(CITIES))
        begin = pd.Timestamp("2022-01-01") + pd.Timedelta(days=draw.randrange(700))
        net = draw.randrange(500, 90_000)
        tax = draw.randrange(50, 9_000)
        records.append(
            {
                "city": city,
                "zip": CITIES[city],
                "admitted": f"{begin:%Y-%m-%d}",
                "discharged": f"{begin + pd.Timedelta(days=draw.randrange(0, 20)):%Y-%m-%d}",
                "net": f"{net / 100:.2f}",
                "tax": f"{tax / 100:.2f}",
                "total": f"{(net + tax) / 100:.2f}",
            }
        )
    return pd.DataFrame(records).astype(str)


def main() -> None:
    """Measure one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--seconds", type=float, default=60.0, help="of training")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = given.source.resolve() if given.source else Path(folder) / "visits.csv"
        if given.source is None:
            visits().to_csv(source, index=False)
        recipe = Recipe.model_validate(
            {
                "name": "relations",
                "data": {"source": str(source), "target": given.target},
                "model": {"layers": 2},
                "finetune": {"max_minutes": given.seconds / 60},
                "generate": {"records": 200},
                "eval": {"bootstrap": 100, "repeats": 1, "attacks": []},
            }
        )
        schema, splits = preview(recipe, root=Path(folder))
        relations = Relations(schema, from_plain(schema.relations))
        for line in relations.lines:
            print(f"relation   {line}")
        train = to_records(splits["train"], schema)
        smoothing = Smoothing.of(train, schema, ranks=default_ranks(len(train)), seed=0, target=given.target)
        _report("shown", relations, [smoothing(index, 0) for index in range(len(train))])
        started = time.process_time()
        done = run(recipe, run=Path(folder) / "run")
        print(f"run        {time.process_time() - started:.0f} CPU s")
        shards = sorted(Path(done.synthetic).glob("part-*.parquet"))
        made = pd.concat([read_table(shard, schema) for shard in shards], ignore_index=True)
        _report("generated", relations, to_records(made, schema))


def _report(what: str, relations: Relations, records: list) -> None:
    broken = {name: count for name, count in relations.counts(records).items() if count}
    print(f"{what:<10} {len(relations.all)} relations in {len(records)} records; broken: {broken or 'none'}")


if __name__ == "__main__":
    main()
