"""The only calls of `from_pretrained` and `from_config`: no foreign code, no pickle, no download of kernels.

By default, transformers asks on standard input whether to run the code of a model, loads pickled weights where there are
no others, and downloads compiled kernels that a configuration names. All of this is switched off here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.models.weight_files import CONVERSION
from paracosm.foundation.errors import ModelError
from paracosm.foundation.json_files import read_json
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CODE_KEY = "auto_map"
"""Key of a configuration that names Python files of the model folder to run."""
IMPLEMENTATIONS = ("attn_implementation", "experts_implementation")
"""Keys, also with `_` before and `_internal` after them, whose value may name a kernel repository of the Hub."""
KERNEL_QUANTIZATIONS = ("mxfp4", "fbgemm_fp8", "fp8", "eetq", "metal", "nvfp4", "finegrained_fp8")
"""Quantized formats of weights for which transformers downloads compiled kernels."""

MOST_LAYERS, LARGEST_SIZE = 10_000, 100_000_000
"""Largest number of layers, heads or labels, and largest other size, of a configuration; the largest models have 200 and 1,000,000."""
COUNTS = ("num_labels", "n_layer", "n_head", "num_attention_heads", "num_key_value_heads", "num_experts")


def foreign_code(config: Mapping[str, Any]) -> str | None:
    """Return which key of a model or tokenizer configuration asks for code from elsewhere; None if no key does.

    Args:
        config: the content of `config.json`, `tokenizer_config.json` or a similar file.
    """
    rest: list[Any] = [config]
    while rest:
        part = rest.pop()
        if isinstance(part, Mapping):
            for key, value in part.items():
                # Keys of a loaded configuration may be numbers, such as those of labels.
                if isinstance(key, str) and ((key == CODE_KEY and value) or _names_kernel(key, value)):
                    return key
            rest += part.values()
        elif isinstance(part, list):
            rest += part
    return None


def _names_kernel(key: str, value: Any) -> bool:
    if key == "quant_method":
        return value in KERNEL_QUANTIZATIONS
    if key.removeprefix("_").removesuffix("_internal") not in IMPLEMENTATIONS:
        return False
    names = value.values() if isinstance(value, Mapping) else [value]
    return any("/" in name for name in names if isinstance(name, str))


def load_pretrained_config(source: "str | Path", **arguments: Any) -> "PretrainedConfig":
    """Load the configuration of a model, without the mark of code that is never run.

    Raises:
        ModelError: the configuration asks for kernels of the Hub.
    """
    from transformers import AutoConfig

    forbid_kernel_downloads()
    if (file := Path(source) / "config.json").is_file():
        # Before transformers reads it, because it makes a list of as many labels as the file says.
        _refuse_sizes(read_json(file, ModelError), source)
    config = AutoConfig.from_pretrained(source, trust_remote_code=False, **arguments)
    # transformers has its own class of the model; a saved copy must not ask for the code either.
    vars(config).pop(CODE_KEY, None)
    named = config.to_dict() | {key: getattr(config, f"_{key}", None) for key in IMPLEMENTATIONS}
    if key := foreign_code(named):
        raise ModelError(
            f"{source}: its configuration asks for compiled code of the Hub ({key}), which is never loaded"
        )
    return config


def _refuse_sizes(config: Mapping[str, Any], source: "str | Path") -> None:
    """Raise if a model would not fit into any memory, or if building it would not end."""
    rest: list[Mapping[str, Any]] = [config]
    while rest:
        part = rest.pop()
        rest += [value for value in part.values() if isinstance(value, Mapping)]
        for key, value in part.items():
            most = MOST_LAYERS if "layers" in key or key in COUNTS else LARGEST_SIZE
            if type(value) is int and abs(value) > most and not key.endswith(("_id", "_theta")):
                raise ModelError(
                    f"{source}: its configuration has {key[:80]} {str(value)[:20]}; at most {most:,} is allowed"
                )


def load_pretrained_tokenizer(source: "str | Path", **arguments: Any) -> "PreTrainedTokenizerBase":
    """Load a tokenizer, without the mark of code that is never run.

    Raises:
        ModelError: its longest text is not a number, which transformers finds out at the first text that it reads.
    """
    from transformers import AutoTokenizer

    forbid_kernel_downloads()
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **arguments)
    tokenizer.init_kwargs.pop(CODE_KEY, None)
    if not isinstance(tokenizer.model_max_length, int | float):
        raise ModelError(f"{source}: model_max_length in tokenizer_config.json is not a number")
    return tokenizer


def load_pretrained_model(auto_class: Any, source: "str | Path", **arguments: Any) -> Any:
    """Load a model by an auto class of transformers, from safetensors (or from `gguf_file`) only.

    Raises:
        ModelError: the repository holds an adapter beside the model, which transformers would add.
    """
    forbid_kernel_downloads()
    if "gguf_file" not in arguments:
        arguments["use_safetensors"] = True
    loaded = auto_class.from_pretrained(source, trust_remote_code=False, **arguments)
    model = loaded[0] if isinstance(loaded, tuple) else loaded
    if getattr(model, "_hf_peft_config_loaded", False):
        raise ModelError(
            f"{source}: holds an adapter beside the model; name a model without adapter_config.json"
        )
    vars(model.config).pop(CODE_KEY, None)
    return loaded


def build_from_config(auto_class: Any, config: "PretrainedConfig") -> Any:
    """Build a model with random weights from a configuration."""
    forbid_kernel_downloads()
    return auto_class.from_config(config, trust_remote_code=False)


def load_pretrained_adapter(
    base: "PreTrainedModel", folder: "str | Path", config: "LoraConfig", *, trainable: bool = False
) -> Any:
    """Load an adapter over a base model; `check_adapter` and `check_fits` come first, because peft loads what fits."""
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(folder), config=config, is_trainable=trainable)


@contextmanager
def load_errors(key: str, name: str) -> Iterator[None]:
    """Raise the errors of transformers about a missing or unsuitable model as a `ModelError` of one line.

    Args:
        key: key of the recipe that names the model, for the message.
        name: of the model.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except ModelError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError) as error:
        text = str(error).strip()
        if (
            isinstance(error, OSError)
            and error.errno is not None
            and not isinstance(error, FileNotFoundError)
        ):
            # An error of the disk rather than of the model.
            raise
        if isinstance(error, RuntimeError) and "out of memory" in text.lower():
            raise
        if isinstance(error, KeyError):
            text = f"the key {text} is missing"
        raise ModelError(f"{key}: {name!r} {_reason(text or type(error).__name__)}") from error
    except Exception as error:  # the class itself is what the library tokenizers raises; others pass
        if type(error) is not Exception and not isinstance(error, SafetensorError | StrictDataclassError):
            raise
        raise ModelError(f"{key}: {name!r} {_reason(str(error).strip())}") from error


def _reason(text: str) -> str:
    if "trust_remote_code" in text or "custom code" in text:
        return (
            f"asks to run code from its own files ({CODE_KEY}), which is never run; name a model that transformers"
            " supports itself"
        )
    if "use_safetensors" in text:
        return f"has its weights only as a pickle, which can run code and is never loaded; {CONVERSION}"
    if (
        "offline mode" in text
        or "couldn't connect to" in text
        or "cached files" in text
        or "LocalEntryNotFound" in text
    ):
        return (
            "is not a local folder, and the Hugging Face Hub cannot be reached (or HF_HUB_OFFLINE is set); download it where there is a"
            " network (`hf download`), or name a folder or an alias of `paracosm models`"
        )
    # An error of the check of a configuration names the check first and the reason last.
    lines = text.splitlines()
    return f"cannot be loaded: {lines[-1].strip() if 'alidation error' in lines[0] else lines[0]}"
