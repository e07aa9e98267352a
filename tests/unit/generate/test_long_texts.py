"""Texts longer than the model's input: generation reads the windows of training, so a record has the likelihood it was drawn with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import byte_tokenizer, gpt2, llama, unigram_tokenizer

from paracosm.eval.attacks.likelihoods.reader import CausalReader
from paracosm.finetune.objectives.causal_dataset import RecordDataset
from paracosm.finetune.objectives.encoded_record import EncodedDocument, encode_all, encode_columns
from paracosm.generate.constraints.request import Request
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.token_sampler import TokenSampler
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passage_lengths import in_passages
from paracosm.records.codec.passages import PassageLayout
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Record, Schema

CONTEXT = 112
SCHEMA = Schema(
    (
        Field(name="note", type="text", min_length=1, max_length=3000, nullable=True),
        Field(name="dose", type="integer", minimum=8, maximum=120, nullable=True),
        Field(name="title", type="text", max_length=5),
        Field(name="letter", type="text", max_length=3000),
    )
)
SENTENCES = ["The dose was raised.", "No fever – again!", "Was seen\nin café 7.\n\n", "日本 🙂"]


PLAIN = ["the dose was raised.", "no fever again;", "seen in ward 7.", "day"]
"""Without letters that the small vocabulary of `unigram_tokenizer` lacks."""


def records(count: int, sentences: Sequence[str] = SENTENCES) -> list[Record]:
    rng = np.random.default_rng(0)
    made: list[Record] = []
    for number in range(count):
        note, letter = (
            " ".join(sentences[int(at)] for at in rng.integers(4, size=rng.integers(1, 30))) for _ in range(2)
        )
        made.append(
            {
                "note": None if number % 4 == 3 else note,
                "dose": 8 + number,
                "title": "🙂" * 5 if number == 2 and sentences is SENTENCES else f"t {number}",
                "letter": letter,
            }
        )
    return made


def adapted(layout: str = "places", family: str = "llama") -> AdaptedModel:
    tokenizer = byte_tokenizer() if family == "llama" else unigram_tokenizer()
    codec = Codec(SCHEMA, tokenizer, layout)  # type: ignore[arg-type]
    codec = in_passages(
        codec, records(12, SENTENCES if family == "llama" else PLAIN), limit=128, context=CONTEXT
    )
    model = {"llama": llama, "gpt2": gpt2}[family](tokenizer).eval()
    return AdaptedModel(model, codec, TokenMasks(codec))


class Watched(TokenSampler):
    """Adds up the log probability of what it draws, by state."""

    def __init__(self, inner: TokenSampler) -> None:
        super().__init__(inner.columns, inner.sampling, inner.stop)
        self.totals: dict[int, float] = {}

    def draw(self, logits: torch.Tensor, states: Sequence[SequenceState]) -> list[tuple[int, int]]:
        drawn = super().draw(logits, states)
        for row, token in drawn:
            state = states[row]
            if state.in_text:
                packed, banned, must_stop = state.text_mask()
                assert (banned, must_stop) == (None, False), "the draw is not the model's own"
                allowed = np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little"))
                allowed = allowed[allowed < logits.shape[1]]
            else:
                allowed = np.array(sorted(state.walk.allowed.edges))
            logs = torch.log_softmax(logits[row].double()[torch.from_numpy(allowed)], 0)
            at = int(np.flatnonzero(allowed == token)[0])
            self.totals[id(state)] = self.totals.get(id(state), 0.0) + float(logs[at])
        return drawn


@pytest.mark.parametrize("layout", ["places", "markers"])
def test_a_generated_document_has_the_likelihood_with_which_it_was_drawn(
    layout: str,
) -> None:
    model = adapted(layout)
    decoder = Decoder(model, batch_size=3)
    watched = Watched(decoder._settings.sampler)
    object.__setattr__(decoder._settings, "sampler", watched)
    states = decoder.decode([Request(number) for number in range(24)], seed=3)
    drawn = [model.codec.decode(state.ids) for state in states]
    assert max(len(state.ids) for state in states) > 2 * CONTEXT
    reader = CausalReader(model.codec, model.masks)
    encoded, unknown = reader.encode(drawn)
    assert unknown == 0
    likelihoods = reader.likelihoods(model.model, encoded)
    for state, likelihood, document in zip(states, likelihoods, encoded, strict=True):
        assert likelihood.log_probability.sum() == pytest.approx(watched.totals[id(state)], abs=2e-3)
        assert isinstance(document, EncodedDocument)
        assert document.longest <= CONTEXT


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("layout", ["places", "markers"])
def test_windows_hold_every_token_of_a_record_once_and_fit_into_the_context(layout: str, family: str) -> None:
    model = adapted(layout, family)
    codec = model.codec
    assert codec.passages is not None
    assert codec.passages.fields == ("note", "letter")
    made = records(12, SENTENCES if family == "llama" else PLAIN)
    for record, document in zip(made, encode_all(made, codec, model.masks), strict=True):
        assert isinstance(document, EncodedDocument)
        whole = codec.encode(record)
        decided = sum(window.decisions for window in document.windows)
        assert document.longest <= CONTEXT
        texts = {index: [] for index in PassageLayout(codec).indices}
        for window in document.windows:
            for index in texts:
                texts[index] += [
                    token for token, mask in zip(window.ids[index], window.masks[index], strict=True) if mask
                ]
        for index, tokens in texts.items():
            value = codec.encode_value(index, record[codec.fields[index].name])
            # Only the token that a text begins with is forced, where the text may not be missing or empty.
            assert tokens == value[len(value) - len(tokens) :]
            assert len(tokens) >= len(value) - 1
        assert decided <= len(whole)


def test_likelihood_is_that_of_one_window_while_a_text_fits() -> None:
    model = adapted()
    short: Record = {"note": None, "dose": 9, "title": "t", "letter": "Seen."}
    (document,) = encode_all([short], model.codec, model.masks)
    assert isinstance(document, EncodedDocument)
    assert len(document.windows) == 2
    assert document.decisions == sum(
        number != 0
        for index, field in enumerate(model.codec.fields)
        for number in model.masks.of_value(index, model.codec.encode_value(index, short[field.name]))
    )


def test_smoothed_columns_change_in_every_window_of_a_document_and_nothing_else_does() -> None:
    model = adapted()
    made = records(12)
    encoded = encode_all(made, model.codec, model.masks)
    other = {**made[0], "dose": 99}
    dataset = RecordDataset(
        encoded,
        opening=model.codec.opening,
        shuffled=False,
        seed=0,
        redraw=lambda index, epoch: encode_columns(
            other if index == 0 else made[index], model.codec, model.masks
        ),
    )
    expected = encode_all([other, *made[1:]], model.codec, model.masks)
    straight = RecordDataset(expected, opening=model.codec.opening, shuffled=False, seed=0)
    assert dataset.record_count == 12
    assert [dataset[index] for index in range(len(dataset))] == [
        straight[index] for index in range(len(straight))
    ]


def test_a_generated_document_does_not_depend_on_the_batch() -> None:
    model = adapted()
    wide = Decoder(model, batch_size=5).records([Request(number) for number in range(5)], seed=1)
    alone = [Decoder(model, batch_size=1).records([Request(number)], seed=1)[0] for number in range(5)]
    assert wide == alone


def test_a_document_that_does_not_end_is_ended_at_the_longest_training_text() -> None:
    model = adapted()
    sizes = model.codec.passages
    assert sizes is not None
    stop = model.codec.alphabet.stop

    def never_stop(_: object, __: object, output: Any) -> None:
        output.logits[..., stop] -= 1e4

    model.model.register_forward_hook(never_stop)
    decoder = Decoder(model, batch_size=2)
    for (record,) in decoder.records([Request(0), Request(1)], seed=0):
        assert model.codec.schema.allows(record)
        assert len(model.codec.encode_value(3, record["letter"])) <= sizes.most + 4
    assert decoder.tally.cut_texts >= 2


def test_records_that_fit_are_not_written_in_passages() -> None:
    codec = Codec(SCHEMA, byte_tokenizer())  # type: ignore[arg-type]
    assert in_passages(codec, records(12), limit=100_000, context=3000) is codec
