"""Whether files are text documents: a .txt file can also be a table."""

from collections.abc import Sequence
from pathlib import Path

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.delimited.dialect import SNIFFED_LETTERS, looks_like_table
from paracosm.records.sources.selection.source_files import DOCUMENTS
from paracosm.records.text.text_file import read_any_text, text_stream


def are_documents(files: Sequence[Path], data: Data) -> bool:
    """Return whether files are read as text documents: several .txt files without columns are, a single one is a table."""
    suffixes = {file.suffix.lower() for file in files}
    if not suffixes <= set(DOCUMENTS):
        return False
    if suffixes != {".txt"} or data.passages is not None:
        return True
    named = data.source.lower().endswith(".txt")
    return not named or (len(files) > 1 and not _is_table(files[0], data))


def _is_table(file: Path, data: Data) -> bool:
    """Return whether the first lines of a .txt file have the same number of cells, more than one, below names."""
    try:
        with text_stream(file, data.bounds) as stream:
            beginning = stream.read(SNIFFED_LETTERS)
    except UnicodeDecodeError:
        beginning = read_any_text(file, data.bounds).text[:SNIFFED_LETTERS]
    except DataError:
        return False
    return looks_like_table(beginning)
