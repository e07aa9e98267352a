"""DP-SGD: per-sample gradients against autograd, the influence of one record on a step, sampling, noise and resumption."""

import copy
import hashlib
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from private_runs import begun, people, prepared_run, private_recipe
from safetensors.torch import load_file
from scipy.stats import kstest, norm
from tiny_models import byte_tokenizer, gpt2, save_tiny_llama

from paracosm.finetune.dp import dp_sgd
from paracosm.finetune.dp.accountant import Budget, budget_of, spent_epsilon
from paracosm.finetune.dp.dp_sgd import STATE, PrivateTraining
from paracosm.finetune.dp.per_sample_gradients import check_gradients, with_per_sample_gradients
from paracosm.finetune.dp.privacy_unit import training_units
from paracosm.finetune.dp.secret_rng import SECRET, SecretRng
from paracosm.finetune.dp.settings import as_trained
from paracosm.finetune.models.lora import with_adapter
from paracosm.finetune.objectives.causal import CausalObjective, causal_objective
from paracosm.finetune.stage import train
from paracosm.finetune.training.fused_lora import fuse
from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.privacy import Privacy
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("private")
    save_tiny_llama(folder / "llama")
    tokenizer = byte_tokenizer(("Male", "Female"))
    gpt2(tokenizer).save_pretrained(folder / "gpt2")
    tokenizer.save_pretrained(folder / "gpt2")
    return folder


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    return private_recipe(folder / "llama")


@pytest.fixture(scope="module")
def run(folder: Path, recipe: Recipe) -> Run:
    return prepared_run(folder / "run", recipe, people(150))


GRADIENTS = [
    pytest.param("llama", {}, id="all linear layers"),
    pytest.param("llama", {"method": "rslora"}, id="rsLoRA"),
    pytest.param("llama", {"target_modules": ["q_proj", "down_proj"]}, id="two layers"),
    pytest.param("llama", {"order": "shuffled"}, id="shuffled fields"),
    pytest.param("llama", {"gradient_checkpointing": True}, id="recomputed activations"),
    pytest.param("gpt2", {}, id="GPT-2"),
]


