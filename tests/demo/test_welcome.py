"""What `make run` says first."""

from __future__ import annotations

from wfx.welcome import welcome


def test_the_welcome_names_the_usual_addresses() -> None:
    """Without options it is the ports of README.md, and commands need no more than the PATH."""
    text = welcome([], {})
    assert "data in ./wfx.db\n" in text
    assert "http://127.0.0.1:8081/api/wfx/v1" in text
    assert "http://127.0.0.1:8080/api/wfx/v1" in text
    assert 'export PATH="$PWD/.venv/bin:$PATH"\n' in text


def test_the_welcome_names_what_was_asked_for() -> None:
    """Hosts, ports and data are those of the options and variables, and wfxctl is told the ports."""
    text = welcome(["--mgmt-port", "9081", "--client-host", "::1"], {"WFX_STORAGE_OPT": "file:wfx?mode=memory"})
    assert "data in memory alone\n" in text
    assert "http://127.0.0.1:9081/api/wfx/v1" in text
    assert "http://[::1]:8080/api/wfx/v1" in text
    assert ':$PATH" WFX_MGMT_PORT=9081\n' in text


def test_the_welcome_says_where_everybody_is_let_in() -> None:
    """A side that listens on all addresses of the machine is said to, and one on an address of its own is not."""
    north, south = (line for line in welcome([], {}).splitlines() if "bound API" in line)
    assert north.endswith("http://127.0.0.1:8081/api/wfx/v1")
    assert south.endswith("http://127.0.0.1:8080/api/wfx/v1, and on all other addresses of this machine")
    assert "all other addresses" not in welcome(["--client-host=127.0.0.1"], {})


def test_free_ports_are_not_made_up() -> None:
    """Where the system is to choose a port, the welcome leaves it to the service to name it."""
    text = welcome(["--mgmt-port=0", "--client-port=0", "--storage-opt=/srv/wfx.db"], {})
    assert text.count("on a free port, see below") == 2
    assert "http://" not in text
    assert "data in /srv/wfx.db\n" in text


def test_what_does_not_serve_is_not_welcomed() -> None:
    """For help, another command or a wrong option nothing is said: the service does it, and once."""
    assert [welcome(words, {}) for words in (["--help"], ["version"], ["--bogus"], ["--mgmt-port=x"])] == [""] * 4
