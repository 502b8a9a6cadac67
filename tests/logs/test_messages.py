"""Messages that the sanitizer leaves readable."""

from __future__ import annotations

import pytest

from wfx.config.cross_checks import OptionRefused
from wfx.config.options import OPTIONS, Option
from wfx.logs.masks import Mask
from wfx.logs.sanitizer import Sanitizer
from wfx.store.sqlite import dsn


def test_parameters_called_like_secrets() -> None:
    """The warning about an unknown parameter of the storage option is shown whole, whatever the parameter is called."""
    [warning] = dsn.parse("wfx.db?password=hunter2").warnings
    assert Sanitizer(Mask()).clean(f"storage option {warning}").text == f"storage option {warning}"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_options_that_are_refused(option: Option) -> None:
    """The message about an option that is refused is shown whole, whatever the option is called."""
    message = str(OptionRefused(option.name, "another-option needs something"))
    assert Sanitizer(Mask()).clean(message).text == message
