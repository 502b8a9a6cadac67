from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from wfx.domain.json import encode
from wfx.filtering import FilterSyntaxError

_CORPUS = yaml.load((Path(__file__).parent / "corpus.yaml").read_text(), Loader=yaml.CSafeLoader)
_CASES = [case for section in _CORPUS["programs"].values() for case in section]


@pytest.mark.parametrize("case", _CASES, ids=[case["program"] for case in _CASES])
def test_a_program_gives_the_lines_of_the_corpus(
    case: dict[str, Any],
    bench: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each output is one line of JSON in the contract's bytes, {} where it failed, and no variable of ours is seen."""
    monkeypatch.setenv("CANARY", "a-secret-of-the-server")
    output = bench.run(case["program"], encode(_CORPUS["document"])).decode()
    assert output == "".join(f"{line}\n" for line in case["gives"])
    assert all(isinstance(json.loads(line), object) for line in output.splitlines())


@pytest.mark.parametrize("case", _CASES, ids=[case["program"] for case in _CASES])
def test_an_entry_names_the_reference_only_where_it_differs(case: dict[str, Any]) -> None:
    """The corpus is honest about differences: each noted one is one."""
    assert case.get("reference") != case["gives"]


@pytest.mark.parametrize("text", _CORPUS["refused"])
def test_what_is_no_program_is_refused_with_the_place(text: str, bench: Any) -> None:
    """A text that jq cannot parse is refused in one line that says where it goes wrong."""
    with pytest.raises(FilterSyntaxError, match=r"is not a jq program: syntax error.* line 1, column \d+$") as caught:
        bench.run(text, b"null")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_an_empty_filter_fails(text: str, bench: Any) -> None:
    """An empty header value gives {} (rest-api section 11)."""
    assert bench.run(text, b'{"a":1}') == b"{}\n"
