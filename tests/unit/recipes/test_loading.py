import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from paracosm.foundation.errors import RecipeError, RunError
from paracosm.recipes.loading.load import dump_recipe, find_recipe, json_schema, load_recipe
from paracosm.recipes.loading.yaml_source import dump_document, read_document
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import open_run
from paracosm.recipes.run.stage_main import stage_main
from paracosm.recipes.sections.data import Data, FieldOverride

GOOD = "name: a\ndata:\n  source: x.csv\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(text, *overrides):
    Path("recipe.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_recipe(Path("recipe.yaml"), overrides)


def complaint(text, *overrides):
    with pytest.raises(RecipeError) as caught:
        load(text, *overrides)
    told = str(caught.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "finetune:\n  learning_rte: 1",
            "recipe.yaml:5: unknown key 'finetune.learning_rte'; did you mean 'learning_rate'?",
        ),
        (
            "learning_rate: 1e-4",
            "recipe.yaml:4: unknown key 'learning_rate'; did you mean 'finetune.learning_rate'?",
        ),
        ("model:\n  xyz: 1", "recipe.yaml:5: unknown key 'model.xyz'; model takes base, revision, layers, "),
        (
            "finetune:\n  # a comment\n\n  epochs: many",
            "recipe.yaml:7: finetune.epochs must be an integer of at least 1; got 'many'",
        ),
        ("finetune:\n  epochs: 0", "recipe.yaml:5: finetune.epochs must be an integer of at least 1; got 0"),
        (
            "finetune:\n  epochs: true",
            "recipe.yaml:5: finetune.epochs must be an integer of at least 1; got true",
        ),
        (
            "finetune: {dropout: 1}",
            "recipe.yaml:4: finetune.dropout must be a number of at least 0 and below 1; got 1",
        ),
        ("finetune:\n  alpha: .inf", "recipe.yaml:5: finetune.alpha must be a number above 0; got inf"),
        (
            "model:\n  layers: few",
            "recipe.yaml:5: model.layers must be an integer of at least 1, or null; got 'few'",
        ),
        (
            "finetune:\n  order: shufled",
            "recipe.yaml:5: finetune.order must be one of 'fixed', 'target_first', 'shuffled'; got 'shufled'; did you mean 'shuffled'?",
        ),
        (
            "finetune:\n  target_modules:\n    - q_proj\n    - 3",
            "recipe.yaml:7: entry 2 of finetune.target_modules must be text; got 3; put it in quotes",
        ),
        (
            "finetune:\n  target_modules: 3",
            "recipe.yaml:5: finetune.target_modules must be text or a list of text; got 3",
        ),
        ("finetune: 5", "recipe.yaml:4: finetune must be a mapping of keys; got 5"),
        (
            "  fields:\n    age: {minimum: [1]}\n    b: {tpye: integer}",
            "recipe.yaml:5: data.fields.age.minimum must be a number or text, or null; got a list (and 1 more)",
        ),
        (
            "  split:\n    control: 0.5\n    test: 0.5",
            "recipe.yaml:4: data.split: control + test must be below 0.9",
        ),
        ("name: b", "recipe.yaml:4: key 'name' is repeated; it is on line 1 already"),
        ("finetune:\n\tepochs: 1", "recipe.yaml:5: a tab cannot indent YAML; use spaces"),
        ("card: [1\nb: c", "recipe.yaml:5: broken YAML: "),
        ("1: 2", "recipe.yaml:4: 1 as a key must be text; put it in quotes"),
        ("---\nname: b", "recipe.yaml:4: a second document begins here"),
        ("card: \x00", "recipe.yaml:4: character U+0000 is not allowed in YAML"),
        ("card: !!python/name:os.system x", "recipe.yaml:4: broken YAML: could not determine a constructor"),
        ("card: " + "[" * 5000, "recipe.yaml: is nested too deeply to be read"),
    ],
)
def test_an_invalid_recipe_is_reported_in_one_line_with_its_position(text, told):
    assert complaint(GOOD + text).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "recipe.yaml: is empty"),
        ("# nothing\n", "recipe.yaml: is empty"),
        ("- a", "recipe.yaml: must be a mapping of keys; got a list"),
        ("name: a\ndata: {drop: []}", "recipe.yaml: data.source is required"),
        (
            "name: a\ndata:\n  sorce: x",
            "recipe.yaml:3: unknown key 'data.sorce'; did you mean 'source'? (and 1 more)",
        ),
        ("name: My Run\ndata:\n  source: x", "recipe.yaml:1: name must be text that matches"),
        ("name: 7\ndata:\n  source: x", "recipe.yaml:1: name must be text that matches"),
        (b"name: a\ndescription: caf\xe9", "recipe.yaml:2: is not UTF-8 (byte 0xe9 cannot be read)"),
    ],
)
def test_a_file_that_is_not_a_recipe_is_reported(text, told):
    assert complaint(text).startswith(told)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("finetune.epochs=many", "finetune.epochs must be an integer of at least 1; got 'many'"),
        ("finetune.epoch=2", "unknown key 'finetune.epoch'; did you mean 'epochs'?"),
        ("finetun.epochs=2", "unknown key 'finetun'; did you mean 'finetune'?"),
        ("finetune.epochs", "must be KEY=VALUE, such as finetune.epochs=2"),
        ("=1", "must be KEY=VALUE"),
        ("finetune.epochs.x=1", "'finetune.epochs' holds a value, not keys"),
        ("finetune.epochs=", "finetune.epochs must be an integer of at least 1; got null"),
        ("finetune=3", "finetune must be a mapping of keys; got 3"),
        ("data.split.control=0.85", "data.split: control + test must be below 0.9"),
        ("data.drop=[a", "'[a' cannot be read"),
        ("data.drop=[a, 1]", "entry 2 of data.drop must be text; got 1; put it in quotes"),
        ("data.fields.num.co.tpye=integer", "unknown key 'data.fields.num.co.tpye'; did you mean 'type'?"),
    ],
)
def test_a_wrong_override_is_cited(override, told):
    assert complaint(GOOD, override).startswith(f"override {override!r}: {told}")


