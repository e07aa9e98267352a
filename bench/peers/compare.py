"""Compare generators of other projects with Paracosm: same splits, same limit of time, an independent judge.

    python bench/peers/compare.py --seeds 0 1 2
    python bench/peers/compare.py loans.csv --target default --generators forest finetuned tabularargn

Each peer is installed into a virtual environment of its own under --folder, with the version that `PEERS` pins. A result that is there
is not made again. CPU seconds are those of fitting and sampling together, imports included, with one thread.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
PEERS = {
    "tabularargn": ("mostlyai-engine==2.7.3", "TabularARGN"),
    "realtabformer": ("realtabformer==0.2.4", "REaLTabFormer"),
}
OURS = {"forest": "statistical", "finetuned": "finetuned"}
HOLDOUT = 0.2
COLUMNS = ("c2st", "pairs", "tstr", "dcr_share", "copies")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "table", type=Path, nargs="?", help="a CSV or Parquet file; the heart-disease sample by default"
    )
    parser.add_argument("--target", default="num")
    parser.add_argument("--generators", nargs="+", default=[*OURS, *PEERS], choices=[*OURS, *PEERS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--folder", type=Path, default=Path("peers"))
    given = parser.parse_args()
    folder = given.folder / (given.table.stem if given.table else "heart")
    train, holdout = _split(given.table, folder)
    real = _judged(folder, folder / "train.parquet", given.target)["ceiling"]
    print(
        f"{len(train):,} training and {len(holdout):,} hold-out records; {date.today()}; paracosm {version('paracosm')}"
    )
    print("| generator | seed | CPU s | C2ST | pairs | TSTR | DCR share | copies |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print(
        f"| real records (ceiling) | | | {real['c2st']:.3f} | {real['pairs']:.3f} | {real['tstr']:.3f} | | |"
    )
    for name in given.generators:
        for seed in given.seeds:
            made = _made(name, seed, given.seconds, folder, len(train))
            figures = _judged(folder, made, given.target)["synthetic"]
            spent = json.loads(made.with_suffix(".json").read_text())["cpu_seconds"]
            row = " | ".join(f"{figures[key]:.3f}" for key in COLUMNS)
            label = (
                f"{PEERS[name][1]} ({PEERS[name][0].partition('==')[2]})"
                if name in PEERS
                else f"Paracosm, {name}"
            )
            print(f"| {label} | {seed} | {spent:.0f} | {row} |", flush=True)


def _split(table: Path | None, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return train and hold-out, which every generator and the judge read from the same files."""
    parts = [folder / f"{name}.parquet" for name in ("train", "holdout")]
    if not all(part.is_file() for part in parts):
        folder.mkdir(parents=True, exist_ok=True)
        rows = _heart() if table is None else _read(table)
        mixed = rows.sample(frac=1, random_state=0).reset_index(drop=True)
        cut = round(HOLDOUT * len(mixed))
        mixed.iloc[cut:].to_parquet(parts[0])
        mixed.iloc[:cut].to_parquet(parts[1])
    return pd.read_parquet(parts[0]), pd.read_parquet(parts[1])


def _read(table: Path) -> pd.DataFrame:
    return pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table)


def _heart() -> pd.DataFrame:
    """Return the table of the demo."""
    from paracosm.recipes.sections.data import Data
    from paracosm.records.sources.read_source import read_source

    raw = read_source(Data(source="sample:heart-disease"), root=Path())
    raw = raw.drop(columns=["id", "dataset"])
    raw.attrs.clear()
    return raw.apply(
        lambda column: pd.to_numeric(column, errors="coerce") if _all_numbers(column) else column
    )


def _all_numbers(column: pd.Series) -> bool:
    return bool(pd.to_numeric(column.dropna(), errors="coerce").notna().all())


def _made(name: str, seed: int, seconds: float, folder: Path, rows: int) -> Path:
    """Return the file of a generator's records, which are made unless they are there."""
    out = folder / f"{name}-{seed}.parquet"
    if out.with_suffix(".json").is_file():
        return out
    script = HERE / "generators" / (f"{name}.py" if name in PEERS else "paracosm_run.py")
    arguments = [folder / "train.parquet", out, rows, seed, seconds, *([OURS[name]] if name in OURS else [])]
    python = _python(name, folder.parent) if name in PEERS else Path(sys.executable)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    if name in PEERS:
        environment.pop("PYTHONPATH", None)
    with (folder / f"{name}-{seed}.log").open("w") as log:
        ended = subprocess.run(
            [python, script, *map(str, arguments)], env=environment, stdout=log, stderr=log, check=False
        )
    if ended.returncode:
        sys.exit(f"{name}: failed; see {folder / f'{name}-{seed}.log'}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    out.with_suffix(".json").write_text(json.dumps({"cpu_seconds": spent}))
    return out


def _python(name: str, folder: Path) -> Path:
    """Return the interpreter of a peer's own environment, which is made on the first call."""
    home = folder / f"venv-{name}"
    python = home / "bin" / "python"
    if not (home / ".ready").is_file():
        print(f"installing {PEERS[name][0]} into {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEERS[name][0]], check=True)
        (home / ".ready").touch()
    return python.absolute()


def _judged(folder: Path, synthetic: Path, target: str) -> dict[str, dict[str, float]]:
    """Return the judge's figures, from a process that imports nothing of Paracosm."""
    words = [
        HERE / "judge.py",
        folder / "train.parquet",
        folder / "holdout.parquet",
        synthetic,
        "--target",
        target,
    ]
    judged = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=True)
    return json.loads(judged.stdout)


if __name__ == "__main__":
    main()
