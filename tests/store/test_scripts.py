"""The contract of a store, as far as it concerns scripts."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests.store.backends import NOON, Backend, SetClock
from wfx.domain.json import Json
from wfx.domain.script_errors import ScriptNotFound, TooManyScripts
from wfx.store import script_records
from wfx.store.protocol import Store
from wfx.store.script_records import Script, ScriptHead

SOURCE = "function main(payload) { return { next: 'DONE', payload: { ü: payload } } }"
FINDINGS = Json(b'[{"type":"eval","line":1}]')
NONE = Json(b"[]")


def hash_of(source: str) -> str:
    """Return the name of a version."""
    return sha256(source.encode()).hexdigest()


async def put(store: Store, *scripts: tuple[str, str]) -> list[str | None]:
    """Put sources under names; returns what these stood for before."""
    return [await store.put_script(name, source, NONE) for name, source in scripts]


async def sources(store: Store, name: str) -> list[tuple[str, bool]]:
    """Return the sources that are kept of a script, newest first, and whether each is the present one."""
    heads = await store.list_script_versions(name)
    return [((await store.get_script(name, head.sha256)).source, head.is_current) for head in heads]


async def test_a_script_is_put_and_read(store: Store, clock: SetClock) -> None:
    """A script is read as it was put, with its hash, size, time and findings, by name and by hash."""
    clock.now += 7
    assert await store.put_script("calc", SOURCE, FINDINGS) is None
    head = ScriptHead("calc", hash_of(SOURCE), NOON + 7, len(SOURCE.encode()), FINDINGS, is_current=True)  # type: ignore[arg-type]
    expected = Script(head, SOURCE)
    assert await store.get_script("calc") == expected
    assert await store.get_script("calc", hash_of(SOURCE)) == expected
    assert await store.list_scripts() == [head]


async def test_versions(store: Store) -> None:
    """What a name stood for is kept, in the order in which it was put last, and may be put again."""
    assert await put(store, ("a", "1"), ("a", "2"), ("b", "1")) == [None, hash_of("1"), None]
    assert await sources(store, "a") == [("2", True), ("1", False)]
    assert await put(store, ("a", "1"), ("a", "1")) == [hash_of("2"), hash_of("1")]
    assert await sources(store, "a") == [("1", True), ("2", False)]
    assert (await store.get_script("a")).source == "1"
    assert await sources(store, "b") == [("1", True)]


async def test_putting_again_replaces_findings(store: Store, clock: SetClock) -> None:
    """The findings and the time of a version are those of the last time that it was put."""
    await store.put_script("a", SOURCE, NONE)
    clock.now += 1
    await store.put_script("a", SOURCE, FINDINGS)
    head = (await store.get_script("a")).head
    assert (head.findings, head.ctime) == (FINDINGS, NOON + 1)


async def test_deleting(store: Store) -> None:
    """A script that is deleted is found by its hash alone, and may be put again; another time it is not there."""
    await put(store, ("a", "1"), ("b", "2"))
    await store.delete_script("a")
    with pytest.raises(ScriptNotFound, match="'a'"):
        await store.get_script("a")
    with pytest.raises(ScriptNotFound):
        await store.delete_script("a")
    assert [head.name for head in await store.list_scripts()] == ["b"]
    assert await sources(store, "a") == [("1", False)]
    assert await put(store, ("a", "1")) == [None]
    assert await sources(store, "a") == [("1", True)]


@pytest.mark.parametrize("name", ["", "x" * 2000, "a\0", "\udc80"])
async def test_names_that_no_script_has(store: Store, name: str) -> None:
    """A name that cannot be stored is refused, and found nowhere."""
    with pytest.raises(ValueError, match="name of a script"):
        await store.put_script(name, SOURCE, NONE)
    with pytest.raises(ScriptNotFound):
        await store.get_script(name)
    with pytest.raises(ScriptNotFound):
        await store.get_script("a", name)
    with pytest.raises(ScriptNotFound):
        await store.delete_script(name)
    assert await store.list_script_versions(name) == ()


@pytest.mark.parametrize("source", ["a\0", "\udc80"])
async def test_sources_that_cannot_be_stored(store: Store, source: str) -> None:
    """A source that no database takes is refused before anything happens."""
    with pytest.raises(ValueError, match=r"U\+0000|surrogates"):
        await store.put_script("a", source, NONE)
    assert await store.list_scripts() == []


async def test_pages(store: Store) -> None:
    """Scripts are listed in the order of the code points of their names, page by page."""
    names = ["Z", "a", "b", "é", "\U0001f600", "\uffff"]
    await put(store, *((name, name) for name in names))
    listed, after = list[str](), ""
    while page := await store.list_scripts(after, 2):
        listed += [head.name for head in page]
        after = listed[-1]
    assert listed == sorted(names)
    assert await store.list_scripts("", 0) == []


async def test_as_many_as_there_may_be(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are as many scripts as there may be, another name is refused and a new version is not."""
    monkeypatch.setattr(script_records, "MOST_SCRIPTS", 2)
    await put(store, ("a", "1"), ("b", "1"))
    with pytest.raises(TooManyScripts, match="2 scripts"):
        await put(store, ("c", "1"))
    assert await store.list_script_versions("c") == []
    assert await put(store, ("a", "2")) == [hash_of("1")]
    await store.delete_script("a")
    assert await put(store, ("c", "1")) == [None]


async def test_old_versions_are_dropped(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of older versions those put last are kept, of all scripts together; no present one is dropped."""
    monkeypatch.setattr(script_records, "MOST_OLD_VERSIONS", 2)
    await put(store, ("still", "1"), ("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"))
    assert await sources(store, "a") == [("4", True), ("3", False), ("2", False)]
    await store.delete_script("a")
    assert await sources(store, "a") == [("4", False), ("3", False)]
    assert await sources(store, "still") == [("1", True)]


async def test_lasting(lasting: Backend, tmp_path: Path, clock: SetClock) -> None:
    """Scripts are there after closing and opening."""
    async with lasting.open(tmp_path, clock) as store:
        await put(store, ("a", "1"), ("a", SOURCE))
    async with lasting.open(tmp_path, clock) as store:
        assert await sources(store, "a") == [(SOURCE, True), ("1", False)]