def gradients(recipe: Recipe, run: Run, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients of five records: by Opacus in one padded batch, and by autograd one by one, unpadded."""
    recipe = as_trained(recipe)
    objective = causal_objective(recipe, run)
    model = with_adapter(recipe, objective.codec, objective.train.max_tokens).to(device)  # type: ignore[arg-type]
    with torch.no_grad():
        for each in model.parameters():
            if each.requires_grad:
                each.add_(
                    torch.randn(each.shape, generator=torch.Generator().manual_seed(0)).to(device) * 0.1
                )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    alone = copy.deepcopy(model).train()
    if recipe.finetune.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": True})
    wrapped = with_per_sample_gradients(model).train()
    records = [objective.train[number] for number in range(5)]
    batch = {name: each.to(device) for name, each in objective.collate(records).items()}
    objective.record_losses(wrapped, batch).sum().backward()
    together = torch.cat(
        [each.grad_sample.flatten(1) for each in model.parameters() if each.requires_grad], 1
    )
    rows = []
    for record in records:
        alone.zero_grad()
        one = {name: each.to(device) for name, each in objective.collate([record]).items()}
        # The loss of ordinary training, so that the tested code provides neither the loss nor the padding.
        (objective.summed_loss(alone, one) / (one["shift_labels"] >= 0).sum()).backward()
        rows.append(torch.cat([each.grad.flatten() for each in alone.parameters() if each.requires_grad]))
    return together.cpu(), torch.stack(rows).cpu()


@pytest.mark.parametrize(("base", "settings"), GRADIENTS)
def test_per_sample_gradients_equal_those_of_single_records(
    folder: Path, run: Run, base: str, settings: dict[str, Any]
) -> None:
    together, alone = gradients(private_recipe(folder / base, finetune=settings), run, "cpu")
    assert float(alone.norm(dim=1).min()) > 0.1
    assert float((together - alone).abs().max()) < 1e-6 * float(alone.norm(dim=1).max())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("base", "settings"), GRADIENTS)
def test_per_sample_gradients_are_right_on_cuda(
    folder: Path, run: Run, base: str, settings: dict[str, Any]
) -> None:
    together, alone = gradients(private_recipe(folder / base, finetune=settings), run, "cuda")
    assert float((together - alone).norm(dim=1).max()) < 1e-5 * float(alone.norm(dim=1).max())


@pytest.mark.parametrize("bits", ["nf4", "int8"])
def test_gradients_over_a_quantized_base_pass_the_check(folder: Path, run: Run, bits: str) -> None:
    pytest.importorskip("bitsandbytes")
    recipe = private_recipe(folder / "llama", model={"quantize": bits, "dtype": "auto"})
    training, objective = begun(recipe, run)
    batch = objective.collate([objective.train[number] for number in range(4)])
    assert check_gradients(training.wrapped, objective, batch) < 0.05


def test_the_check_leaves_the_weights_as_they_were(recipe: Recipe, run: Run) -> None:
    training, objective = begun(recipe, run)
    before = [each.detach().clone() for each in training.weights]
    assert (
        check_gradients(
            training.wrapped, objective, objective.collate([objective.train[0], objective.train[1]])
        )
        < 1e-6
    )
    assert all(torch.equal(one, other) for one, other in zip(before, training.weights, strict=True))


def test_the_check_rejects_layers_that_opacus_does_not_see(recipe: Recipe, run: Run) -> None:
    recipe = as_trained(recipe)
    objective = causal_objective(recipe, run)
    model = with_adapter(recipe, objective.codec, objective.train.max_tokens)
    fuse(model)
    with pytest.raises(ModelError, match="privacy: "):
        check_gradients(
            with_per_sample_gradients(model),
            objective,
            objective.collate([objective.train[0], objective.train[1]]),
        )


def batch_mean(
    objective: CausalObjective, model: torch.nn.Module, batch: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Return the loss of transformers: averaged over all decisions of a batch, so that a long record weakens the others."""
    chosen = batch["shift_labels"] >= 0
    logits = model(input_ids=batch["input_ids"], use_cache=False).logits
    sums = objective.grammar_loss.of_records(logits, batch["shift_labels"], batch["mask_numbers"])
    return sums / chosen.sum() * len(sums)


def test_the_check_rejects_a_loss_that_couples_records(
    recipe: Recipe, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CausalObjective, "record_losses", batch_mean)
    training, objective = begun(recipe, run)
    lengths = [objective.train.records[number].decisions for number in range(len(objective.train))]
    several = [objective.train[int(np.argmin(lengths))], objective.train[int(np.argmax(lengths))]]
    with pytest.raises(ModelError, match="are off by"):
        check_gradients(training.wrapped, objective, objective.collate(several))


def summed(training: PrivateTraining, records: list[int]) -> torch.Tensor:
    """Return the summed gradient of a step on given records, without noise."""
    found: list[torch.Tensor] = []

    def read(optimizer: Any) -> None:
        found.append(
            torch.cat([each.grad.flatten() for each in optimizer.params]) * training.budget.expected_batch
        )

    training.optimizer.attach_step_hook(read)
    training.optimizer.original_optimizer.step = lambda closure=None: None  # type: ignore[method-assign]
    training.rng.poisson_sample = lambda *_: records  # type: ignore[method-assign]
    training.wrapped.train()
    training.step(0)
    return found[0]


def silent(recipe: Recipe, run: Run, clip: float = 0.05) -> PrivateTraining:
    return begun(recipe, run, budget=Budget(8.0, 1e-4, 0.0, 0.3, 10, 100, "record", clip))[0]


def test_one_record_changes_a_step_by_at_most_the_clipping_norm(recipe: Recipe, run: Run) -> None:
    training = silent(recipe, run)
    whole = summed(training, list(range(12)))
    for left_out in range(0, 12, 4):
        rest = [number for number in range(12) if number != left_out]
        moved = float((whole - summed(training, rest)).norm())
        assert 0.04 < moved <= 0.05 * (1 + 1e-5)


def test_the_micro_batch_size_does_not_change_a_step(recipe: Recipe, run: Run) -> None:
    training = silent(recipe, run)
    whole = summed(training, list(range(13)))
    training.micro_batch = 4
    torch.testing.assert_close(summed(training, list(range(13))), whole, rtol=0, atol=1e-6)


def test_a_step_without_records_still_adds_noise(recipe: Recipe, run: Run) -> None:
    budget = Budget(8.0, 1e-4, 2.0, 0.3, 10, 100, "record", 0.5)
    training, _ = begun(recipe, run, budget=budget)
    noise = summed(training, [])
    assert float(noise.std()) == pytest.approx(2.0 * 0.5, rel=0.05)
    assert kstest(noise.numpy(), norm(scale=2.0 * 0.5).cdf).pvalue > 0.001
    training, _ = begun(recipe, run, budget=budget)
    training.rng.poisson_sample = lambda *_: []  # type: ignore[method-assign]
    before = [each.detach().clone() for each in training.weights]
    assert training.step(3) == []
    assert all(not torch.equal(one, other) for one, other in zip(before, training.weights, strict=True))


def test_the_accountant_agrees_with_published_settings() -> None:
    for units, batch, epochs, noises in (
        (1000, 128, 10, (3.75, 1.62, 0.91)),
        (10_000, 256, 5, (1.62, 0.90, 0.62)),
    ):
        for epsilon, noise in zip((1, 3, 8), noises, strict=True):
            rate, delta = batch / units, 1 / (units * math.log(units))
            assert spent_epsilon(noise, rate, math.ceil(epochs / rate), delta) == pytest.approx(
                epsilon, rel=0.03
            )
    made = budget_of(Privacy(epsilon=1, batch_size=128, epochs=10), 1000, "record")
    assert made.noise_multiplier == pytest.approx(3.75, rel=0.02)
    assert 0.98 < made.epsilon <= 1
    assert made.delta == pytest.approx(1 / (1000 * math.log(1000)))


def test_an_impossible_budget_is_an_error() -> None:
    with pytest.raises(RecipeError, match="privacy: 5 training records are too few"):
        budget_of(Privacy(epsilon=1), 5, "record")
    with pytest.raises(RecipeError, match=r"privacy\.delta: must be below 1/500"):
        budget_of(Privacy(epsilon=1, delta=0.01), 500, "subject")
    assert spent_epsilon(2.0, 0.1, 200, 1e-4) > spent_epsilon(2.0, 0.1, 100, 1e-4)


def test_sampling_depends_on_the_secret_and_the_step_only(tmp_path: Path) -> None:
    rng = SecretRng.create(tmp_path)
    assert (tmp_path / SECRET).stat().st_mode & 0o777 == 0o600
    again = SecretRng.load(tmp_path)
    assert again is not None
    units = [[number] for number in range(4000)]
    drawn = [rng.poisson_sample(step, units, 0.1) for step in range(50)]
    assert drawn == [again.poisson_sample(step, units, 0.1) for step in range(50)]
    sizes = np.array([len(each) for each in drawn])
    # Binomial: mean 400, standard deviation 19; batches of fixed size would have none.
    assert abs(sizes.mean() - 400) < 12
    assert 10 < sizes.std() < 30
    assert rng.seed("dropout", 1) != rng.seed("dropout", 2)
    assert SecretRng(bytes(32)).poisson_sample(0, units, 0.1) != drawn[0]


def test_noise_depends_on_every_bit_of_the_secret_and_on_the_step() -> None:
    secret = bytes(range(32))
    noise = SecretRng(secret).noise(3, 1, (50, 20))
    assert noise.shape == (50, 20)
    assert noise.dtype == torch.float64
    assert torch.equal(noise, SecretRng(secret).noise(3, 1, (50, 20)))
    others = [SecretRng(secret).noise(4, 1, (50, 20)), SecretRng(secret).noise(3, 2, (50, 20))]
    for place, bit in ((0, 7), (15, 3), (31, 0)):
        flipped = bytearray(secret)
        flipped[place] ^= 1 << bit
        others.append(SecretRng(bytes(flipped)).noise(3, 1, (50, 20)))
    for other in others:
        assert abs(np.corrcoef(noise.flatten(), other.flatten())[0, 1]) < 0.15


def test_uniform_numbers_come_from_the_hash_and_never_reach_0_or_1(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = SecretRng(bytes(32)).uniforms("coins/0", 3)
    words = np.frombuffer(hashlib.shake_256(bytes(32) + b"coins/0").digest(24), "<u8")
    np.testing.assert_allclose(drawn, words / 2**64, rtol=0, atol=2**-52)
    for word, extreme in (("00", 2**-53), ("ff", 1 - 2**-53)):
        fixed = SimpleNamespace(digest=lambda count, word=word: bytes.fromhex(word) * count)
        monkeypatch.setattr(hashlib, "shake_256", lambda _, fixed=fixed: fixed)
        assert SecretRng(bytes(32)).uniforms("coins/0", 1).tolist() == [extreme]
        assert SecretRng(bytes(32)).noise(0, 0, (2,)).isfinite().all()


def test_noise_does_not_depend_on_a_generator_of_torch(recipe: Recipe, run: Run) -> None:
    budget = Budget(8.0, 1e-4, 2.0, 0.3, 10, 100, "record", 0.5)
    noises = []
    for secret in (bytes(32), bytes(32), bytes(31) + b"\1"):
        training, _ = begun(recipe, run, secret=secret, budget=budget)
        training.rng.seed = lambda *_: 0  # type: ignore[method-assign]
        noises.append(summed(training, []))
    assert torch.equal(noises[0], noises[1])
    assert abs(np.corrcoef(noises[0], noises[2])[0, 1]) < 0.1


def test_noise_is_normal() -> None:
    noise = SecretRng(bytes(32)).noise(0, 0, (100_000,)).numpy()
    assert kstest(3 * noise, norm(scale=3).cdf).pvalue > 0.01


def test_a_subject_is_sampled_with_one_of_its_records(folder: Path) -> None:
    table = people(120).assign(patient=[f"p{number // 3}" for number in range(120)])
    recipe = private_recipe(folder / "llama", data={"subject": "patient"})
    run = prepared_run(folder / "subjects", recipe, table)
    schema = Schema.load(run.schema)
    train_rows = read_table(run.split("train"), schema)
    units = training_units(recipe, schema, train_rows, len(train_rows) + 2)
    assert [len(each) for each in units[-2:]] == [1, 1]
    assert all(train_rows["patient"].iloc[each].nunique() == 1 for each in units[:-2])
    assert sorted(number for each in units for number in each) == list(range(len(train_rows) + 2))
    drawn = SecretRng(bytes(32)).poisson_sample(0, units, 1.0)
    assert len(drawn) == len(units)
    assert training_units(
        private_recipe(folder / "llama", data={"subject": "patient"}, privacy={"unit": "record"}),
        schema,
        train_rows,
        len(train_rows),
    ) == [[number] for number in range(len(train_rows))]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"finetune": {"smoothing": 3}}, r"finetune\.smoothing: depends on the ranks"),
        ({"finetune": {"packing": True}}, r"finetune\.packing: puts several records in one row"),
        (
            {"finetune": {"max_minutes": 5}},
            r"finetune\.max_minutes: with privacy the number of steps is fixed",
        ),
        (
            {"finetune": {"method": "dora"}},
            r"finetune\.method: per-sample gradients are not verified for dora",
        ),
        (
            {"finetune": {"method": "full"}},
            r"finetune\.method: per-sample gradients are not verified for full",
        ),
        (
            {"generate": {"drop_copies": "exact"}},
            r"generate\.drop_copies: reads the training records again",
        ),
        ({"privacy": {"unit": "subject"}}, r"privacy\.unit: subject needs data\.subject"),
    ],
)
def test_settings_that_break_the_guarantee_are_rejected(
    folder: Path, sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        as_trained(private_recipe(folder / "llama", **sections))


def test_several_processes_are_rejected(recipe: Recipe, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = as_trained(recipe)
    objective = causal_objective(trained, run)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        RecipeError, match="privacy: private training runs in one process, but 2 were started"
    ):
        dp_sgd.fit_privately(None, objective, trained, run, print)  # type: ignore[arg-type]


def test_control_records_do_not_influence_training(recipe: Recipe) -> None:
    trained = as_trained(recipe).finetune
    assert trained.patience is None
    assert trained.smoothing == 0
    assert (trained.epochs, trained.batch_size, trained.learning_rate) == (4, 32, 0.01)


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.adapter / "adapter_model.safetensors")