def test_an_error_of_the_file_is_not_blamed_on_an_override():
    assert complaint(GOOD + "finetune:\n  rank: 0", "finetune.epochs=2").startswith(
        "recipe.yaml:5: finetune.rank"
    )


def test_overrides_go_over_the_file_and_the_last_one_wins():
    recipe = load(
        GOOD + "finetune:\n  epochs: 3\n  patience: 2\n",
        "finetune.epochs=4",
        "finetune.epochs=5",
        "finetune.patience=null",
        "data.source=C: x = y",
        "data.query=SELECT 'a: b' # c",
        "data.fields.num.co.type=number",
        "data.drop=[a, b]",
        "release.gates.exact_copies=0.1",
    )
    assert (recipe.finetune.epochs, recipe.finetune.patience) == (5, None)
    assert (recipe.data.source, recipe.data.query) == ("C: x = y", "SELECT 'a: b' # c")
    assert recipe.data.fields == {"num.co": FieldOverride(type="number")}
    assert recipe.data.drop == ["a", "b"]
    assert recipe.release.gates == {"exact_copies": 0.1}


def test_an_override_supplies_a_missing_key():
    assert load("name: a\n", "data.source=x.csv").data.source == "x.csv"


def test_scalars_are_those_of_yaml_1_2():
    recipe = load(
        GOOD
        + "  fields:\n    a: {categories: [yes, no, 00501, 1_0, 12:30]}\n    b: {minimum: 2020-01-01, maximum: 2e3}\n"
        "finetune:\n  learning_rate: 2e-4\n"
    )
    assert recipe.finetune.learning_rate == 2e-4
    assert recipe.data.fields["a"].categories == ["yes", "no", "00501", "1_0", "12:30"]
    assert (recipe.data.fields["b"].minimum, recipe.data.fields["b"].maximum) == ("2020-01-01", 2000.0)


