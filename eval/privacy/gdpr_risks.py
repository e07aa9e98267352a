"""The three risks that European data protection law names: singling out, linkability, inference.

Each is attacked with the synthetic records, against training records and against control records that the generator
never saw; what succeeds on control is no leak. A risk of 0 means that training records fare no worse than strangers,
1 that every one of them falls (Article 29 Working Party 2014, WP216; Giomi et al. 2023 for the control group).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from paracosm.eval.measuring.context import NUMERIC, Context, drawn_rows
from paracosm.eval.measuring.metric import FEWEST_ROWS, NORMAL_95, Estimate, Obstacle
from paracosm.eval.representations.features import as_words
from paracosm.eval.representations.row_distance import RowVectors, nearest
from paracosm.eval.statistics.intervals import excess, wilson
from paracosm.records.schema.schema import Field

FEWEST_FIELDS = 3
MOST_TARGETS = 1000
MOST_TRAIN = 20_000
PREDICATES = 1500
PREDICATE_FIELDS = (2, 3, 4, 5)
SAME_RANK = 0.01
NEAR_RANK = 0.05
PARTITIONS = 5
LINK_NEIGHBOURS = 3
MOST_SECRETS = 12


def privacy_risks(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the risks `singling_out`, `linkability` and `inference` of a candidate."""
    real: _Real = context.once("privacy risks", lambda: _Real.of(context))
    return {
        "singling_out": _singling_out(context, real, candidate),
        "linkability": _linkability(context, real, candidate),
        "inference": _inference(context, real, candidate),
    }


def risks_obstacle(context: Context) -> Obstacle | None:
    """Return why the risks cannot be measured, or None."""
    count = len(structured(context))
    if count < FEWEST_FIELDS:
        return Obstacle(
            f"they need {FEWEST_FIELDS} columns that are no text, and there are {count}", curable=False
        )
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


def structured(context: Context) -> list[Field]:
    """Return the fields that are no text."""
    return [each for each in context.fields if each.type != "text"]


@dataclass(frozen=True)
class _Real:
    """The real side of the three attacks, the same for all candidates."""

    vectors: RowVectors
    codes: "_Codes"
    train_codes: np.ndarray
    control_codes: np.ndarray
    asked: list[np.ndarray]
    """Blocks of the attacked records, members first."""
    asked_codes: np.ndarray
    members: int

    @classmethod
    def of(cls, context: Context) -> "_Real":
        fields, seed = structured(context), context.settings.seed
        known = context.train.iloc[drawn_rows(len(context.train), MOST_TARGETS, seed)]
        unseen = context.control.iloc[drawn_rows(len(context.control), MOST_TARGETS, seed + 1)]
        train = context.train.iloc[drawn_rows(len(context.train), MOST_TRAIN, seed)]
        vectors, codes = RowVectors(fields, context.real), _Codes(fields, context.real)
        asked = pd.concat([known, unseen], ignore_index=True)
        return cls(
            vectors,
            codes,
            codes(train),
            codes(context.control),
            vectors.blocks(asked),
            codes(asked),
            len(known),
        )


class _Codes:
    """Cells as numbers that lie within 1 of each other exactly where they count as the same.

    Numbers and dates are the same within 1% of the ranks, everything else only where it is equal.
    """

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        self.ranks = RowVectors([each for each in fields if each.type in NUMERIC], real)
        self.fields = fields
        words = {each.name: np.unique(as_words(real[each.name]).astype(str)) for each in fields}
        self.words = {
            name: {word: number for number, word in enumerate(known)} for name, known in words.items()
        }

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """Return the codes of a table (rows x fields)."""
        ranked = iter(self.ranks.blocks(table))
        columns = []
        for each in self.fields:
            if each.type in NUMERIC:
                rank, absent = next(ranked).T
                columns.append(np.where(absent > 0, -1000.0, rank / SAME_RANK))
            else:
                known = self.words[each.name]
                columns.append(
                    [10.0 * known.get(str(word), len(known)) for word in as_words(table[each.name])]
                )
        return np.array(columns, dtype=np.float64).T


def _singling_out(context: Context, real: _Real, candidate: pd.DataFrame) -> Estimate:
    """Return 2 s - 1, where s is the share of train among the records that predicates single out.

    A predicate states a few cells of one synthetic record and holds for no other. It singles somebody out where it
    holds for exactly one record of a set of control's size of train and all of control together; the mean over such
    sets of train is taken in closed form. Both sides are equally many, so strangers give s = 1/2.
    The interval adds the variance over the people singled out on both sides and over synthetic records, and is no
    narrower than Wilson's.
    """
    random = np.random.default_rng([context.settings.seed, 41])
    ours = real.codes(candidate)
    drawn = min(len(real.train_codes), len(real.control_codes))
    by_train, by_control = np.zeros(len(real.train_codes)), np.zeros(len(real.control_codes))
    of_row = np.zeros((len(ours), 2))
    sizes = [size for size in PREDICATE_FIELDS if size <= ours.shape[1]]
    unique = 0
    for row in random.integers(0, len(ours), PREDICATES):
        columns = random.choice(ours.shape[1], random.choice(sizes), replace=False)
        if len(_holds(ours, ours[row], columns)) != 1:
            continue
        unique += 1
        in_train, in_control = (
            _holds(side, ours[row], columns) for side in (real.train_codes, real.control_codes)
        )

        def chance(hits: int, held: int = len(in_train)) -> float:
            return float(hypergeom.pmf(hits, len(real.train_codes), held, drawn))

        if len(in_train) and not len(in_control):
            by_train[in_train] += chance(1) / len(in_train)
            of_row[row, 0] += chance(1)
        elif len(in_control) == 1:
            by_control[in_control] += chance(0)
            of_row[row, 1] += chance(0)
    ours_total, theirs_total = by_train.sum(), by_control.sum()
    total = ours_total + theirs_total
    people = float(np.minimum((by_train > 0).sum(), drawn) + (by_control > 0).sum())
    facts = {"predicates": unique, "people_singled_out": int((by_train > 0).sum() + (by_control > 0).sum())}
    if total == 0:
        return Estimate(0.0, -1.0, 1.0, facts=facts)
    share = ours_total / total
    variance = (
        theirs_total**2 * by_train.var() * len(by_train) + ours_total**2 * by_control.var() * len(by_control)
    ) / total**4
    # Other synthetic records would have given other predicates.
    turned = (theirs_total * of_row[:, 0] - ours_total * of_row[:, 1]) / total**2
    margin = NORMAL_95 * float(np.sqrt(variance + len(turned) * turned.var()))
    low, high = wilson(share * people, people)
    return Estimate(
        float(2 * share - 1),
        float(2 * min(low, max(0.0, share - margin)) - 1),
        float(2 * max(high, min(1.0, share + margin)) - 1),
        facts=facts,
    )


