"""Every step holds the same records however they are dealt among processes and forward passes."""

from hypothesis import given
from hypothesis import strategies as st

from paracosm.finetune.objectives.causal_dataset import EncodedRecord, RecordDataset
from paracosm.finetune.training.batch_sampler import GlobalBatchSampler


def records(count: int) -> RecordDataset:
    lengths = [1 + number % 5 for number in range(count)]
    return RecordDataset(
        [EncodedRecord(((1,) * length,), ((0,) * length,)) for length in lengths],
        opening=(0,),
        shuffled=False,
        seed=0,
    )


def dealt(
    count: int, batch: int, micro: int, rank: int, processes: int, epoch: int = 0
) -> GlobalBatchSampler:
    training = records(count)
    training.begin_epoch(epoch)
    return GlobalBatchSampler(
        training, batch_size=batch, micro_batch=micro, rank=rank, processes=processes, seed=3
    )


@given(
    count=st.integers(1, 60),
    batch=st.integers(1, 16),
    micro=st.integers(1, 9),
    processes=st.integers(1, 9),
)
def test_steps_are_those_of_one_process(count: int, batch: int, micro: int, processes: int) -> None:
    alone = list(dealt(count, batch, batch, 0, 1))
    each = [dealt(count, batch, micro, rank, processes) for rank in range(processes)]
    hands = [list(one) for one in each]
    # All go through as many passes as they said, or one would wait for ever.
    assert {len(hand) for hand in hands} == {len(each[0])}
    assert all(len(part) <= micro for hand in hands for part in hand)
    passes, at, steps = each[0].passes, 0, []
    while at < len(hands[0]):
        step = [
            part for place in range(at, min(at + passes, len(hands[0]))) for part in (h[place] for h in hands)
        ]
        steps.append([number for part in step for number in part])
        at += passes
    assert steps == alone
    assert sorted(number for step in steps for number in step) == list(range(count))


def test_an_epoch_has_an_order_of_its_own_and_long_records_lead_a_step() -> None:
    first, second = (list(dealt(40, 8, 8, 0, 1, epoch)) for epoch in (0, 1))
    assert first != second
    assert first == list(dealt(40, 8, 8, 0, 1, 0))
    for step in first:
        lengths = [1 + number % 5 for number in step]
        assert lengths == sorted(lengths, reverse=True)
