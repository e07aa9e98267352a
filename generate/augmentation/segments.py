"""Segments written again: a masked model fills a gap of words, or a causal model writes a sentence between its neighbours."""

import re
from functools import cache
from typing import Any

import numpy as np

from paracosm.generate.augmentation.masked_choice import MaskedModel
from paracosm.generate.augmentation.protection import is_protected

OPEN = ("NOUN", "VERB", "ADJ", "ADV")
MOST_WORDS = 3
LIKELY = 12
"""Words of the masked model among which one is drawn."""
CONTEXT = 600
"""Letters before and after a sentence that the causal model sees."""
DRAWS = 4
"""Sentences among which the one that the text after it fits best is taken."""
LONGEST_SENTENCE = 48
"""Tokens of a written sentence."""


class MaskedSegments:
    """Fills a gap of one to three words with words of a masked model.

    Attributes:
        model: writes the words, one after the other.
    """

    def __init__(self, model: MaskedModel) -> None:
        self.model = model

    def __call__(self, document: Any, kept: frozenset[str], random: np.random.Generator) -> str | None:
        """Return a text with one gap filled by other words; None where no words may change."""
        starts = [token for token in document if _is_open(token, kept)]
        if not starts:
            return None
        first = starts[int(random.integers(len(starts)))]
        text, changed, gap = document.text, False, [first]
        while (
            len(gap) < MOST_WORDS
            and gap[-1].i + 1 < len(document)
            and _is_open(document[gap[-1].i + 1], kept)
        ):
            gap.append(document[gap[-1].i + 1])
        # From the end, so that the places of the words before stay right.
        for token in reversed(gap):
            end = token.idx + len(token.text)
            likely = [
                (word, score)
                for word, score in self.model.likely(text, token.idx, end, LIKELY)
                if word.casefold() != token.text.casefold()
            ]
            if not likely:
                continue
            weights = np.exp(np.array([score for _, score in likely]) - max(score for _, score in likely))
            word = likely[int(random.choice(len(likely), p=weights / weights.sum()))][0]
            text = text[: token.idx] + (word.capitalize() if token.text.istitle() else word) + text[end:]
            changed = True
        return text if changed else None


class CausalSegments:
    """Replaces a sentence by one that a causal model writes from the text before it, chosen by how well the text after it follows.

    Attributes:
        name: alias, folder or Hub id of the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, document: Any, kept: frozenset[str], random: np.random.Generator) -> str | None:
        """Return a text with one sentence written by the model; None where every sentence holds something that must stay."""
        sentences = list(document.sents)
        free = [
            number
            for number, sentence in enumerate(sentences)
            # A model that sees nothing before it writes about anything.
            if number > 0
            and sentence.text.strip().endswith(".")
            and not any(is_protected(token, kept) for token in sentence)
        ]
        if not free:
            return None
        sentence = sentences[free[int(random.integers(len(free)))]]
        text, end = document.text, sentence.start_char + len(sentence.text.rstrip())
        before, after = text[: sentence.start_char], text[end:]
        written = [each for each in self._drawn(before[-CONTEXT:], random) if each != sentence.text.strip()]
        if not written:
            return None
        fits = [self._log_probability(before[-CONTEXT:] + each, after[:CONTEXT]) for each in written]
        return before + written[int(np.argmax(fits))] + after

    def _drawn(self, before: str, random: np.random.Generator) -> list[str]:
        """Return some sentences that may follow a text."""
        import torch

        tokenizer, model = _causal(self.name)
        encoded = tokenizer(before.rstrip(), return_tensors="pt")
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(int(random.integers(2**31)))
            drawn = model.generate(
                **encoded,
                do_sample=True,
                top_p=0.9,
                max_new_tokens=LONGEST_SENTENCE,
                num_return_sequences=DRAWS,
                pad_token_id=tokenizer.eos_token_id,
            )
        texts = tokenizer.batch_decode(drawn[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)
        sentences = (re.match(r"\s*([A-Z][^.!?\n]{8,}?\.)(?=\s|$)", text) for text in texts)
        return [match[1] for match in sentences if match is not None]

    def _log_probability(self, before: str, after: str) -> float:
        """Return the mean log-probability of the tokens of a text after another one; 0 where there are none."""
        import torch

        if not after.strip():
            return 0.0
        tokenizer, model = _causal(self.name)
        one = tokenizer(before, return_tensors="pt")["input_ids"]
        other = tokenizer(after, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logits = model(torch.cat([one, other], dim=1)).logits[0, one.shape[1] - 1 : -1].float()
        return float(torch.log_softmax(logits, -1).gather(1, other[0][:, None]).mean())


def _is_open(token: Any, kept: frozenset[str]) -> bool:
    return token.pos_ in OPEN and token.is_alpha and not token.is_stop and not is_protected(token, kept)


@cache
def _causal(name: str) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a causal language model, loaded once."""
    from transformers import AutoModelForCausalLM

    from paracosm.finetune.models.base_model import locate
    from paracosm.finetune.models.library_logging import quiet_libraries
    from paracosm.finetune.models.pretrained import (
        load_errors,
        load_pretrained_model,
        load_pretrained_tokenizer,
    )
    from paracosm.recipes.sections.model import Model

    with quiet_libraries(), load_errors("generate.augment.causal_model", name):
        source = locate(Model(base=name))
        model = load_pretrained_model(AutoModelForCausalLM, source).float().eval()
        return load_pretrained_tokenizer(source), model
