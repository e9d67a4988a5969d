"""`why401 completions`: the script that completes commands, options, choices and names of recipes in a shell."""

from __future__ import annotations

from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_WHY401_COMPLETE"  # click makes the name of it from that of the program


@click.command("completions")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script for a shell, to be evaluated by it or kept as a file.

    \b
    eval "$(why401 completions bash)"                         (in ~/.bashrc)
    eval "$(why401 completions zsh)"                          (in ~/.zshrc, behind compinit)
    why401 completions fish > ~/.config/fish/completions/why401.fish
    """  # noqa: D301  # \b is click's mark for "keep these lines"
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    root = click.get_current_context().find_root()
    click.echo(complete(root.command, {}, "why401", VARIABLE).source(), nl=False)
