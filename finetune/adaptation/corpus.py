"""The corpus of an adaptation: texts or conversations from a source, without those that the evaluation holds back."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paracosm.finetune.adaptation.private_texts import check_no_private_texts
from paracosm.finetune.adaptation.repeats import Conversation, Document, KnownCells, key, text_columns
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import write_text
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.training.adapt import Adapt
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.sources.read_source import read_source

MESSAGES, CONVERSATIONS, TEXT = "messages", "conversations", "text"
ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "prompter": "user"}
"""Roles of other formats of conversations -> those of chat templates."""
KNOWN_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Corpus:
    """Documents to train on, and documents to measure on.

    Attributes:
        train: texts, or conversations.
        held_out: the same, not trained on.
        read: documents that the source has, without empty ones.
        repeated: documents that were left out because an earlier one is the same.
        held_back: documents that were left out because a control or test record repeats them.
    """

    train: list[Document]
    held_out: list[Document]
    read: int
    repeated: int
    held_back: int

    @property
    def has_conversations(self) -> bool:
        """Whether the documents are conversations."""
        return isinstance(self.train[0], list)

    def save(self, path: Path) -> None:
        """Write the corpus to a JSON file."""
        write_text(path, json.dumps(vars(self), ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> "Corpus":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def read_corpus(recipe: Recipe, run: Run, *, root: Path) -> Corpus:
    """Read the corpus of the recipe's section `adapt`.

    Under `privacy` no record decides which documents are used: a corpus that holds the private texts is refused as a whole.

    Args:
        recipe: `adapt` and `privacy` are read.
        run: its control and test records are held back.
        root: the folder that a relative path starts from.

    Raises:
        DataError: the source cannot be read or has no document to train on, or the column is missing or not of documents, or
            the documents repeat private texts.
    """
    settings = recipe.adapt
    assert settings is not None
    documents = read_documents(settings, root=root)
    unique = list({key(document): document for document in reversed(documents)}.values())[::-1]
    if recipe.privacy is None:
        known = KnownCells(_held_back_cells(run))
        kept = [document for document in unique if not known.repeated_by(document)]
    else:
        check_no_private_texts(unique, recipe, run)
        kept = unique
    chosen = sorted(kept, key=lambda document: _rank(document, settings.seed))
    if settings.limit is not None:
        chosen = chosen[: settings.limit]
    count = min(round(len(chosen) * settings.held_out) or bool(settings.held_out), len(chosen) - 1)
    if not chosen:
        raise DataError(
            f"adapt.source: has no document to train on; all {len(documents):,} repeat control or test records"
        )
    return Corpus(
        train=chosen[count:],
        held_out=chosen[:count],
        read=len(documents),
        repeated=len(documents) - len(unique),
        held_back=len(unique) - len(kept),
    )


def read_documents(settings: Adapt, *, root: Path) -> list[Document]:
    """Return the documents of the source in its order, without empty ones.

    Raises:
        DataError: see `read_corpus`.
    """
    data = Data(source=settings.source, nested="json", bounds=settings.bounds)
    try:
        table = read_source(data, root=root)
    except DataError as error:
        raise DataError(f"adapt.source: {error}") from error
    column = _column(settings.column, list(map(str, table.columns)))
    cells = [str(cell) for cell in table[column] if cell is not None and cell == cell and str(cell).strip()]
    if not cells:
        raise DataError(f"adapt.source: the column {column!r} is empty")
    if not _holds_lists(cells):
        return [cell.strip() for cell in cells]
    return [_conversation(cell, column, number) for number, cell in enumerate(cells, 1)]


def _column(asked: str | None, columns: Sequence[str]) -> str:
    listed = ", ".join(columns[:20])
    if asked is not None:
        if asked not in columns:
            raise DataError(f"adapt.column: there is no column {asked!r} (columns: {listed})")
        return asked
    for name in (MESSAGES, CONVERSATIONS, TEXT):
        if name in columns:
            return name
    if len(columns) == 1:
        return columns[0]
    raise DataError(f"adapt.column: name the column with the texts or conversations (columns: {listed})")


def _holds_lists(cells: Sequence[str]) -> bool:
    return all(cell.lstrip().startswith("[{") for cell in cells[:100])


def _conversation(cell: str, column: str, number: int) -> Conversation:
    """Return the messages of a cell, with `role` and `content`; the error does not show the cell."""
    wrong = f"adapt.source: document {number} of column {column!r}"
    try:
        messages = json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{wrong} is not a JSON list of messages") from error
    conversation = []
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, Mapping):
            raise DataError(f"{wrong} is not a JSON list of messages")
        role = message.get("role", message.get("from"))
        content = message.get("content", message.get("value"))
        role = ROLES.get(str(role), role)
        if role not in KNOWN_ROLES or not isinstance(content, str):
            raise DataError(
                f"{wrong} has a message without a text or a known role ({', '.join((*KNOWN_ROLES, *ROLES))})"
            )
        conversation.append({"role": str(role), "content": content})
    if not conversation:
        raise DataError(f"{wrong} has no message")
    return conversation


def _rank(document: Document, seed: int) -> str:
    """Return what orders the documents at random, the same whatever the order of the source."""
    return hashlib.sha256(f"{seed}/{key(document)}".encode()).hexdigest()


def _held_back_cells(run: Run) -> Iterator[str]:
    """Yield the texts of the control and test records."""
    schema = Schema.load(run.schema)
    for name in ("control", "test"):
        if run.split(name).is_file():
            table = read_table(run.split(name), schema)
            for column in text_columns(schema):
                yield from (str(cell) for cell in table[column].dropna())


def corpus_facts(corpus: Corpus) -> dict[str, Any]:
    """Return what `run.json` and the card say about the documents."""
    return {
        "documents": len(corpus.train),
        "held_out_documents": len(corpus.held_out),
        "repeated_documents": corpus.repeated,
        "held_back_documents": corpus.held_back,
        "conversations": corpus.has_conversations,
    }
