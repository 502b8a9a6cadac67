from __future__ import annotations

from random import Random

from wfx.store.bounded_cache import BoundedCache


def cache(room: int) -> BoundedCache[str, str]:
    """Make a cache of so many characters."""
    return BoundedCache(room, len)


def test_what_is_used_stays() -> None:
    """Of many values those that are asked for again and again are kept, and never more than there is room for."""
    kept = cache(100)
    kept.put("used", "x" * 10)
    for number in range(100):
        kept.put(str(number), "y" * 10)
        assert kept.get("used") == "x" * 10
        assert sum(map(len, kept.all().values())) <= 120
    assert kept.get("0") is None


def test_a_replaced_value_takes_no_room() -> None:
    """A value that is replaced many times pushes nothing out."""
    kept = cache(100)
    kept.put("other", "x" * 10)
    for number in range(1000):
        kept.put("changing", f"{number:010}")
    assert kept.get("other") == "x" * 10
    assert kept.get("changing") == "0000000999"


def test_a_dropped_value_gives_its_room_back() -> None:
    """A value that is kept and dropped many times pushes nothing out."""
    kept = cache(100)
    kept.put("other", "x" * 10)
    for _ in range(1000):
        kept.put("changing", "x" * 10)
        kept.drop("changing")
    assert kept.get("other") == "x" * 10


def test_what_is_dropped_is_gone() -> None:
    """A value that is dropped is not found any more, whichever generation it is in."""
    kept = cache(10)
    kept.put("old", "x" * 6)
    kept.put("young", "y")
    kept.drop("old")
    kept.drop("young")
    assert kept.all() == {}


def test_length() -> None:
    """The length is the number of different keys, wherever those are kept, and nothing is copied for it."""
    kept = cache(200)
    random = Random(4711)
    for _ in range(2000):
        key = str(random.randrange(40))
        step = random.choice((kept.get, kept.drop, lambda key: kept.put(key, "x" * random.randrange(1, 9))))
        step(key)
        assert len(kept) == len(kept.all())
    kept.clear()
    assert len(kept) == 0
