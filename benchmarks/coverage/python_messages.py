"""The texts that Python code can write, by its own parser: constants, f-strings, `%`, `+`, with the call they are given to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from benchmarks.coverage.messages import HOLE, Message


def messages(path: str, text: str) -> Iterator[Message]:
    """Every text of a module but its docstrings; none of a file that is no Python of this version."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    yield from _walk(path, tree, "")


def _walk(path: str, node: ast.AST, call: str) -> Iterator[Message]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        if isinstance(child, ast.expr) and (found := text_of(child)) is not None:
            yield Message(text=found, call=call, path=path, line=child.lineno)
        else:
            yield from _walk(path, child, _called(child) or call)


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func)[-80:]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)[-80:]
    return ""


def text_of(node: ast.expr) -> str | None:
    """The text that an expression gives, with HOLEs for its values; None when it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    if isinstance(node, ast.BinOp):
        return _of_two(node)
    return _formatted(node)


def _formatted(node: ast.expr) -> str | None:
    """The template of `"…".format(…)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return text_of(node.func.value)
    return None


def _of_two(node: ast.BinOp) -> str | None:
    left, right = text_of(node.left), text_of(node.right)
    if isinstance(node.op, ast.Mod):
        return left
    if not isinstance(node.op, ast.Add) or (left is None and right is None):
        return None
    return (HOLE if left is None else left) + (HOLE if right is None else right)
