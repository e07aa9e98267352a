"""A step has the same records however it is divided into ranks and forward passes."""

from hypothesis import given
from hypothesis import strategies as st

from paracosm.finetune.objectives.causal_dataset import RecordDataset
from paracosm.finetune.objectives.encoded_record import EncodedRecord
from paracosm.finetune.training.batch_sampler import GlobalBatchSampler


def records(count: int) -> RecordDataset:
    lengths = [1 + number % 5 for number in range(count)]
    return RecordDataset(
        [EncodedRecord(((1,) * length,), ((0,) * length,)) for length in lengths],
        opening=(0,),
        shuffled=False,
        seed=0,
    )


def sampler(
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
def test_steps_equal_those_of_one_process(count: int, batch: int, micro: int, processes: int) -> None:
    alone = list(sampler(count, batch, batch, 0, 1))
    samplers = [sampler(count, batch, micro, rank, processes) for rank in range(processes)]
    by_rank = [list(one) for one in samplers]
    # All ranks make the same number of passes, or one would wait forever.
    assert {len(passes) for passes in by_rank} == {len(samplers[0])}
    assert all(len(part) <= micro for parts in by_rank for part in parts)
    passes, at, steps = samplers[0].passes, 0, []
    while at < len(by_rank[0]):
        step = [parts[index] for index in range(at, min(at + passes, len(by_rank[0]))) for parts in by_rank]
        steps.append([number for part in step for number in part])
        at += passes
    assert steps == alone
    assert sorted(number for step in steps for number in step) == list(range(count))


def test_every_epoch_has_another_order_and_a_step_is_sorted_by_length() -> None:
    first, second = (list(sampler(40, 8, 8, 0, 1, epoch)) for epoch in (0, 1))
    assert first != second
    assert first == list(sampler(40, 8, 8, 0, 1, 0))
    for step in first:
        lengths = [1 + number % 5 for number in step]
        assert lengths == sorted(lengths, reverse=True)