def _holds(rows: np.ndarray, asked: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the numbers of the rows that agree with `asked` in all `columns`."""
    left = np.arange(len(rows))
    for column in columns:
        left = left[np.abs(rows[left, column] - asked[column]) <= 1]
    return left


def _linkability(context: Context, real: _Real, candidate: pd.DataFrame) -> Estimate:
    """Return the risk that two halves of a record are linked because both lie next to one synthetic record.

    The columns are divided in two at random, five times; a link succeeds where the three synthetic records nearest in
    one half and the three nearest in the other share one.
    """
    random = np.random.default_rng([context.settings.seed, 43])
    ours, linked = real.vectors.blocks(candidate), []
    for _ in range(PARTITIONS):
        order = random.permutation(len(ours))
        halves = np.array_split(order, 2)
        one, other = (
            nearest(_joined(real.asked, half), _joined(ours, half), LINK_NEIGHBOURS).index for half in halves
        )
        linked.append((one[:, :, None] == other[:, None, :]).any(axis=(1, 2)))
    risk = _risk(np.array(linked), real.members)
    # Two draws of three synthetic records, blindly.
    blind = 1 - float(hypergeom.pmf(0, len(candidate), *[min(LINK_NEIGHBOURS, len(candidate))] * 2))
    return replace(risk, facts=risk.facts | {"rate_of_naive_guess": blind})


def _inference(context: Context, real: _Real, candidate: pd.DataFrame) -> Estimate:
    """Return the risk that a cell is guessed from the others, by the synthetic record that is nearest in them.

    A guess is right where categories are equal, or numbers within 5% of the ranks; mean over at most 12 columns.
    """
    random = np.random.default_rng([context.settings.seed, 47])
    fields, ours, codes = structured(context), real.vectors.blocks(candidate), real.codes(candidate)
    secrets = np.sort(random.permutation(len(fields))[:MOST_SECRETS])
    right, naive = [], []
    for secret in secrets:
        known = np.delete(np.arange(len(fields)), secret)
        found = nearest(_joined(real.asked, known), _joined(ours, known), 1).index[:, 0]
        reach = NEAR_RANK / SAME_RANK if fields[secret].type in NUMERIC else 1
        right.append(np.abs(codes[found, secret] - real.asked_codes[:, secret]) <= reach)
        guess = _naive_guess(codes[:, secret], numeric=fields[secret].type in NUMERIC)
        naive.append(np.mean(np.abs(guess - real.asked_codes[: real.members, secret]) <= reach))
    risk = _risk(np.array(right), real.members)
    each = {
        fields[number].name: _risk(hit[None, :], real.members).value
        for number, hit in zip(secrets, right, strict=True)
    }
    return replace(risk, breakdown=each, facts=risk.facts | {"rate_of_naive_guess": float(np.mean(naive))})


def _naive_guess(codes: np.ndarray, *, numeric: bool) -> float:
    """Return what one guesses without knowing anything of the person: the middle number or the commonest word."""
    if numeric:
        return float(np.median(codes))
    words, counts = np.unique(codes, return_counts=True)
    return float(words[counts.argmax()])


def _joined(blocks: list[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    return np.hstack([blocks[number] for number in chosen])


def _risk(success: np.ndarray, members: int) -> Estimate:
    """Return (r_train - r_control) / (1 - r_control) from each target's successes, members first (trials x targets)."""
    known, unseen = success[:, :members], success[:, members:]
    rates = float(known.mean()), float(unseen.mean())
    counts = _independent_trials(known), _independent_trials(unseen)
    found = excess(rates[0] * counts[0], counts[0], rates[1] * counts[1], counts[1])
    room = max(1e-9, 1 - rates[1])
    facts = {
        "rate_on_train": rates[0],
        "rate_on_control": rates[1],
        "train_records": known.shape[1],
        "control_records": unseen.shape[1],
    }
    return Estimate(found.value / room, found.low / room, min(1.0, found.high / room), facts=facts)


def _independent_trials(success: np.ndarray) -> float:
    """Return how many independent trials tell a rate as well as these, where a record's own trials go together.

    Between one a record (they agree) and all of them; that many make Wilson's interval as wide as the records vary.
    """
    trials, records = success.shape
    rate, variance = float(success.mean()), float(success.mean(axis=0).var())
    if variance <= 0:
        return float(records)
    return records * float(np.clip(rate * (1 - rate) / variance, 1, trials))