def test_a_killed_training_resumes_with_the_same_result(
    folder: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = (prepared_run(folder / name, recipe, people(150)) for name in ("whole", "broken"))
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(range(count)))
    train(recipe=recipe, run=whole, progress=lambda _: None)
    steps, step = [], PrivateTraining.step

    def failing(self: PrivateTraining, index: int) -> list[float]:
        if index == 9 and 9 not in steps:
            steps.append(index)
            raise KeyboardInterrupt
        steps.append(index)
        return step(self, index)

    monkeypatch.setattr(PrivateTraining, "step", failing)
    with pytest.raises(KeyboardInterrupt):
        train(recipe=recipe, run=broken, progress=lambda _: None)
    messages: list[str] = []
    train(recipe=recipe, run=broken, progress=messages.append)
    assert any(line.startswith("resuming at step") for line in messages)
    # Steps after the checkpoint are repeated with the same sample and noise, and no step is left out.
    assert sorted(set(steps)) == list(range(whole.journal.stage("finetune")["facts"]["privacy"]["steps"]))
    first, second = weights_of(whole), weights_of(broken)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert whole.history.read_bytes() == broken.history.read_bytes()
    spent = [each.journal.stage("finetune")["facts"]["epsilon"] for each in (whole, broken)]
    assert spent[0] == spent[1] <= 8
    assert whole.journal.read()["private_trainings"] == broken.journal.read()["private_trainings"] == 1


