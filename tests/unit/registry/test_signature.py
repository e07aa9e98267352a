"""Signatures: made with a private key, verified with the public key; refused if missing, from another key, or moved."""

import shutil
import subprocess
import sys
from pathlib import Path

import finished_run
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import paracosm.registry
from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import SIGNATURE
from paracosm.registry.versions.signature import PASSWORD

Pair = tuple[Path, Path]


def key_pair(folder: Path, name: str, password: bytes | None = None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return private, public


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return finished_run.finished_run(tmp_path / "run", finished_run.recipe_of()).root


def test_a_signed_version_is_pulled_with_the_public_key(run: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "own")
    url = str(tmp_path / "store")
    version = paracosm.registry.publish(run=run, url=url, key=private)
    assert (version.folder / SIGNATURE).is_file()
    assert paracosm.registry.verify(name="ward-notes", url=url, key=public).number == 1
    folder = paracosm.registry.pull(name="ward-notes", into=tmp_path / "here", url=url, key=public)
    assert (folder / SIGNATURE).read_bytes() == (version.folder / SIGNATURE).read_bytes()
    assert private.read_bytes() not in b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )


def test_unsigned_versions_and_those_of_another_key_are_refused(run: Path, tmp_path: Path) -> None:
    (own, public), (foreign, _) = key_pair(tmp_path, "own"), key_pair(tmp_path, "foreign")
    url = str(tmp_path / "store")
    first = paracosm.registry.publish(run=run, url=url)
    second = paracosm.registry.publish(run=run, url=url, key=foreign)
    third = paracosm.registry.publish(run=run, url=url, key=own)
    expected = {
        "ward-notes@v1": "is not signed, but --key requires a signature",
        "ward-notes@v2": "was not made with the private key that belongs to",
    }
    for name, message in expected.items():
        with pytest.raises(RegistryError, match=message):
            paracosm.registry.pull(name=name, into=tmp_path / "here", url=url, key=public)
    # A good signature of another version, a damaged one, and none at all in a file of that name.
    shutil.copyfile(third.folder / SIGNATURE, second.folder / SIGNATURE)
    (first.folder / SIGNATURE).write_text("{}")
    for name in expected:
        with pytest.raises(RegistryError, match="was not made with the private key that belongs to"):
            paracosm.registry.verify(name=name, url=url, key=public)
    assert not (tmp_path / "here").exists()


def test_a_key_that_cannot_sign_is_refused_before_anything_is_written(run: Path, tmp_path: Path) -> None:
    private, public = key_pair(tmp_path, "own")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "rsa.pem").write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (tmp_path / "noise.pem").write_text("-----BEGIN NOISE-----")
    for name in ("rsa.pem", "noise.pem", "absent.pem", public.name):
        with pytest.raises(
            RegistryError, match=r"is not a private key of the curves|cannot be read"
        ) as caught:
            paracosm.registry.publish(run=run, url=str(tmp_path / "store"), key=tmp_path / name)
        assert str(caught.value).isprintable()
    assert not (tmp_path / "store").exists()
    paracosm.registry.publish(run=run, url=str(tmp_path / "store"))
    with pytest.raises(RegistryError, match="is not a public key"):
        paracosm.registry.verify(name="ward-notes", url=str(tmp_path / "store"), key=private)


def test_an_encrypted_key_is_decrypted_with_the_password_of_the_environment(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = key_pair(tmp_path, "own", b"open sesame")
    url = str(tmp_path / "store")
    with pytest.raises(RegistryError, match=f"or .{PASSWORD} does not decrypt it"):
        paracosm.registry.publish(run=run, url=url, key=private)
    monkeypatch.setenv(PASSWORD, "open sesame")
    paracosm.registry.publish(run=run, url=url, key=private)
    assert paracosm.registry.verify(name="ward-notes", url=url, key=public).number == 1


@pytest.mark.parametrize(
    ("hidden", "extra", "call"),
    [
        ("cryptography", "signing", "publish(run=Path('run'), url='store', key=Path('own.pem'))"),
        ("mlflow", "mlflow", "list_versions(url='mlflow://127.0.0.1:9')"),
        (
            "nh3",
            "page",
            "publish(run=Path('run'), url='store') and write_pages(url='store', out=Path('site'))",
        ),
    ],
)
def test_a_missing_extra_is_named_in_one_line(
    run: Path, tmp_path: Path, hidden: str, extra: str, call: str
) -> None:
    key_pair(tmp_path, "own")
    code = (
        f"import sys; sys.modules[{hidden!r}] = None\n"
        "from pathlib import Path\n"
        "from paracosm.foundation.process.exit_codes import exit_code_of\n"
        "from paracosm.registry import list_versions, publish\n"
        "from paracosm.registry.site.pages import write_pages\n"
        f"sys.exit(exit_code_of(lambda: {call} and 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f'pip install "paracosm[{extra}]"' in done.stderr
    assert not (tmp_path / "site").exists()
