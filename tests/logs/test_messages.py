"""Messages that the sanitizer leaves readable."""

from __future__ import annotations

from wfx.logs.masks import Mask
from wfx.logs.sanitizer import Sanitizer
from wfx.store.sqlite import dsn


def test_parameters_called_like_secrets() -> None:
    """The warning about an unknown parameter of the storage option is shown whole, whatever the parameter is called."""
    [warning] = dsn.parse("wfx.db?password=hunter2").warnings
    assert Sanitizer(Mask()).clean(f"storage option {warning}").text == f"storage option {warning}"
