"""Checks that a query is a single SELECT statement that only reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paracosm.foundation.errors import DataError

ALLOWED = "it must be a SELECT (one statement, which may start with WITH)"
CHANGING = frozenset(
    {
        "insert",
        "update",
        "delete",
        "merge",
        "replace",
        "truncate",
        "create",
        "alter",
        "drop",
        "grant",
        "revoke",
    }
    | {
        "call",
        "exec",
        "execute",
        "do",
        "copy",
        "attach",
        "detach",
        "vacuum",
        "pragma",
        "set",
        "lock",
        "handler",
    }
)
"""Verbs that begin a statement other than a SELECT. They are also legal names of columns and functions elsewhere."""
FUNCTIONS = re.compile(
    r"pg_(?:read_|write_|ls_|stat_file|file_|terminate_|cancel_|reload_|rotate_|logfile_|switch_|promote|create_|drop_|logical_|notify)\w*"
    r"|pg_(?:stat_(?:reset|clear)|wal_replay_|backup_|start_backup|stop_backup|replication_|sync_|export_|import_|prewarm|sleep)\w*"
    r"|pg_(?:try_)?advisory_\w+|set_config|lo_\w+|lowrite|loread|dblink\w*|nextval|setval"
    r"|(?:query|table|schema|database|cursor)_to_xml\w*|ts_stat|ts_rewrite|crosstab\w*|connectby"
    r"|load_file|load_extension|writefile|readfile|edit|fts3_tokenizer|sleep|benchmark|(?:get|release|is_free|is_used)_(?:all_)?locks?"
    r"|openrowset|openquery|opendatasource|utl_\w+|dbms_\w+|sys_exec|sys_eval|xp_\w+|sp_\w+",
    re.IGNORECASE,
)
"""Functions that change something, wait, run a text as a query, or leave the database whatever the transaction: files of the
server, other sessions and servers. The list cannot be complete, because a server may have further functions."""
TRANSACT = frozenset(
    {
        "insert", "update", "delete", "truncate", "create", "alter", "drop", "grant", "revoke", "deny", "exec", "execute", "set", "declare",
        "backup", "restore", "kill", "shutdown", "reconfigure", "dbcc", "waitfor", "print", "raiserror", "begin", "commit", "rollback",
        "while", "bulk", "checkpoint", "writetext", "updatetext", "merge",
    }
)  # fmt: skip
"""Reserved words of Transact-SQL that begin a statement; it needs no semicolon between two."""


@dataclass(frozen=True)
class Syntax:
    """How a kind of database divides a text into strings, comments and words.

    Attributes:
        escapes: a backslash escapes the next character of a string.
        nested: comments may be nested.
        hashes: `#` begins a comment, and `--` only before white space.
        brackets: `[name]` is a quoted name.
        dollars: `$tag$ ... $tag$` is a string.
        juxtaposed: a statement may follow another one without a semicolon.
    """

    escapes: bool = False
    nested: bool = False
    hashes: bool = False
    brackets: bool = False
    dollars: bool = False
    juxtaposed: bool = False


POSTGRESQL = Syntax(nested=True, dollars=True)
MYSQL = Syntax(escapes=True, hashes=True)
SYNTAXES = {
    "postgresql": (POSTGRESQL,),
    "cockroachdb": (POSTGRESQL,),
    "redshift": (POSTGRESQL,),
    "mysql": (MYSQL, Syntax(hashes=True)),
    "mariadb": (MYSQL, Syntax(hashes=True)),
    "sqlite": (Syntax(brackets=True),),
    "mssql": (Syntax(nested=True, brackets=True, juxtaposed=True),),
    "oracle": (Syntax(),),
}
"""Name of SQLAlchemy's dialect -> the possible readings of a text; a server setting decides on MySQL's escapes."""


def check_select(query: str, dialect: str) -> None:
    """Raise unless a query is a single SELECT statement.

    Args:
        query: the text of `data.query`.
        dialect: SQLAlchemy's name of the kind of database, such as `postgresql`. Of an unknown kind, every known reading of
            strings and comments has to pass.

    Raises:
        DataError: the query has another statement, a second one, a part that changes data, or an unclosed string or comment.
    """
    every = dict.fromkeys(syntax for syntaxes in SYNTAXES.values() for syntax in syntaxes)
    for syntax in SYNTAXES.get(dialect, tuple(every)):
        _check_words(list(_words(query, syntax)), syntax)


def _check_words(words: list[str], syntax: Syntax) -> None:
    while words and words[-1] == ";":
        words.pop()
    if ";" in words:
        raise DataError(f"data.query: has a second statement after a semicolon; {ALLOWED}")
    first = next((word for word in words if word != "("), "")
    if first not in ("select", "with"):
        kind = first.upper() if first.isalpha() else "nothing that is read"
        raise DataError(f"data.query: starts with {kind}; {ALLOWED}")
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        after = words[index + 1] if index + 1 < len(words) else ""
        if word in CHANGING and before in ("(", ")", "") and after not in ("(", ")", ",", "."):
            raise DataError(
                f"data.query: has the statement {word.upper()}; {ALLOWED}, without parts that change data"
            )
        if syntax.juxtaposed and word in TRANSACT and before not in (".", "as") and after != "join":
            raise DataError(
                f"data.query: has the statement {word.upper()}, which Transact-SQL takes without a semicolon; {ALLOWED}; write a name as [{word}]"
            )
        if word == "into" and before not in (".", "as"):
            raise DataError(
                f"data.query: has SELECT ... INTO, which writes a table or a file; {ALLOWED}, without INTO"
            )
        if after == "(" and FUNCTIONS.fullmatch(word):
            raise DataError(
                f"data.query: calls {word}(), which can change something or read outside the tables; {ALLOWED}, without this function"
            )


def _words(query: str, syntax: Syntax) -> Iterator[str]:
    """Yield the words and single characters of code in lower case; strings, numbers and comments are left out.

    A quoted name that is a function is yielded too, because quotes do not change which function is called.

    Raises:
        DataError: a string or a comment does not end, or a comment holds code.
    """
    position = 0
    while position < len(query):
        if syntax.dollars and re.compile(r"(?<![\w$])[uU]&[\"']").match(query, position):
            raise DataError(
                "data.query: has a name or a string with U&, in which escapes can spell anything; write its letters as they are"
            )
        end = _end_of_comment(query, position, syntax)
        if end is not None:
            position = end
            continue
        character = query[position]
        if closing := _closing_quote(character, syntax):
            escapes = character in "'\"" and (
                syntax.escapes or (character == "'" and _is_escape_string(query, position))
            )
            end = _end_of_quoted(query, position + 1, closing, escapes=escapes)
            name = query[position + 1 : end - 1]
            yield name.lower() if character != "'" and FUNCTIONS.fullmatch(name) else '"'
            position = end
        elif syntax.dollars and (tag := re.compile(r"(?<![\w$])\$(?:[^\W\d]\w*)?\$").match(query, position)):
            end = query.find(tag[0], tag.end())
            if end < 0:
                raise DataError("data.query: has a string that does not end")
            yield '"'
            position = end + len(tag[0])
        elif word := re.compile(r"[^\W\d][\w$]*").match(query, position):
            yield word[0].lower()
            position = word.end()
        else:
            if not character.isspace():
                yield character
            position += 1


def _closing_quote(character: str, syntax: Syntax) -> str:
    return {"'": "'", '"': '"', "`": "`", "[": "]" if syntax.brackets else ""}.get(character, "")


def _is_escape_string(query: str, position: int) -> bool:
    """Return whether the quote at `position` opens PostgreSQL's `E'...'`, in which a backslash escapes."""
    return bool(re.compile(r"(?<![\w$])[eE]$").search(query[max(0, position - 2) : position]))