def test_a_checkpoint_without_its_secret_is_not_resumed(folder: Path, recipe: Recipe, run: Run) -> None:
    again = prepared_run(folder / "again", recipe, people(150))
    train(recipe=recipe, run=again, progress=lambda _: None)
    (again.checkpoints / SECRET).unlink()
    journal = again.journal.read()
    del journal["stages"]["finetune"]
    again.journal.write(journal)
    messages: list[str] = []
    before = weights_of(again)
    train(recipe=recipe, run=again, progress=messages.append)
    assert not any("resuming" in line for line in messages)
    assert (again.checkpoints / STATE).is_file()
    facts = again.journal.stage("finetune")["facts"]
    # A second training on the same records spends a second budget, and is counted.
    assert facts["privacy"]["trainings"] == 2
    assert any(not torch.equal(before[name], each) for name, each in weights_of(again).items())


def test_the_secret_is_not_in_the_adapter_or_the_journal(folder: Path, recipe: Recipe) -> None:
    run = prepared_run(folder / "secretive", recipe, people(150))
    train(recipe=recipe, run=run, progress=lambda _: None)
    secret = (run.checkpoints / SECRET).read_bytes()
    for path in (*run.adapter.rglob("*"), run.journal.path):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert secret.hex() not in path.read_text(errors="ignore")


