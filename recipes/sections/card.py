"""The `card` section: statements of the model card that only the user can make."""

from typing import Annotated

from pydantic import AfterValidator

from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.section import Section

_LICENCES = """
    afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
    bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
    cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
    creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 gemma gfdl gpl gpl-2.0
    gpl-3.0 h-research intel-research isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4
    lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense
    wtfpl zlib
"""
LICENCES = frozenset(_LICENCES.split())
"""Identifiers that the Hub accepts; it rejects a card with any other. Source: https://huggingface.co/docs/hub/repositories-licenses."""


def _as_licence(identifier: str) -> str:
    """Return the identifier of a licence as it is.

    Raises:
        ValueError: it is not an identifier of the Hub; the message proposes the most similar one.
    """
    if identifier in LICENCES:
        return identifier
    words = [word for word in identifier.lower().split() if word not in ("licence", "license", "the")]
    near = did_you_mean("-".join(words), LICENCES)
    raise ValueError(
        f"{identifier!r} is not a licence identifier of the Hugging Face Hub, such as apache-2.0, cc-by-4.0 or other{near}"
    )


Licence = Annotated[str, AfterValidator(_as_licence)]


def _as_language(code: str) -> str:
    if len(code) in (2, 3) and code.isascii() and code.isalpha() and code.islower():
        return code
    raise ValueError(f"{code!r} is not a code of a language; write an ISO 639-1 code such as en, de or zh")


class Card(Section):
    """Statements of the model card that only the user can make."""

    title: str | None = None
    """Title of the card; null uses the recipe's name."""
    licence: Licence | None = None
    """Licence of the adapter and the synthetic records, as a Hugging Face identifier such as apache-2.0; null derives it from
    the data and the base model."""
    data_statement: str | None = None
    """Where the records come from, and their terms of use."""
    data_licence: Licence | None = None
    """Licence of the training records, as a Hugging Face identifier such as cc-by-4.0."""
    intended_use: str | None = None
    """What the model and the synthetic records are for."""
    not_for: str | None = None
    """What they must not be used for."""
    authors: list[str] = []
    """Names of the authors."""
    tags: list[str] = []
    """Further tags for search, such as healthcare."""
    language: Annotated[str, AfterValidator(_as_language)] = "en"
    """Language of the records, as an ISO 639-1 code."""
