"""Commands whose help ends with examples."""

from __future__ import annotations

import click


class Exemplified:
    """Shows the epilog of a command line by line, under a heading of its own."""

    epilog: str | None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples (click asks for it)."""
        del ctx
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Verb(Exemplified, click.Command):
    """A command with examples."""


class Program(Exemplified, click.Group):
    """A program with examples, whose commands have some too."""