def test_a_changed_budget_trains_again_and_an_equal_one_does_not(folder: Path, recipe: Recipe) -> None:
    run = prepared_run(folder / "budget", recipe, people(150))
    assert train(recipe=recipe, run=run, progress=lambda _: None)
    assert not train(recipe=recipe, run=run, progress=lambda _: None)
    assert recipe.privacy is not None
    other = recipe.model_copy(update={"privacy": recipe.privacy.model_copy(update={"max_grad_norm": 0.5})})
    assert train(recipe=other, run=run, progress=lambda _: None)
    facts = run.journal.stage("finetune")["facts"]
    assert facts["privacy"]["max_grad_norm"] == 0.5
    assert facts["epsilon"] <= 8


def test_record_losses_add_up_to_the_summed_loss(recipe: Recipe, run: Run) -> None:
    training, objective = begun(recipe, run)
    batch = objective.collate([objective.train[number] for number in range(6)])
    with torch.no_grad():
        each = objective.record_losses(training.model, batch)
        total = objective.summed_loss(training.model, batch)
    decisions = (batch["shift_labels"] >= 0).sum(1)
    assert float((each * decisions).sum()) == pytest.approx(float(total), rel=1e-5)
    assert replace(training.budget, sampling_rate=0.5).expected_batch == training.budget.units / 2
