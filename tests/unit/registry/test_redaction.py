"""What a published file must not hold: values of records, paths of a machine, cells that somebody asked for."""

import finished_run

from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.provenance import settings
from paracosm.registry.card.redaction import WITHHELD, Redactor

SCHEMA = Schema(
    (
        Field(name="diagnosis", type="category", categories=("hiv", "normal", "HIV-2")),
        Field(name="site: ward", type="category", categories=("a\\1",)),
    )
)


def test_a_value_behind_the_name_of_its_field_is_withheld_however_ordinary() -> None:
    kept = Redactor.of(SCHEMA)
    assert (
        kept.text("Of 3 groups, diagnosis: hiv loses most")
        == f"Of 3 groups, diagnosis: {WITHHELD} loses most"
    )
    assert (
        kept.text("diagnosis: HIV-2 and site: ward: a\\1")
        == f"diagnosis: {WITHHELD} and site: ward: {WITHHELD}"
    )
    # As a word of a sentence it says nothing of anybody.
    assert kept.text("a normal interval") == "a normal interval"


def test_settings_name_no_path_and_no_cell_that_was_asked_for() -> None:
    told = settings(
        finished_run.recipe_of(
            generate={
                "seeds": "/home/alice/clinic/open_cases.csv",
                "where": {"diagnosis": "hiv"},
                "quotas": {"sex": "balanced", "ward": {"oncology": 0.5}},
            },
            eval={"embedder": "/home/alice/models/encoder"},
        )
    )
    assert told["generate"]["seeds"] == "open_cases.csv"
    assert told["generate"]["where"] == {"diagnosis": WITHHELD}
    assert told["generate"]["quotas"] == {"sex": "balanced", "ward": WITHHELD}
    assert told["eval"]["embedder"] == "encoder"
    assert settings(finished_run.recipe_of())["eval"]["embedder"] == "minilm"
