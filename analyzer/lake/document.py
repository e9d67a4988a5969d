"""The reference part of docs/sql.md, from the views themselves: `python -m analyzer.lake.document`."""

from __future__ import annotations

from analyzer.lake.view_files import View, views


def reference() -> str:
    """Markdown: a section per view, a row per column."""
    return "\n".join(_section(view) for view in views())


def _section(view: View) -> str:
    rows = [f"| `{name}` | {comment.replace('|', '/')} |" for name, comment in view.columns]
    return "\n".join([f"### `{view.name}`", "", view.comment, "", "| column | meaning |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    print(reference())