def test_a_section_whose_keys_are_commented_out_keeps_its_defaults():
    assert load(GOOD + "finetune:\n  # epochs: 3\n") == load(GOOD)


def test_a_missing_recipe_names_the_nearest_one():
    Path("recipe.yaml").write_text(GOOD)
    for name, near in (("recip.yaml", "recipe.yaml"), ("healthcare-hart", "healthcare-heart")):
        with pytest.raises(RecipeError, match=f"{name}: there is no such recipe; did you mean '{near}'"):
            load_recipe(Path(name))


@pytest.mark.parametrize(
    ("name", "told"), [("folder", "is a folder"), ("t.csv", "paracosm init"), ("x" * 300, "cannot be read")]
)
def test_paths_that_are_not_recipes_are_reported(name, told):
    Path("folder").mkdir()
    Path("t.csv").write_text("a,b\n")
    with pytest.raises(RecipeError, match=told):
        load_recipe(Path(name))


words = some.text(some.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    some.builds(
        Recipe,
        name=some.just("a"),
        description=words,
        data=some.builds(
            Data,
            source=words,
            query=some.none() | words,
            drop=some.lists(words),
            fields=some.dictionaries(
                words,
                some.builds(
                    FieldOverride,
                    categories=some.none()
                    | some.lists(words | some.sampled_from(["1e5", "010", "true", "~", "1:30", "<<"])),
                    minimum=some.none()
                    | some.integers()
                    | some.floats(allow_nan=False, allow_infinity=False)
                    | words,
                    maximum=some.none(),
                ),
                max_size=3,
            ),
        ),
    )
)
def test_a_dumped_recipe_loads_back_equal(recipe):
    assert Recipe.model_validate(read_document(dump_recipe(recipe), "dumped").value) == recipe


def test_a_dump_names_every_setting():
    dumped = read_document(dump_recipe(load(GOOD)), "dumped").value
    assert set(dumped["finetune"]) == set(Recipe.model_fields["finetune"].annotation.model_fields)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    some.recursive(
        words | some.booleans() | some.none() | some.integers(),
        lambda inner: some.lists(inner) | some.dictionaries(words, inner),
        max_leaves=8,
    )
)
def test_any_plain_value_survives_yaml(value):
    assert read_document(dump_document(value), "dumped").value == value


def test_the_json_schema_describes_every_key():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["title"] == "Paracosm recipe"
    assert set(schema["properties"]) == set(Recipe.model_fields)


def test_a_stage_keeps_the_recipe_in_its_run_and_finds_it_there_again():
    Path("recipe.yaml").write_text(GOOD)
    seen = []
    assert (
        stage_main(
            seen.append, ["recipe.yaml", "finetune.epochs=2", "--run", "r", "model.layers=3"], prog="p"
        )
        == 0
    )
    assert stage_main(seen.append, ["r"], prog="p") == 0
    assert [(each.recipe.finetune.epochs, each.recipe.model.layers) for each in seen] == [(2, 3)] * 2
    assert [each.root for each in seen] == [Path.cwd()] * 2
    assert [each.from_run for each in seen] == [False, True]
    assert load_recipe(Run(Path("r")).recipe) == seen[0].recipe


def test_a_stage_that_fails_on_a_new_run_leaves_nothing(capsys):
    Path("recipe.yaml").write_text(GOOD)

    def stage(opened):
        raise RunError("nothing to read")

    assert stage_main(stage, ["recipe.yaml"], prog="p") == 2
    assert capsys.readouterr().err == "error: nothing to read\n"
    assert not Path("runs/a").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["--nope"], ["recipe.yaml", "--run"], ["recipe.yaml", "epochs"], ["absent.yaml"]]
)
def test_wrong_arguments_of_a_stage_are_one_line(arguments, capsys):
    Path("recipe.yaml").write_text(GOOD)
    assert stage_main(print, arguments, prog="p") == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1


