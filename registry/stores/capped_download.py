"""Downloads with a size limit: reading stops at the first byte above it, because a server may send more than it announced."""

from collections.abc import Iterable
from pathlib import Path

from paracosm.foundation.errors import RegistryError

CHUNK_BYTES = 2**20
"""Size of the parts in which a response is read; a store passes it to its HTTP client."""


def save_capped(chunks: Iterable[bytes], path: Path, *, largest: int, where: str) -> None:
    """Write the body of a response to a new file.

    Args:
        chunks: the body, in the order of arrival.
        path: a file that does not exist yet; its folder is created.
        largest: highest number of bytes allowed.
        where: names the download in an error.

    Raises:
        RegistryError: the body has more bytes.
    """
    path.parent.mkdir(exist_ok=True)
    received = 0
    with path.open("xb") as file:
        for chunk in chunks:
            received += len(chunk)
            if received > largest:
                raise RegistryError(f"{where}: sends more than the {largest:,} bytes allowed")
            file.write(chunk)


def read_capped(chunks: Iterable[bytes], *, largest: int, where: str) -> str:
    """Return the body of a response as UTF-8 text.

    Args:
        chunks: the body, in the order of arrival.
        largest: highest number of bytes allowed.
        where: names the download in an error.

    Raises:
        RegistryError: the body has more bytes, or is not UTF-8.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > largest:
            raise RegistryError(f"{where}: sends more than the {largest:,} bytes allowed")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RegistryError(f"{where}: is not UTF-8 text") from error
