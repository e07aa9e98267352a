"""The strategy `finetuned`: an adapted language model that writes records token by token under their grammar."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.decoding.decoder import RecordDecoder, decoder_of
from paracosm.generate.decoding.loaded_model import AdaptedModel, abilities_of, load_adapted
from paracosm.recipes.sections.generate import Generate
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.schema import Record


class LanguageModel:
    """A trained adapter or model, loaded when it is first needed; see `Strategy`.

    Attributes:
        folder: written by the finetune stage.
        settings: of the decoding.
    """

    def __init__(self, folder: Path, settings: Generate) -> None:
        self.folder = folder
        self.settings = settings

    @cached_property
    def adapted(self) -> AdaptedModel:
        return load_adapted(self.folder)

    @property
    def codec(self) -> Codec:
        return self.adapted.codec

    @property
    def abilities(self) -> Abilities:
        return abilities_of(self.codec)

    @cached_property
    def decoder(self) -> RecordDecoder:
        return decoder_of(self.adapted, self.settings)

    @property
    def batch_size(self) -> int:
        return self.decoder.batch_size

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        self.decoder.tally = tally
        return self.decoder.records(requests, seed=seed)

    def facts(self) -> dict[str, Any]:
        return {}