def test_only_the_leading_process_makes_and_locks_the_run(monkeypatch):
    Path("recipe.yaml").write_text(GOOD)
    monkeypatch.setenv("RANK", "1")
    assert stage_main(lambda opened: None, ["recipe.yaml"], prog="p") == 0
    assert not Path("runs").exists()


def test_a_run_and_a_different_run_folder_are_an_error():
    Path("recipe.yaml").write_text(GOOD)
    assert stage_main(lambda opened: None, ["recipe.yaml", "--run", "r"], prog="p") == 0
    with pytest.raises(RunError, match="is a run already"):
        open_run(Path("r"), folder=Path("other"))


def test_a_file_goes_before_a_shipped_recipe_of_its_name():
    assert find_recipe(Path("healthcare-heart")).parent != Path()
    Path("healthcare-heart").write_text(GOOD)
    assert load_recipe(Path("healthcare-heart")).name == "a"


def test_loading_needs_nothing_heavy():
    code = "import sys, paracosm.recipes.loading.load; print([m for m in ('torch', 'pandas', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_training_defaults_depend_on_objective_and_method():
    causal, masked = load(GOOD).finetune, load(GOOD, "finetune.objective=masked").finetune
    assert (masked.epochs, masked.patience) == (200, 15)
    assert masked.average_decay > causal.average_decay
    whole = load(GOOD, "finetune.method=full").finetune
    assert whole.learning_rate < causal.learning_rate / 10
    assert whole.epochs == causal.epochs
    # What a recipe or an override says goes before, null too, and what was resolved is written down.
    said = load(GOOD, "finetune.objective=masked", "finetune.patience=null", "finetune.epochs=3")
    assert (said.finetune.patience, said.finetune.epochs) == (None, 3)
    assert load(dump_recipe(said)) == said
    assert "must be one of 'causal', 'masked'" in complaint(GOOD, "finetune.objective=[masked]")


def test_a_document_whose_aliases_expand_beyond_bounds_is_refused_at_once() -> None:
    levels = "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(8)
    )
    bomb = f"a: &a [{','.join(['x'] * 10)}]\n{levels}"
    with pytest.raises(RecipeError, match=r"bomb: its aliases expand to more than 1,000,000 entries"):
        read_document(bomb, "bomb")
    with pytest.raises(RecipeError, match=r"loop:2: an alias refers to the anchor around it"):
        read_document("name: x\ndata: &d\n  source: *d\n", "loop")
    assert read_document("a: &a [1, 2]\nb: *a\n", "fine").value == {"a": [1, 2], "b": [1, 2]}


PRIVATE = "name: a\ndata:\n  source: {source}\nprivacy:\n  epsilon: 8\nadapt:\n  source: {corpus}\n"


@pytest.mark.parametrize(
    ("source", "corpus"),
    [
        ("x.csv", "x.csv"),
        ("x.csv", "./x.csv"),
        ("x.csv", "other/../x.csv"),
        ("x.csv", "[notes, x.csv]"),
        ("[a.csv, b.csv]", "[c.csv, b.csv]"),
        ("hf://acme/notes", "hf://acme/notes"),
    ],
)
def test_private_records_are_refused_as_a_corpus(source, corpus):
    with pytest.raises(RecipeError, match=r"adapt\.source: is data\.source, which privacy protects"):
        load(PRIVATE.format(source=source, corpus=corpus))


@pytest.mark.parametrize("corpus", ["y.csv", "x.csv.gz", "other/x.csv", "[notes, y.csv]"])
def test_another_corpus_goes_with_privacy(corpus):
    assert load(PRIVATE.format(source="x.csv", corpus=corpus)).privacy is not None


def test_without_privacy_the_records_may_be_the_corpus():
    text = PRIVATE.format(source="x.csv", corpus="x.csv").replace("privacy:\n  epsilon: 8\n", "")
    assert load(text).adapt.source == "x.csv"
