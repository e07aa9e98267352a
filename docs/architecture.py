"""Write the tree of packages in docs/architecture.md from their docstrings: `python docs/architecture.py`."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
ROOMS = ("foundation", "recipes", "records", "finetune", "generate", "eval", "registry", "paracosm", "cli")
BEGIN, END = "<!-- tree: begin (python docs/architecture.py) -->", "<!-- tree: end -->"


def first_sentence(module: Path) -> str:
    """Return the first line of a module's docstring."""
    documented = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    if not documented:
        raise ValueError(f"{module.relative_to(ROOT)}: has no docstring")
    return documented.splitlines()[0]


def tree() -> str:
    """Return every package and module with the first line of its docstring, as a Markdown list."""
    lines = []
    for room in ROOMS:
        for init in sorted((ROOT / room).rglob("__init__.py")):
            folder = init.parent
            depth = len(folder.relative_to(ROOT).parts) - 1
            indent = "  " * depth
            lines.append(f"{indent}- **`{folder.relative_to(ROOT)}/`** {first_sentence(init)}")
            lines += [
                f"{indent}  - `{module.name}` {first_sentence(module)}"
                for module in sorted(folder.glob("*.py"))
                if module.name != "__init__.py"
            ]
    return "\n".join(lines)


def rendered(page: str) -> str:
    """Return the page with the tree between its markers replaced."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{tree()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
