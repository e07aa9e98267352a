"""`paracosm compare`: what a comparison takes from runs, its rule, its tables, and its refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from finished_run import evaluation_of

from paracosm.cli.app import main
from paracosm.cli.compare.compared_run import ComparedRun, Handling
from paracosm.cli.compare.comparison import Comparison
from paracosm.cli.compare.recommendation import RULE, recommend
from paracosm.cli.compare.strategy_names import STRATEGIES, read_strategies, read_train_rows, with_strategy
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


def failing(run: ComparedRun, question: str) -> ComparedRun:
    """Return a run with the verdict FAIL on one question alone."""
    return replace(
        run,
        questions=tuple(
            each.model_copy(update={"state": "FAIL" if each.question == question else "PASS", "counts": True})
            for each in run.questions
        ),
    )


def test_a_strategy_whose_records_fail_on_privacy_is_not_recommended() -> None:
    leaks = failing(run_of("forest", auc=(0.5, 0.49, 0.51)), "records")
    assert leaks.records_fail
    assert recommend([leaks, run_of("marginals", auc=(0.9, 0.88, 0.92))]).within == ("marginals",)
    alone = recommend([leaks])
    assert alone.best is None
    assert alone.sentence == "no strategy is recommended: the records of every strategy fail on privacy"


def test_of_a_strategy_whose_model_fails_on_privacy_the_records_alone_are_recommended() -> None:
    forest = failing(run_of("forest", auc=(0.5, 0.49, 0.51)), "adapter")
    assert forest.model_fails
    assert not forest.records_fail
    found = recommend([run_of("marginals", auc=(0.9, 0.88, 0.92)), forest])
    assert found.cheapest == "forest"
    assert found.sentence.endswith("; release the records alone, not the model, of: forest")


def test_a_strategy_that_fails_on_fidelity_is_recommended_only_where_all_do() -> None:
    forest = run_of("forest", auc=(0.49, 0.44, 0.54), seconds=9)
    copula = failing(run_of("copula", auc=(0.58, 0.50, 0.66), seconds=1), "fidelity")
    assert recommend([forest, copula]).within == ("forest",)
    assert recommend([failing(forest, "fidelity"), copula]).cheapest == "copula"


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


def test_train_rows_are_read_ascending_and_end_with_all() -> None:
    assert read_train_rows("all, 200,50,200") == (50, 200, None)
    assert read_train_rows("all") == (None,)
    with pytest.raises(RecipeError, match=r"--train-rows: 'many' is not a number of rows"):
        read_train_rows("50,many")


def test_the_learning_curve_recommends_at_each_number_of_records() -> None:
    smaller = [
        replace(run_of("forest", auc=(0.6, 0.57, 0.63)), train_rows=50, splits=DIGESTS | {"train": "x"}),
        replace(run_of("finetuned", auc=(0.9, 0.87, 0.93)), train_rows=50, splits=DIGESTS | {"train": "x"}),
    ]
    full = [
        replace(run_of("forest", best_control_bits=39.1), train_rows=700),
        replace(run_of("finetuned", auc=(0.51, 0.48, 0.54), seconds=90), train_rows=700),
    ]
    comparison = Comparison.of("ward", full, {}, smaller)
    assert comparison.curve is not None
    assert comparison.curve.sentences == [
        "50 training records: within the interval of the best: forest; cheapest of these: forest",
        "700 training records: within the interval of the best: finetuned, forest; cheapest of these: forest",
    ]
    assert [
        "c2st_auc",
        "finetuned",
        "0.900 [0.870, 0.930]",
        "0.510 [0.480, 0.540]",
    ] in comparison.curve.rows()
    assert ["bits", "forest", "-", "39.10"] in comparison.curve.rows()
    assert "## Fewer training records" in comparison.markdown()
    assert [each["train_rows"] for each in comparison.plain()["learning_curve"]] == [50, 50, 700, 700]
    other = replace(smaller[0], splits=DIGESTS | {"control": "x"})
    with pytest.raises(RunError, match="different records in control"):
        Comparison.of("ward", full, {}, [other])


def test_what_a_strategy_does_with_records_is_counted() -> None:
    forest, prompt = run_of("forest"), run_of("prompt")
    assert forest.handling == Handling(None, 0, False, 0)
    steps = [
        {"step": "a", "input_tokens": 900, "output_tokens": 100, "first_try_share": 0.9, "cost": 0.5},
        {"step": "b", "input_tokens": 900, "output_tokens": 600, "first_try_share": 0.8, "cost": 0.25},
    ]
    facts = {
        "records": 250,
        "attempts": 300,
        "prompting": {"real_rows_shown": 8, "real_rows_left_the_machine": True, "steps": steps},
    }
    stages = {
        "records": {"facts": {"sha256": DIGESTS, "rows": {"train": 700}}},
        "finetune": {"wall_seconds": 1.0, "peak_memory_bytes": 1, "facts": {}},
        "generate": {"wall_seconds": 0.5, "peak_memory_bytes": 1, "facts": facts},
    }
    prompt = ComparedRun.of("prompt", stages, evaluation_of(), 4)
    assert prompt.handling == Handling(0.8, 8, True, 4)
    assert (prompt.cost.per_1000(prompt.cost.tokens), prompt.cost.per_1000(prompt.cost.price)) == (
        10_000,
        3.0,
    )
    rows = {row.title: row.cells for row in Comparison.of("ward", [forest, prompt], {}).rows()}
    assert rows["they left the machine"] == ("no", "yes")
    assert rows["valid at first try"] == ("-", "80.0%")
    assert rows["tokens per 1,000 records"] == ("-", "10,000")
