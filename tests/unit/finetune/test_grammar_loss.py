"""The grammar loss is the negative log-likelihood of a record's decisions, for any width of the head."""

import numpy as np
import pytest
import torch
from bitmasks import allowed_columns
from tiny_models import byte_tokenizer

from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
from paracosm.finetune.objectives.encoded_record import encode_record
from paracosm.finetune.objectives.grammar_loss import GrammarLoss
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Schema

DOSE = Field(name="dose", type="integer", minimum=8, maximum=120, nullable=True)
NOTE = Field(name="note", type="text", max_length=12, nullable=True)
RECORDS = [{"dose": 40, "note": "seen – again"}, {"dose": None, "note": None}, {"dose": 8, "note": ""}]


@pytest.mark.parametrize("spare", [0, 1, 70])
@pytest.mark.parametrize("fields", [(DOSE,), (DOSE, NOTE)])
def test_the_loss_equals_the_sum_over_a_walk_through_the_grammar(
    fields: tuple[Field, ...], spare: int
) -> None:
    tokenizer = byte_tokenizer()
    codec = Codec(Schema(fields), tokenizer)
    masks = TokenMasks(codec)
    encoded = [encode_record(record, codec, masks) for record in RECORDS]
    dataset = RecordDataset(encoded, opening=codec.opening, shuffled=False, seed=0)
    batch = Collator(codec.vocabulary, codec.alphabet.stop)([dataset[row] for row in range(len(RECORDS))])
    # A full head may be wider than the tokenizer, because models pad their embeddings.
    width = len(codec.vocabulary) if codec.vocabulary is not None else len(tokenizer) + spare
    logits = torch.randn(*batch["input_ids"].shape, width, generator=torch.Generator().manual_seed(0))
    loss = GrammarLoss(masks, codec.vocabulary)(logits, batch["shift_labels"], batch["mask_numbers"])
    walked = sum(_walk(record, row, logits, codec, masks) for row, record in enumerate(RECORDS))
    assert float(loss) == pytest.approx(walked, rel=1e-5)


def _walk(record: dict, row: int, logits: torch.Tensor, codec: Codec, masks: TokenMasks) -> float:
    matcher, total = masks.matcher(codec.grammar()), 0.0
    for position, token in enumerate(codec.encode(record)):
        allowed = allowed_columns(matcher.compute_bitmask(), codec.vocabulary)
        column = token if codec.vocabulary is None else codec.vocabulary.index(token)
        scores = torch.log_softmax(logits[row, position][torch.from_numpy(allowed)], dim=0)
        total -= scores[int(np.flatnonzero(allowed == column)[0])].item()
        assert matcher.consume_token(token)
    return total
