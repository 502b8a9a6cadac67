"""The command ``wfx rekey`` as it is typed."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import Option


def command(options: tuple[Option, ...]) -> Command:
    """Make the command; it has these options."""
    return Command(
        "rekey",
        "Encrypt, re-encrypt or decrypt the stored data",
        """
        Brings all stored values into the form in which a server with these options writes them: with
        --enable-encryption encrypted by the first key, without it plain. Works in short steps, also while a server
        with the same options is at work; what is there already is left out, so it goes on where it was when it is
        called again. Former values are overwritten; while no server runs, a file of SQLite is rewritten as a whole at
        the end, so that nothing of them is left in it. docs/encryption.md describes the change of keys.
        """,
        examples="""
        # encrypt what was stored before encryption was enabled
        wfx rekey --enable-encryption --encryption-keys-file /etc/wfx/keys

        # decrypt everything
        wfx rekey --encryption-keys-file /etc/wfx/keys
        """,
        options=options,
        run=_rekey,
    )


def _rekey(call: Invocation) -> int:
    from wfx import maintenance  # needs the store

    return maintenance.run_rekey(call)
