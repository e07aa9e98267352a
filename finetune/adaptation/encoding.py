"""Documents as token ids and labels: texts learnt whole, conversations through the chat template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paracosm.finetune.adaptation.corpus import Conversation, Document
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.foundation.errors import DataError, ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class EncodedDocument:
    """Token ids of a document, and for each the id to learn or `IGNORED`; both of shape (tokens,)."""

    ids: list[int]
    labels: list[int]


def encode(
    documents: Sequence[Document], tokenizer: "PreTrainedTokenizerBase", loss: str
) -> list[EncodedDocument]:
    """Encode documents, each with an end token.

    Args:
        documents: texts, or conversations.
        tokenizer: of the base model.
        loss: `assistant` learns only the messages of the assistant, `all` every token.

    Raises:
        ModelError: the tokenizer has no chat template and no end token, where one is needed.
        DataError: the chat template rejects a conversation, or none has a message of the assistant.
    """
    if isinstance(documents[0], str):
        return [_text(str(document), tokenizer) for document in documents]
    if not tokenizer.chat_template:
        raise ModelError(
            "adapt.source: holds conversations, and the base model has no chat template; choose an instruct model"
        )
    encoded = [_encoded_conversation(document, tokenizer, loss) for document in documents]  # type: ignore[arg-type]  # checked above
    if all(label == IGNORED for document in encoded for label in document.labels):
        raise DataError("adapt.source: no conversation has a message of the assistant; set adapt.loss to all")
    return encoded


def _text(text: str, tokenizer: "PreTrainedTokenizerBase") -> EncodedDocument:
    if tokenizer.eos_token_id is None:
        raise ModelError("adapt.source: the tokenizer of the base model has no end token (eos_token)")
    ids = [*tokenizer.encode(text, add_special_tokens=False), int(tokenizer.eos_token_id)]  # type: ignore[arg-type]  # one id
    if tokenizer.bos_token_id is not None and tokenizer.bos_token_id != tokenizer.eos_token_id:
        ids.insert(0, int(tokenizer.bos_token_id))  # type: ignore[arg-type]  # one id
    return EncodedDocument(ids, ids)


def _encoded_conversation(
    messages: Conversation, tokenizer: "PreTrainedTokenizerBase", loss: str
) -> EncodedDocument:
    text = _rendered(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=loss == "assistant")
    ids: list[int] = encoded["input_ids"]  # type: ignore[assignment]  # of one text
    if loss == "all":
        return EncodedDocument(ids, ids)
    spans = _answers(messages, text, tokenizer)
    offsets: list[tuple[int, int]] = encoded["offset_mapping"]  # type: ignore[assignment]  # of one text
    labels = [
        token if any(begin <= start and stop <= end for begin, end in spans) else IGNORED
        for token, (start, stop) in zip(ids, offsets, strict=True)
    ]
    return EncodedDocument(ids, labels)


def _answers(
    messages: Conversation, text: str, tokenizer: "PreTrainedTokenizerBase"
) -> list[tuple[int, int]]:
    """Return where the messages of the assistant stand in a rendered conversation, each with the mark of its end.

    Raises:
        DataError: the template writes the beginning of a conversation in another way once it goes on.
    """
    spans = []
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _rendered(messages[:at], tokenizer, add_generation_prompt=True)
        after = _rendered(messages[: at + 1], tokenizer)
        if not (text.startswith(after.rstrip()) and after.startswith(before)):
            raise DataError(
                "adapt.loss: the chat template of the base model changes earlier messages when a conversation goes on, so that"
                " answers cannot be told apart; set adapt.loss to all"
            )
        # The line break behind the mark of the end belongs to the next message.
        spans.append((len(before), len(after.rstrip())))
    return spans


def _rendered(messages: Conversation, tokenizer: "PreTrainedTokenizerBase", **settings: Any) -> str:
    from jinja2 import TemplateError

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **settings))
    except (TemplateError, TypeError, KeyError) as error:
        # The error of a template is its own sentence, such as "roles must alternate", and not the conversation.
        reason = (
            str(error).splitlines()[0][:200] if isinstance(error, TemplateError) else type(error).__name__
        )
        raise DataError(
            f"adapt.source: the chat template of the base model rejects a conversation: {reason}"
        ) from None
