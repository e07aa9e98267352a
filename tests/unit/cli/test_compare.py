"""`paracosm compare`: what a comparison takes from runs, its rule, its tables, and its refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from finished_run import evaluation_of

from paracosm.cli.app import main
from paracosm.cli.compare.compared_run import ComparedRun
from paracosm.cli.compare.comparison import Comparison
from paracosm.cli.compare.recommendation import RULE, recommend
from paracosm.cli.compare.strategy_names import STRATEGIES, read_strategies, with_strategy
from paracosm.cli.compare.strategy_runs import compare_strategies, share_key
from paracosm.foundation.errors import RecipeError, RunError
from paracosm.recipes.run.directory import Run

DIGESTS = {"train": "aa", "control": "bb", "test": "cc"}


def run_of(
    strategy: str,
    *,
    auc: tuple[float, float, float] = (0.53, 0.49, 0.57),
    seconds: float = 1.0,
    state: str = "PASS",
    **facts: Any,
) -> ComparedRun:
    """Return a run with a C2ST AUC of `auc` (value and interval) that took `seconds` to prepare."""
    stages = {
        "records": {"facts": {"sha256": DIGESTS}},
        "finetune": {"wall_seconds": seconds, "peak_memory_bytes": 3_000_000, "facts": facts},
        "generate": {"wall_seconds": 0.5, "peak_memory_bytes": 5_000_000, "facts": {"records": 250}},
    }
    run = ComparedRun.of(strategy, stages, evaluation_of(state))
    value, *ends = auc
    judged = run.metrics["c2st_auc"].model_copy(update={"value": value, "interval": tuple(ends)})
    return replace(run, metrics=run.metrics | {"c2st_auc": judged})


def test_the_cheapest_within_the_interval_of_the_best_is_named() -> None:
    runs = [
        run_of("forest", auc=(0.52, 0.48, 0.56), seconds=9),
        run_of("copula", auc=(0.58, 0.55, 0.61), seconds=2),
        run_of("marginals", auc=(0.70, 0.66, 0.74), seconds=1),
    ]
    found = recommend(runs)
    assert (found.best, found.within, found.cheapest) == ("forest", ("forest", "copula"), "copula")
    assert found.sentence == "within the interval of the best: forest, copula; cheapest of these: copula"


def test_values_on_both_sides_of_the_target_are_compared_by_their_distance() -> None:
    runs = [run_of("forest", auc=(0.45, 0.43, 0.47)), run_of("copula", auc=(0.54, 0.53, 0.55))]
    assert recommend(runs).within == ("copula", "forest")
    # An interval around the target reaches the target, however wide it is.
    assert recommend([runs[1], run_of("wide", auc=(0.6, 0.4, 0.8))]).within == ("copula", "wide")


def test_a_strategy_that_fails_on_privacy_is_not_recommended() -> None:
    leaks = run_of("forest", auc=(0.5, 0.49, 0.51), state="FAIL")
    assert leaks.fails_on_privacy
    assert recommend([leaks, run_of("marginals", auc=(0.9, 0.88, 0.92))]).within == ("marginals",)
    alone = recommend([leaks])
    assert alone.best is None
    assert alone.sentence == "no strategy is recommended: every strategy fails on privacy"


def test_without_the_deciding_metric_nothing_is_recommended() -> None:
    assert recommend([replace(run_of("forest"), metrics={})]).sentence.startswith(
        "no strategy is recommended"
    )


def test_costs_come_from_the_stages_of_the_strategy() -> None:
    cost = run_of("forest", seconds=2.0).cost
    assert (cost.seconds, cost.seconds_per_1000, cost.peak_memory) == (2.5, 2.0, 5_000_000)


def test_the_table_names_every_strategy_and_what_was_left_out() -> None:
    runs = [run_of("forest", best_control_bits=39.34), run_of("copula", seconds=12.3)]
    comparison = Comparison.of("ward", runs, {"finetuned": "there is no base model"})
    rows = {row.title: row.cells for row in comparison.rows()}
    assert rows["c2st_auc"] == ("0.530 [0.490, 0.570]",) * 2
    assert rows["bits per held-out record"] == ("39.34", "-")
    assert rows["preparation, s"] == ("1.00", "12.30")
    # No run measured it.
    assert "adapter_mia_auc" not in rows
    text = comparison.markdown()
    assert "|  |  | forest | copula |" in text
    assert "- left out: finetuned: there is no base model" in text
    assert RULE in text
    plain = comparison.plain()
    assert plain["strategies"]["forest"]["metrics"]["c2st_auc"]["interval"] == [0.49, 0.57]
    assert plain["strategies"]["copula"]["metrics"]["adapter_mia_auc"] is None
    assert plain["recommendation"]["cheapest"] == "forest"


def test_runs_on_other_records_are_refused() -> None:
    other = replace(run_of("copula"), splits=DIGESTS | {"test": "dd"})
    with pytest.raises(RunError, match=r"forest and copula: have different records in test;"):
        Comparison.of("ward", [run_of("forest"), other], {})
    fewer = replace(run_of("copula"), cost=replace(run_of("copula").cost, records=20))
    with pytest.raises(RunError, match="250 and 20 synthetic records"):
        Comparison.of("ward", [run_of("forest"), fewer], {})


def test_names_are_read_once_each_in_order() -> None:
    assert read_strategies("finetuned, forest,finetuned") == ("finetuned", "forest")
    with pytest.raises(
        RecipeError, match="names no strategy; allowed: forest, copula, marginals, prompt, chain, finetuned"
    ):
        read_strategies(" , ")


def test_a_strategy_sets_its_keys_after_all_others() -> None:
    sources = [each.source for each in with_strategy(["statistical.leaf=5"], "copula")]
    assert sources == ["statistical.leaf=5", "strategy=statistical", "statistical.method=copula"]


@pytest.mark.parametrize("override", ["strategy=finetuned", "statistical.method=forest"])
def test_an_override_of_what_the_strategy_sets_is_refused(override: str) -> None:
    with pytest.raises(RecipeError, match="is set by each strategy; name strategies with --strategies"):
        with_strategy([override], "forest")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["healthcare-heart", "--strategies", "forrest"], "did you mean 'forest'?"),
        (["healthcare-heart", "strategy=statistical"], "is set by each strategy"),
        (["no-such.yaml"], "no-such.yaml"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["compare", *arguments])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    Run.create(tmp_path).journal.note()
    with pytest.raises(RunError, match="is a run; compare needs a recipe"):
        compare_strategies(tmp_path, tuple(STRATEGIES))


def test_runs_share_the_key_of_invented_values(tmp_path: Path) -> None:
    first, other = Run.create(tmp_path / "forest"), Run(tmp_path / "copula")
    share_key(first, other)
    assert not other.root.exists()
    first.pii_key.write_text("0f\n")
    first.pii_key.chmod(0o600)
    share_key(first, other)
    assert other.pii_key.read_text() == "0f\n"
    assert other.pii_key.stat().st_mode & 0o777 == 0o600
    # The stages accept the folder as a run directory.
    Run.create(other.root)