def _end_of_quoted(query: str, position: int, closing: str, *, escapes: bool) -> int:
    while position < len(query):
        if (escapes and query[position] == "\\") or query.startswith(closing * 2, position):
            position += 2
        elif query[position] == closing:
            return position + 1
        else:
            position += 1
    raise DataError(f"data.query: has a string or a name that does not end with {closing}")


def _end_of_comment(query: str, position: int, syntax: Syntax) -> int | None:
    """Return where the comment at `position` ends, or None if there is none."""
    dashes = query.startswith("--", position)
    if dashes and syntax.hashes:
        dashes = query[position + 2 : position + 3].isspace() or position + 2 == len(query)
    if dashes or (syntax.hashes and query[position] == "#"):
        line = re.compile(r"[\r\n]").search(query, position)
        return line.end() if line else len(query)
    if not query.startswith("/*", position):
        return None
    if query.startswith(("/*!", "/*M!"), position):
        raise DataError(
            f"data.query: has a comment /*! ... */, which MySQL runs as code; {ALLOWED}, without it"
        )
    depth, position = 1, position + 2
    for mark in re.compile(r"/\*|\*/").finditer(query, position):
        if mark.start() < position or (mark[0] == "/*" and not syntax.nested):
            continue
        position = mark.end()
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return position
    raise DataError("data.query: has a comment that does not end")
