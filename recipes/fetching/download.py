"""Download of one published file: streamed, resumed after an interruption, bounded in size, and kept only with the right digest."""

import shutil
from pathlib import Path

import httpx2

from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress
from paracosm.recipes.fetching.origin import OriginFile

CHUNK = 2**16
"""Bytes that are written at a time."""
PATIENCE = 30.0
"""Seconds without a byte after which a connection counts as lost."""
CONNECTING = 10.0
"""Seconds to wait for a connection."""
TRIES = 3
"""Connections for one file; each goes on where the one before ended."""


class ConnectionLostError(Exception):
    """A connection ended before the file did."""


def download(file: OriginFile, folder: Path, *, host: str, progress: Progress) -> Path:
    """Download a file into a folder, unless it lies there already.

    A part of an earlier try is continued if the server can send the rest, and replaced otherwise.

    Args:
        file: what to download.
        folder: an existing folder; the file is named by its digest there.
        host: start of the address.
        progress: receives a line per connection that was lost.

    Raises:
        DataError: the server does not answer, answers with an error, or sends other bytes than were published.
    """
    complete = folder / file.sha256
    if complete.is_file() and file_digest(complete) == file.sha256:
        return complete
    part = folder / f"{file.sha256}.part"
    address = file.address(host)
    for attempt in range(1, TRIES + 1):
        try:
            _receive(file, part, address)
            break
        except ConnectionLostError as error:
            if attempt == TRIES:
                raise DataError(
                    f"{address}: {error}; the same command goes on from {_size(part):,} of {file.size:,} bytes"
                ) from error
            progress(f"{file.name}: {error}; trying again")
    _check(part, file, address)
    part.rename(complete)
    return complete


def copy_local(file: OriginFile, folder: Path, target: Path) -> Path:
    """Return a copy, in `target`, of a file that the user has downloaded into `folder`.

    Raises:
        DataError: the folder has no such file, or it has other bytes than were published.
    """
    given = folder / file.name
    if not given.is_file():
        raise DataError(f"{given}: is missing; download it from {file.address()}")
    if given.stat().st_size != file.size or file_digest(given) != file.sha256:
        raise DataError(
            f"{given}: is not the published file (its SHA-256 begins with {file.sha256[:12]}); download it from {file.address()}"
        )
    copy = target / file.sha256
    shutil.copyfile(given, copy)
    return copy


def _receive(file: OriginFile, part: Path, address: str) -> None:
    """Append to `part` what is missing of the file, or write all of it if the server cannot send a rest."""
    had = _size(part)
    if had >= file.size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={had}-"} if had else {})
    timeout = httpx2.Timeout(PATIENCE, connect=CONNECTING)
    try:
        with httpx2.stream(
            "GET", address, headers=headers, timeout=timeout, follow_redirects=True
        ) as response:
            goes_on = response.status_code == 206 and _starts_at(response, had)
            if response.status_code == 416:
                part.unlink()
                raise ConnectionLostError("does not know the part that is here already")
            if response.status_code not in (200, 206) or (response.status_code == 206 and not goes_on):
                raise DataError(
                    f"{address}: answers {response.status_code} {response.reason_phrase}".rstrip()
                )
            with part.open("ab" if goes_on else "wb") as out:
                received = had if goes_on else 0
                for chunk in response.iter_bytes(CHUNK):
                    received += len(chunk)
                    if received > file.size:
                        out.close()
                        part.unlink()
                        raise DataError(f"{address}: sends more than the {file.size:,} bytes published")
                    out.write(chunk)
    except httpx2.ConnectError as error:
        raise DataError(
            f"{address}: cannot be reached ({error or type(error).__name__}); --from FOLDER takes files downloaded elsewhere"
        ) from error
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise DataError(f"{address}: is not an address that can be read: {error}") from error
    except httpx2.HTTPError as error:
        raise ConnectionLostError(f"the connection was lost ({error or type(error).__name__})") from error
    if _size(part) < file.size:
        raise ConnectionLostError(f"ended after {_size(part):,} of {file.size:,} bytes")


def _starts_at(response: httpx2.Response, offset: int) -> bool:
    return response.headers.get("content-range", "").startswith(f"bytes {offset}-")


def _check(part: Path, file: OriginFile, address: str) -> None:
    digest = file_digest(part)
    if digest != file.sha256:
        part.unlink()
        raise DataError(
            f"{address}: has other bytes than were published (SHA-256 {digest[:12]}..., expected {file.sha256[:12]}...); nothing was kept"
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
