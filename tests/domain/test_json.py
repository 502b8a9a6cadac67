from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import texts
from wfx.domain.json import decode, encode


@given(texts)
def test_any_text_survives(text: str) -> None:
    """Any text as key or value comes back as it was."""
    assert decode(encode({text: [text]})) == {text: [text]}


@given(st.text(st.sampled_from('<>&\u2028\u2029a\\"ä')))
def test_encoded_text_ends_no_script_and_no_line(text: str) -> None:
    """Characters that could end a script or a line are escaped wherever they are, and mean the same afterwards."""
    encoded = encode({text: text})
    assert not set("<>&\u2028\u2029") & set(encoded.decode())
    assert decode(encoded) == {text: text}
