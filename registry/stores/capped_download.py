"""A download that never takes more bytes than it was promised, from a server that need not be honest."""

from collections.abc import Iterable
from pathlib import Path

from paracosm.foundation.errors import RegistryError


def save_capped(chunks: Iterable[bytes], path: Path, *, largest: int, where: str) -> None:
    """Write `chunks` to a new file, and give up at the first byte beyond `largest`.

    Args:
        chunks: the body of a response, as it arrives.
        path: a file that does not exist yet.
        largest: how many bytes it may take.
        where: names the download in an error.

    Raises:
        RegistryError: there are more bytes.
    """
    path.parent.mkdir(exist_ok=True)
    taken = 0
    with path.open("xb") as file:
        for chunk in chunks:
            taken += len(chunk)
            if taken > largest:
                raise RegistryError(f"{where}: sends more than the {largest:,} bytes allowed")
            file.write(chunk)


def read_capped(chunks: Iterable[bytes], *, largest: int, where: str) -> str:
    """Return `chunks` as UTF-8 text; like `save_capped`.

    Raises:
        RegistryError: there are more bytes, or they are no UTF-8.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > largest:
            raise RegistryError(f"{where}: sends more than the {largest:,} bytes allowed")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise RegistryError(f"{where}: is no UTF-8 text") from fault
