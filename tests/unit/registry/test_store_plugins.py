"""Stores of other packages: a toy store from a toy distribution, and plug-ins that are broken or clash."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import finished_run
import pytest
from typer.testing import CliRunner

import paracosm.registry
from paracosm.cli.app import app
from paracosm.foundation.errors import PluginError, RegistryError
from paracosm.registry.stores.addresses import DEFAULT_STORE, STORES, address, factories

TOY_STORE = '''
"""A store that keeps versions in `ROOT/HOST/NAME/NUMBER`; the steps are those of paracosm/registry/stores/store.py."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from paracosm.registry.stores.store import Address, StoreFactory, StoreUrl
from paracosm.registry.versions.manifest import Version

ROOT = Path("@ROOT@")


@dataclass(frozen=True)
class ToyStore:
    host: str

    @property
    def location(self):
        return f"toy://{self.host}"

    def reference(self, name):
        return f"{self.location}/{name}"

    def add(self, release):
        folder = ROOT / self.host / release.about.name / "new"
        folder.mkdir(parents=True)
        number = max(self.numbers(release.about.name), default=0) + 1
        version = release.seal(release.lay_out(folder), number)
        target = folder.rename(folder.with_name(str(number)))
        return replace(version, folder=target, where=f"{self.reference(version.name)}@v{number}")

    def names(self):
        return sorted(folder.name for folder in (ROOT / self.host).iterdir())

    def numbers(self, name):
        folder = ROOT / self.host / name
        folders = folder.iterdir() if folder.is_dir() else ()
        aliases = {int(path.suffix[1:]): path.stem for path in folders if path.suffix}
        numbers = sorted(int(path.name) for path in folder.glob("*") if path.name.isdigit())
        return {number: (aliases[number],) if number in aliases else () for number in numbers}

    def version(self, name, number):
        where = f"{self.reference(name)}@v{number}"
        return Version.load(ROOT / self.host / name / str(number)).expected(name, number, where=where)

    def fetch(self, version, into):
        for name in version.download_limits():
            (into / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(version.folder / name, into / name)

    def promote(self, version, alias):
        (version.folder.parent / f"{alias}.{version.number}").touch()

    def remove(self, version):
        shutil.rmtree(version.folder)


def _open(url):
    parts = StoreUrl.parse(url)
    return Address(ToyStore(parts.host), parts.name, parts.version)


FACTORY = StoreFactory(schemes=("toy",), form="toy://HOST/NAME", open=_open)
'''


class Distributions:
    """Writes toy distributions: a module, and a .dist-info folder that declares an entry point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def add(self, name: str, code: str, target: str = "FACTORY") -> None:
        module = f"{name}_store"
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(code)
        metadata = self.folder / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[paracosm.stores]\n{name} = {module}:{target}\n")


@pytest.fixture
def distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Distributions]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    installed = Distributions(folder)
    yield installed
    for module in installed.modules:
        sys.modules.pop(module, None)


def test_the_verbs_and_commands_work_with_the_store_of_a_plug_in(
    distributions: Distributions, tmp_path: Path
) -> None:
    distributions.add("toy", TOY_STORE.replace("@ROOT@", str(tmp_path / "toys")))
    run = finished_run.finished_run(tmp_path / "run", finished_run.recipe_of())
    url = "toy://shelf/ward-notes"
    version = paracosm.registry.publish(run=run, url=url)
    assert (version.reference, version.where) == ("ward-notes@v1", f"{url}@v1")
    assert paracosm.registry.publish(run=run, url="toy://shelf").number == 2
    listed = paracosm.registry.list_versions(url="toy://shelf")
    assert [version.reference for version in listed] == ["ward-notes@v1", "ward-notes@v2"]
    card = paracosm.registry.show(name=f"{url}@v1").card
    assert f"paracosm pull {url} --into ward-notes" in card
    paracosm.registry.promote(name=f"{url}@v1", alias="stable")
    folder = paracosm.registry.pull(name=f"{url}@stable", into=tmp_path / "pulled")
    assert (folder / "adapter_model.safetensors").read_bytes() == (
        run.adapter / "adapter_model.safetensors"
    ).read_bytes()
    assert paracosm.registry.remove(name=f"{url}@v2").number == 2
    output = CliRunner().invoke(app, ["registry", "list", "--url", "toy://shelf"]).output
    assert output.startswith("ward-notes@v1\tPASS\t")
    assert output.rstrip().endswith("\tstable")


@pytest.mark.parametrize(
    ("code", "target", "message"),
    [
        ("raise OSError('no\\ndisk')", "FACTORY", "plug-in 'odd' of odd-plugin: cannot be loaded .OSError: no disk."),
        ("import no_such_module", "FACTORY", "cannot be loaded .ModuleNotFoundError: No module named 'no_such_module'"),
        ("", "FACTORY", "cannot be loaded .AttributeError: "),
        ("FACTORY = 'toy://'", "FACTORY", "odd_store:FACTORY is of type str; .* expects a StoreFactory"),
        (
            "from dataclasses import replace\nfrom paracosm.registry.stores.hub import FACTORY",
            "FACTORY",
            "plug-in 'odd' of odd-plugin: declares the URL scheme 'hf', which belongs to Paracosm",
        ),
    ],
)  # fmt: skip
def test_a_broken_or_clashing_plug_in_is_named_in_one_line(
    distributions: Distributions, code: str, target: str, message: str
) -> None:
    distributions.add("odd", code, target)
    with pytest.raises(PluginError, match=message) as caught:
        address("heart", url="./store")
    assert str(caught.value).isprintable()


def test_two_plug_ins_with_the_same_scheme_are_both_named(distributions: Distributions) -> None:
    for name in ("first", "second"):
        distributions.add(name, TOY_STORE)
    with pytest.raises(PluginError, match=r"plug-in 'second' of second-plugin: .* plug-in 'first' of first"):
        factories()


def test_an_unknown_scheme_lists_the_forms_of_all_stores(distributions: Distributions) -> None:
    distributions.add("toy", TOY_STORE)
    with pytest.raises(RegistryError, match=r"^toi://x/y: is not a registry URL; allowed: ") as caught:
        address("toi://x/y")
    for form in (*(store.form for store in STORES), "toy://HOST/NAME"):
        assert form in str(caught.value)
    assert "did you mean 'toy'?" in str(caught.value)
    with pytest.raises(
        RegistryError, match=r"is not a registry URL .the host is missing.; allowed: toy://HOST/NAME$"
    ):
        address(None, url="toy://")


def test_the_documentation_lists_every_form_of_url() -> None:
    text = (Path(__file__).parents[3] / "docs" / "registry.md").read_text(encoding="utf-8")
    for form in [form for store in STORES for form in store.form.split(" or ")]:
        assert form in text, form
    assert f"./{DEFAULT_STORE}" in text


def test_the_registry_of_a_url_without_a_scheme_is_a_folder(tmp_path: Path) -> None:
    assert address(None, url=str(tmp_path)).store == address(None, url=f"file:{tmp_path}").store
    shutil.rmtree(tmp_path)
