"""Every place of the product where a library could run foreign code, or unpack an object, says that it may not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("foundation", "recipes", "records", "finetune", "generate", "eval", "registry", "paracosm", "cli")
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "input", "system", "popen", "unsafe_load", "full_load", "read_pickle", "unsafe_load_all",
}  # fmt: skip
METHODS_OF_MODELS = {"eval"}
"""`model.eval()` switches dropout off."""
SAME_NAME = {"compile": {"re", "jmespath", "torch", "regex"}}
"""Functions of these modules, which run no foreign code."""
TRUSTED = {"finetune/models/pretrained.py": {"PeftModel"}}
"""Loaders that know no foreign code: peft reads an adapter over a model that is loaded already."""
PROCESSES = {"generate/engines/ray.py": {"loads", "dumps"}}
"""cloudpickle between the processes of one launch."""


def calls() -> Iterator[tuple[str, ast.Call, str, str]]:
    """Yield every call of the product: file, call, name of the object before the last dot, name of the function."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    of = node.func.value if isinstance(node.func, ast.Attribute) else None
                    name = (
                        node.func.attr
                        if isinstance(node.func, ast.Attribute)
                        else getattr(node.func, "id", "")
                    )
                    yield path.relative_to(ROOT).as_posix(), node, getattr(of, "id", ""), name


def given(call: ast.Call, key: str) -> object:
    """Return the constant that a keyword of a call has; None without it."""
    return next(
        (
            word.value.value
            for word in call.keywords
            if word.arg == key and isinstance(word.value, ast.Constant)
        ),
        None,
    )


def unsafe() -> list[str]:
    """Return every call that might run foreign code."""
    found = []
    for file, call, of, name in calls():
        where = f"{file}:{call.lineno} {of}.{name}"
        loads = name in ("from_pretrained", "from_config") or name in ("pipeline", "SentenceTransformer")
        if loads and of not in TRUSTED.get(file, ()) and given(call, "trust_remote_code") is not False:
            found.append(f"{where}: trust_remote_code=False is missing")
        if (of, name) in (("torch", "load"), ("hub", "load")) and given(call, "weights_only") is not True:
            found.append(f"{where}: weights_only=True is missing")
        if (
            of
            in (
                "pickle",
                "cloudpickle",
                "joblib",
                "dill",
                "marshal",
                "shelve",
            )
            and name not in PROCESSES.get(file, ())
            and name in ("load", "loads", "open", "dump", "dumps")
        ):
            found.append(f"{where}: unpacks objects")
        if (of, name) == ("yaml", "load"):
            loader = next((ast.unparse(word.value) for word in call.keywords if word.arg == "Loader"), "")
            if "Safe" not in loader:
                found.append(f"{where}: Loader={loader} may not be safe")
        if given(call, "allow_pickle") is True or given(call, "shell") is True:
            found.append(f"{where}: allow_pickle or shell")
        is_method = isinstance(call.func, ast.Attribute) and name in METHODS_OF_MODELS
        if name in FORBIDDEN and not is_method and of not in SAME_NAME.get(name, ()):
            found.append(f"{where}: is not allowed")
    return found


def test_no_call_may_run_foreign_code() -> None:
    assert unsafe() == []


def test_there_are_calls_to_look_at() -> None:
    names = [name for *_, name in calls()]
    assert names.count("from_pretrained") >= 4
    assert names.count("load_dataset") >= 1
    assert int(datasets.__version__.partition(".")[0]) >= 4, "older ones run the script of a data set"


@pytest.mark.parametrize(
    "line",
    [
        "AutoModel.from_pretrained(x)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
        "auto.from_config(x, trust_remote_code=flag)",
        "torch.load(x)",
        "pickle.load(x)",
        "yaml.load(x)",
        "np.load(x, allow_pickle=True)",
        "input('sure?')",
        "eval(x)",
        "subprocess.run(x, shell=True)",
        "pd.read_pickle(x)",
    ],
)
def test_such_a_call_is_found(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "cli" / "new.py").write_text(line + "\n")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (found,) = unsafe()
    assert found.startswith("cli/new.py:1 ")
