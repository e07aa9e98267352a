"""Answers of models by the hash of what was asked, in the run directory: a killed run resumes, and nothing is asked twice.

One SQLite file, so that a kill at any moment leaves every finished answer and no half one. Failed answers are appended to a
text file beside it, for reading.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RunError
from paracosm.generate.answers.task import Usage

ANSWERS, FAILURES = "answers.sqlite", "failures.jsonl"
LONGEST_FAILURE = 4000
"""Characters that are kept of a failed answer."""
WAIT = 120.0
"""Seconds to wait for another process that writes."""
TABLES = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, step TEXT NOT NULL, record INTEGER NOT NULL, plain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, plain TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS uses (stage TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (stage, key));
"""


@dataclass(frozen=True)
class Stored:
    """An answer in the store.

    Attributes:
        values: the fields that were written, as JSON values; None if no answer was valid.
        usage: what it cost.
    """

    values: dict[str, Any] | None
    usage: Usage


class AnswerStore:
    """The answers of one run directory.

    Attributes:
        folder: holds the files.
        stage: names the settings of a generation; what it used is counted for it alone.
    """

    def __init__(self, folder: Path, stage: str) -> None:
        self.folder = folder
        self.stage = stage
        self._lock = threading.Lock()

    @contextmanager
    def _connected(self) -> Any:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock, closing(sqlite3.connect(self.folder / ANSWERS, timeout=WAIT)) as connection:
                connection.executescript(TABLES)
                with connection:
                    yield connection
        except sqlite3.DatabaseError as error:
            raise RunError(
                f"{self.folder / ANSWERS}: cannot be used ({error}); remove it to ask every question again"
            ) from error

    def read(self, keys: Collection[str]) -> dict[str, Stored]:
        """Return the answers with some keys that are there, and note that this generation uses them."""
        found = {}
        with self._connected() as connection:
            for key in keys:
                row = connection.execute("SELECT plain FROM answers WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    plain = json.loads(row[0])
                    found[key] = Stored(plain["values"], Usage.of(plain["usage"]))
            self._note(connection, found)
        return found

    def write(self, step: str, answers: Iterable[tuple[str, int, Mapping[str, Any] | None, Usage]]) -> None:
        """Store answers as (key, record number, values, usage), and note that this generation uses them."""
        rows = [
            (key, step, number, json.dumps({"values": values, "usage": usage.plain()}, ensure_ascii=False))
            for key, number, values, usage in answers
        ]
        with self._connected() as connection:
            connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
            self._note(connection, [row[0] for row in rows])

    def reply(self, key: str) -> dict[str, Any] | None:
        """Return what a server replied to a request, None if it was not asked."""
        with self._connected() as connection:
            row = connection.execute("SELECT plain FROM replies WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_reply(self, key: str, plain: Mapping[str, Any]) -> None:
        """Store what a server replied to a request."""
        with self._connected() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, json.dumps(plain, ensure_ascii=False))
            )

    def _note(self, connection: sqlite3.Connection, keys: Iterable[str]) -> None:
        connection.executemany(
            "INSERT OR IGNORE INTO uses VALUES (?, ?)", [(self.stage, key) for key in keys]
        )

    def usage(self) -> dict[str, Usage]:
        """Return what the answers cost that this generation used, by step; asked now or earlier."""
        found: dict[str, Usage] = {}
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT step, plain FROM answers JOIN uses USING (key) WHERE stage = ? ORDER BY key",
                (self.stage,),
            )
            for step, plain in rows:
                found.setdefault(step, Usage()).add(Usage.of(json.loads(plain)["usage"]))
        return found

    def note_failure(
        self, step: str, number: int, reason: str, raw: str, secrets: Collection[str] = ()
    ) -> None:
        """Append a failed answer to the text file, without secrets that a server repeated."""
        for secret in secrets:
            raw, reason = raw.replace(secret, "[key]"), reason.replace(secret, "[key]")
        line = json.dumps(
            {"step": step, "record": number, "reason": reason, "answer": raw[:LONGEST_FAILURE]},
            ensure_ascii=False,
        )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self.folder / FAILURES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)
