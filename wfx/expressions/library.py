"""All functions of this package: the 34 names of the guide, and ``score``."""

from __future__ import annotations

from wfx.expressions import functions_directory, functions_flw, functions_vars
from wfx.expressions.functions import Functions, installed

OWN = (*functions_flw.FUNCTIONS, *functions_vars.FUNCTIONS, *functions_directory.FUNCTIONS)


def own_functions() -> Functions:
    """Return the functions of this package alone."""
    return Functions(OWN)


def all_functions() -> Functions:
    """Return the functions of this package and of those that are installed. Raises ValueError."""
    return installed(OWN)
