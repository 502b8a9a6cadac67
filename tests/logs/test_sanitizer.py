"""What is hidden in log records: secrets and personal data in any text, in every format, in bounded time."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.logs.journal import parsed
from wfx import logs
from wfx.api.body_log import BodyText, query_text
from wfx.config.masking import without_passwords
from wfx.logs import custom_patterns, journal
from wfx.logs.custom_patterns import (
    LARGEST_PATTERN,
    LARGEST_PATTERNS,
    LONGEST_PATTERN,
    MOST_WORK,
    longest_shown,
    read_patterns,
)
from wfx.logs.masks import Mask
from wfx.logs.record import LONGEST, content_of, set_sanitizer
from wfx.logs.sanitizer import MOST_SEARCHES, Sanitizer

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def shown(text: str, *patterns: str) -> str:
    """Return a text as it is logged."""
    return Sanitizer(Mask(), read_patterns(patterns)).clean(text).text


@pytest.mark.parametrize(("text", "clean"), [
    ("mail from a@b.io", "mail from [REDACTED:email]"),
    ("a@b.io,Jane.Doe+x@mail.example.com;", "[REDACTED:email],[REDACTED:email];"),
    ("clientId=a%40b.io&limit=2", "clientId=[REDACTED:email]&limit=2"),
    ("jürgen@müller.de", "[REDACTED:email]"),
    ("call +49 89 636-48018 now", "call [REDACTED:phone] now"),
    ("(555) 123-4567 or 555.123.4567", "[REDACTED:phone] or [REDACTED:phone]"),
    ("tel=089 63648018", "tel=[REDACTED:phone]"),
    ("4111 1111 1111 1111", "[REDACTED:card]"),
    ("4111-1111-1111-1111, 5500000000000004", "[REDACTED:card], [REDACTED:card]"),
    ("378282246310005 and 123", "[REDACTED:card] and 123"),
    ("4111 1111 1111 1111 123", "[REDACTED:card] 123"),
    ("ssn 078-05-1120.", "ssn [REDACTED:ssn]."),
    ("key sk-abcdefghijklmnop1234", "key [REDACTED:api-key]"),
    ("AKIAIOSFODNN7EXAMPLE", "[REDACTED:api-key]"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[REDACTED:api-key]"),
    ("X-Api-Key: 12ab", "X-Api-Key: [REDACTED:api-key]"),
    (f"got {JWT}", "got [REDACTED:jwt]"),
    ("Authorization: Bearer abc", "Authorization: Bearer [REDACTED:bearer]"),
    ("bearer 0123456789abcdef", "bearer [REDACTED:bearer]"),
    ("authorization: Basic dXNlcjpwYXNz", "authorization: [REDACTED:authorization]"),
    ("postgres://wfx:se:cr@et@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("postgres://wfx:*x@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("postgres://wfx:****@db/wfx", "postgres://wfx:[REDACTED:credentials]@db/wfx"),
    ("wfx:hunter2@tcp(db)/wfx", "wfx:[REDACTED:credentials]@tcp(db)/wfx"),
    ("password=hunter2&x=1", "password=[REDACTED:secret]&x=1"),
    ("_auth_salt=x&_auth_pass=y", "_auth_salt=[REDACTED:secret]&_auth_pass=[REDACTED:secret]"),
    ('{"password": "two words", "n": 1}', '{"password": "[REDACTED:secret]", "n": 1}'),
    (r'"{\"token\":\"two words\"}"', r'"{\"token\":\"[REDACTED:secret]\"}"'),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nrest", "[REDACTED:private-key]\nrest"),
    ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\nDEK-Info: AES,00\n\nab\n-----END RSA PRIVATE KEY-----\nx",
     "[REDACTED:private-key]\nx"),
    ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nab\n-----END PGP PRIVATE KEY BLOCK-----\nx", "[REDACTED:private-key]\nx"),
    ("{'password': b'hunter2', 'n': 1}", "{'password': b'[REDACTED:secret]', 'n': 1}"),
    (r"password='hun\'ter2' x", "password='[REDACTED:secret]' x"),
    ("password=bhunter2", "password=[REDACTED:secret]"),
    ('"password" => "x"', '"password" => "[REDACTED:secret]"'),
    ("x_ghp_abcdefghijklmnopqrstuvwxyz", "x_[REDACTED:api-key]"),
    (f"tok_{JWT}", "tok_[REDACTED:jwt]"),
    ("key SG.abcdefghijklmnopqrst.abcdefghijklmnopqrst", "key [REDACTED:api-key]"),
    ("whsec_abcdefghijklmnopqrst", "[REDACTED:api-key]"),
    ("password := hunter2 == x", "password := [REDACTED:secret] == x"),
    ("password == hunter2", "password == [REDACTED:secret]"),
    ("password=>>hunter2 password=:>hunter2", "password=>>[REDACTED:secret] password=:>[REDACTED:secret]"),
    ("password::hunter2", "password::[REDACTED:secret]"),
    ("password: =hunter2", "password: [REDACTED:secret]"),
    ("/?password%3Dhunter2&x=1", "/?password%3D[REDACTED:secret]&x=1"),
    ("password%253Dhunter2", "password%253D[REDACTED:secret]"),
    ("--db-password hunter2 -v", "--db-password [REDACTED:secret] -v"),
    ("--token=x --pass 'two words'", "--token=[REDACTED:secret] --pass '[REDACTED:secret]'"),
    ("['run', '--token', 'hunter', '-v']", "['run', '--token', '[REDACTED:secret]', '-v']"),
    ('"token": ["x", "y]"], "n": ["z"]', '"token": [[REDACTED:secret]], "n": ["z"]'),
    (r'{\"token\":[\"x\", \"y\"]}', r'{\"token\":[[REDACTED:secret]]}'),
    ("apiKeys: x, api_key=['x', None, 'y']", "apiKeys: x, api_key=[[REDACTED:api-key]]"),
    ("<password>two words</password>", "<password>[REDACTED:secret]</password>"),
    ('<w:apiKey kind="x"><![CDATA[x]]></w:apiKey>', '<w:apiKey kind="x"><![CDATA[[REDACTED:secret]</w:apiKey>'),
    ("Cookie: a=b; c=d and more", "Cookie: [REDACTED:cookie] and more"),
    ("Set-Cookie: a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Secure x", "Set-Cookie: [REDACTED:cookie] x"),
    ('{"set-cookie": ["a=b", "c=d"], "n": 1}', '{"set-cookie": [[REDACTED:cookie]], "n": 1}'),
    ("map[Authorization:[Basic eA==] Cookie:[a=b]]",
     "map[Authorization:[[REDACTED:authorization] Cookie:[[REDACTED:cookie]"),
    ("[(b'authorization', b'Basic eA=='), (b'host', b'x')]",
     "[(b'authorization', b'[REDACTED:authorization]'), (b'host', b'x')]"),
    ("Authorization: Bearer 'abc' x", "Authorization: Bearer '[REDACTED:bearer]' x"),
    ('bearer "abcdef"', 'bearer "[REDACTED:bearer]"'),
    ("/Bearer%20abcdefgh", "/Bearer%20[REDACTED:bearer]"),
    ("Authorization: Basic\n dXNlcjpwYXNz x", "Authorization: [REDACTED:authorization] x"),
    (r"Authorization: Basic\r\n dXNlcjpwYXNz x", "Authorization: [REDACTED:authorization] x"),
    (r'"x\nBearer\nabcdefgh\nsk-abcdefghijklmnop\n4111 1111 1111 1111"',
     r'"x\nBearer\n[REDACTED:bearer]\n[REDACTED:api-key]\n[REDACTED:card]"'),
    (r'"password:\nhunter2"', r'"password:\n[REDACTED:secret]"'),
    ("Authorization: ApiKey x y", "Authorization: [REDACTED:authorization] y"),
    ("use ApiKey abcdefghijklmnop", "use ApiKey [REDACTED:api-key]"),
    ("'authorization': 'Own abc', 'n': 1", "'authorization': '[REDACTED:authorization]', 'n': 1"),
    ('Digest username="a", realm="b c", response="d" x', "[REDACTED:authorization] x"),
    (r'{"Authorization": "Digest username=\"a\", response=\"d\"", "n": 1}',
     '{"Authorization": "[REDACTED:authorization]", "n": 1}'),
    ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/1, SignedHeaders=host;date, Signature=5d x",
     "[REDACTED:authorization] x"),
    ("Authorization: AWS AKIDEXAMPLE:frJI= x", "Authorization: [REDACTED:authorization] x"),
    ("/?X-Amz-Signature=5d&sig=x&n=1", "/?X-Amz-Signature=[REDACTED:secret]&sig=[REDACTED:secret]&n=1"),
    ("pypi-AgEIcHlwaS5vcmcCJabcdefghijklmnopqrst", "[REDACTED:api-key]"),
    ("\ud800 a@b.io \x00", "\ud800 [REDACTED:email] \x00"),
    ("{u'password': u'hunter2', 'token': Rb'x', 'n': u'y'}",
     "{u'password': u'[REDACTED:secret]', 'token': Rb'[REDACTED:secret]', 'n': u'y'}"),
    ("PGPASSWORD=$'hunter2' token=@\"x\" secret: L\"x\"",
     "PGPASSWORD=$'[REDACTED:secret]' token=@\"[REDACTED:secret]\" secret: L\"[REDACTED:secret]\""),
    ('Login { password: Some("hunter2"), token: Some(Secret("x")), n: Some("y") }',
     'Login { password: [REDACTED:secret]), token: [REDACTED:secret])), n: Some("y") }'),
    ("password=SecretStr('hunter2 x') api_key=('x', 1)", "password=[REDACTED:secret]) api_key=[REDACTED:api-key], 1)"),
    (r'{"message":"token: Some(\"hunter2\")"}', r'{"message":"token: [REDACTED:secret])"}'),
    ("password='it''s' user='x'", "password='[REDACTED:secret]' user='x'"),
    ("password='''hunter2''' x", "password='[REDACTED:secret]' x"),
    ("no postgres://u@h/x?a=1&passw%6frd=hunter2&x=%20", "no postgres://u@h/x?a=1&passw%6frd=[REDACTED:secret]&x=%20"),
    ("/jobs?na%20me=1&a%5Bb=2", "/jobs?na%20me=1&a%5Bb=2"),
    ("password='' token=\"\" user='x'", "password='' token=\"\" user='x'"),
])  # fmt: skip
def test_what_is_hidden(text: str, clean: str) -> None:
    """Each kind of secret is hidden, and what stands beside it is not."""
    assert shown(text) == clean
    assert shown(clean) == clean, "a second time changes nothing"


@pytest.mark.parametrize("name", [
    "password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "credentials", "_auth_pass",
    "_auth_salt", "apikey", "api_key", "accessKey", "private_key", "secret_key",
])  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    """What is called like a secret is hidden alike in texts, in bodies, and in the storage option."""
    assert "hunter2" not in shown(f"{name}=hunter2")
    assert "hunter2" not in shown(f'{{"{name.upper()}": "hunter2"}}')
    assert "hunter2" not in without_passwords(f"wfx.db?{name}=hunter2")
    assert "hunter2" not in query_text(f"{name}=hunter2".encode())
    body = BodyText()
    body.add(json.dumps({name: "hunter2"}).encode())
    assert "hunter2" not in body.text()


@pytest.mark.parametrize("text", [
    "job created",
    "/api/wfx/v1/jobs/0155e1a0-0123-4567-8901-234567890123/status",
    "4e5adc1cd0cf1d2fb0c1a53e1b42aa2c-1234567",
    "127.0.0.1:8081 192.168.100.200:55123 [2001:db8::1]:8080",
    "2026-01-29T10:00:00.123456Z 2026-01-29 10:00:00",
    "4111 1111 1111 1112",
    "1764435480123456 bytes",
    "wfx.workflow.dau.direct wfx@.service",
    "postgres://wfx:***@db/wfx",
    "no password was given; the token is missing",
    "--password is required, --token-file /run/secrets/t1, use --debug-auth-token (see above)",
    'invalid argument "x" for "--debug-auth-token" flag; type "bearer" failed',
    "cookie: not set; authorization failed; digest sha256:abcdef; the ApiKey is missing",
    "usage: login <user> <password> [<token>]",
    "",
])  # fmt: skip
def test_what_is_shown(text: str) -> None:
    """Ids, addresses, times and numbers that are none of a card are shown."""
    assert shown(text) == text


@pytest.mark.parametrize("text", [
    "he said hunter2", "/login/jane/hunter2", "user:hunter2@db", "pin=1234 key=x passcode=x pass: x session=x",
    "X-Hub-Signature-256: x", "password hunter2, password is hunter2, password -> hunter2", "password=[x]",
    "password=,x", '"token": [["x"]]', '"token": [1, "x"]', '{"name": "password", "value": "x"}',
    '<property name="password" value="x"/>', "<password><value>x</value></password>", "<password>x",
    "--password hunter", "--password 12", "-p hunter2", "-u user:hunter2", "--token-value hunter2",
    "Basic dXNlcjpwYXNz", "Token hunter2", "ApiKey hunter2", "Bearer abcd", '["Authorization", "Basic dXNlcjpwYXNz"]',
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ", "postgres://wfx:a/b@db/wfx", "card4111111111111111",
    "4111.1111.1111.1111", "-4111111111111111", "4111111111111111x", "1111111111111117", "078051120", "x078-05-1120",
    "-078-05-1120", "5551234567", "root@localhost", "cGFzc3dvcmQ9aHVudGVyMg==", "p%61ssword=x", r'"\u0070assword": "x"',
    "&lt;password&gt;x&lt;/password&gt;", "password\u00a0= x", "password\uff1ahunter2",
])  # fmt: skip
def test_what_is_not_found(text: str) -> None:
    """What the documentation says is not found, which would have to be said otherwise there if it was."""
    assert shown(text) == text


@pytest.mark.parametrize(("text", "clean"), [
    ("password: two words", "password: [REDACTED:secret] words"),
    ("password=a,b", "password=[REDACTED:secret],b"),
    ("password: = x", "password: [REDACTED:secret] x"),
    ("password: |\n  x", "password: [REDACTED:secret]\n  x"),
    ('"password": {"value": "x"}', '"password": [REDACTED:secret]"value": "x"}'),
    ("Authorization: Own hunter2", "Authorization: [REDACTED:authorization] hunter2"),
    ('Cookie: a="b"', 'Cookie: [REDACTED:cookie]"b"'),
])  # fmt: skip
def test_what_is_found_in_part(text: str, clean: str) -> None:
    """What the documentation says is found in part only."""
    assert shown(text) == clean


def test_without_types() -> None:
    """Without types, eight characters stand for what is hidden, whatever its length."""
    assert Sanitizer(Mask(show_type=False)).clean("a@b.io x 4111111111111111").text == "******** x ********"
    assert Sanitizer(Mask("#", show_type=False)).clean("a@b.io").text == "########"


def test_own_patterns() -> None:
    """Operators name what else is hidden."""
    assert shown("SN-123456 of EMP1 a@b.io", "serial=SN-[0-9]{6}", "employee=EMP[0-9]+") == (
        "[REDACTED:serial] of [REDACTED:employee] [REDACTED:email]"
    )
    assert shown("abc a@b.io", "x=(a)(b)(c)") == "[REDACTED:x] [REDACTED:email]"


@pytest.mark.parametrize(("text", "pattern", "clean"), [
    ("password=hunter2", "x=password", "[REDACTED:x]=[REDACTED:secret]"),
    ("EMP1@b.io!", "x=EMP[0-9]+", "[REDACTED:email]!"),
    ("no EMP1@b.io!", "x=no EMP[0-9]+", "[REDACTED:x]!"),
    ("[REDACTED:x] a@b.io", "x=EMAIL|email", "[REDACTED:x] [REDACTED:email]"),
    ("é ä@b.io", "x=.", "[REDACTED:x][REDACTED:x][REDACTED:email]"),
    ("EMAIL and email", "x=EMAIL|email", "[REDACTED:x] and [REDACTED:x]"),
])  # fmt: skip
def test_own_patterns_switch_nothing_off(text: str, pattern: str, clean: str) -> None:
    """What a pattern of the operator's finds, and what the others find, is hidden alike, also where both overlap."""
    assert shown(text, pattern) == clean


@pytest.mark.parametrize(("before", "after"), [
    ("token={secret} secret", "token={secret} {x}"),
    ("{secret}", "{secret}"),
    ("{definition}", "{definition}"),
    ("{secret}{secret} secret", "{secret}{secret} {x}"),
    ("my key {secret} and more", "my {y}"),
    ("my key {secret}", "my {y}"),
    ("{secret}] behind", "{secret}{x} behind"),
    ("é{secret} behind", "{x}{secret} behind"),
])  # fmt: skip
@pytest.mark.parametrize("masks", [Mask(), Mask(show_type=False), Mask("#", show_type=False)])
def test_own_patterns_leave_masks_alone(masks: Mask, before: str, after: str) -> None:
    """A pattern of the operator's finds nothing within a mask that a text already has, but may have one as a part."""
    patterns = ["x=secret|REDACTED|tion|é?[[#*]|[]#*:]+", "y=key .*"]
    shown = {kind: masks.of(kind) for kind in ("secret", "definition", "x", "y")}
    assert Sanitizer(masks, read_patterns(patterns)).clean(before.format(**shown)).text == after.format(**shown)


def test_texts_that_look_like_masks() -> None:
    """What only looks like a mask hides nothing from the patterns."""
    assert shown("[REDACTED:SN-123456]", "serial=SN-[0-9]{6}") == "[REDACTED:[REDACTED:serial]]"


@pytest.mark.parametrize(("text", "reason"), [
    ("no name", "is no pattern such as"),
    ("two words=x", "is no pattern such as"),
    ("x=", "matches the empty text"),
    ("x=a*", "matches the empty text"),
    ("x=(a", "missing"),
    ("x=(?=a)b", "invalid perl operator"),
    (r"x=(a)\1", "invalid escape"),
    ("x=(?P<y>a)", "named group"),
    ("x=" + "a" * (LONGEST_PATTERN + 1), "more than 512 characters"),
    ("x=((a{1,100}){1,100}){1,100}", "cannot be used"),
    (r"x=\b|zzz", "matches the empty text"),
    (r"x=(?:a|b?)\b", "matches the empty text"),
    ("x=(?m:^)", "matches the empty text"),
    ("x=a)(?:b", "unexpected"),
    (r"x=a\C", "part of a character"),
    (r"x=(?:\w{0,40}\d\w{5}){2}Q", "has 357 instructions of RE2, and may have 128"),
    ("x=a.{0,900}Z", "cannot be used: pattern too large"),
])  # fmt: skip
def test_patterns_that_are_refused(text: str, reason: str) -> None:
    """A pattern that cannot be used, or not in linear time, is refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        read_patterns([text])


TOO_MUCH = "characters more, which are not shown: too much in this text looks secret"
HOSTILE = {
    "dots": ("a." * 20_000, 0),
    "almost addresses": ("a@" * 20_000, 0),
    "addresses": ("a@b.io " * 6_000, 50),
    "keys": ("sk-aaaaaaaaaaaaaaaa." * 2_000, 50),
    "almost tokens": ("eyJaaaaaa." * 4_000, 50),
    "digits": ("4 " * 20_000, 0),
    "almost cards": ("4111 1111 1111 1112, " * 2_000, 50),
    "almost numbers": ("555-123-" * 5_000, 0),
    "open quotes": ('password="' * 4_000, 50),
    "one open quote": ('password="' + "two words " * 4_000, 1),
    "open calls": ('password=a(b("' * 3_000, 50),
    "calls of nothing": ("password=a(b(" * 3_000, 1),
    "quotes": ("password='" + "''" * 15_000, 1),
    "backslashes": ("\\" * 40_000, 0),
    "anything": ("".join(random.Random(1).choices("abc.@+-_19 :/=\"'\\", k=40_000)), 12),
}
"""Texts, and how often it is searched for the next secret in each."""


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts(name: str) -> None:
    """A message of 40 KB costs one look for any secret, then a search for each that is there, at most 50 in all."""
    text, searches = HOSTILE[name]
    sanitizer = Sanitizer(Mask())
    looks: list[int] = []
    places: list[int] = []
    is_found, search = sanitizer._is_found, sanitizer._search

    def counted_look(encoded: bytes) -> object:
        looks.append(len(encoded))
        return is_found(encoded)

    def counted(encoded: bytes, place: int) -> Any:
        places.append(place)
        return search(encoded, place)

    sanitizer._is_found, sanitizer._search = counted_look, counted
    set_sanitizer(Mask(), sanitizer)
    message = message_of(text)
    assert len(looks) == 1
    assert len(places) == searches
    assert places == sorted(set(places)), "each begins behind the one before"
    assert message.endswith(TOO_MUCH) == (searches == MOST_SEARCHES)


def test_large_patterns_together() -> None:
    """All patterns together are bounded like each one, by the instructions that they take for each character."""
    usual = [f"serial{number}=SN{number}-[0-9]" for number in range(32)]
    assert len(read_patterns(usual)) == 32
    with pytest.raises(ValueError, match=r"together have .* and may have 384"):
        read_patterns([*usual, "x=a.{0,12}Z", "y=a.{0,12}Z"])


HOSTILE_PATTERNS = ["own=(a|aa)+c", *(f"other{number}=b.{{0,8}}{number}" for number in range(4))]


def test_hostile_patterns() -> None:
    """Of a text a part is shown where there are large patterns, and one search is made for each."""
    patterns = read_patterns(HOSTILE_PATTERNS)
    longest = longest_shown(patterns)
    assert 4096 < longest < 8192
    sanitizer = Sanitizer(Mask(), patterns)
    cleaned = sanitizer.clean("b" + "a" * 40_000)
    assert cleaned == ("b" + "a" * (longest - 1), longest, False)
    assert sanitizer.clean("b" + "a" * longest + "c" + "a" * longest).text == "b[REDACTED:own]"


@pytest.mark.parametrize("patterns", [["serial=SN-[0-9]{6}"], [f"serial{number}=SN{number}-" for number in range(8)]])
def test_small_patterns_cut_little(patterns: list[str]) -> None:
    """Where the patterns of the operator's are small, a traceback is shown to its end."""
    traceback = '  File "/usr/lib/wfx/service.py", line 12, in run\n' * 400
    assert shown(traceback, *patterns) == traceback


def test_the_largest_patterns_show_something() -> None:
    """However large the patterns are that are taken, 4 KiB of a text are shown."""
    patterns = read_patterns([f"x{number}=a.{{0,12}}{number}" for number in range(3)])
    grown = [pattern._replace(size=LARGEST_PATTERN) for pattern in patterns]
    assert sum(pattern.size for pattern in grown) == LARGEST_PATTERNS
    assert longest_shown(grown) >= 4096


@pytest.mark.parametrize("text", ["ab" * 20_000, "a" * 4_000, "ä" * 4_000, "z" * 4_000, "az " * 2_000])
def test_work_of_patterns(text: str) -> None:
    """The work for one text, bytes times instructions, is bounded; what is not looked at is not shown."""
    patterns = read_patterns(["x=a.{0,12}Z", "y=a|.{0,12}Y", "z=(?:b|z|ä)", *(f"n{n}=n{n}[ab]" for n in range(9))])
    work: list[int] = []

    def counted(pattern: custom_patterns.CustomPattern) -> custom_patterns.CustomPattern:
        def search(encoded: bytes, place: int) -> Any:
            work.append(pattern.size * (len(encoded) - place))
            return pattern.search(encoded, place)

        return pattern._replace(search=search)

    cleaned = Sanitizer(Mask(), [counted(pattern) for pattern in patterns]).clean(text)
    assert sum(work) <= MOST_WORK
    assert cleaned.too_much


@pytest.mark.parametrize(("patterns", "found"), [
    ([r"x=\Qa.b"], ["a.b"]),
    ([r"x=\Qa.b\E", "y=c[.]d"], ["a.b", "c.d"]),
    ([r"x=\Qa.b", "y=c[.]d"], ["a.b", "c.d"]),
    ([r"x=\Qa.b" + "\\", "y=c[.]d"], ["a.b\\", "c.d"]),
    (["x=(?i)a[.]b", "y=c[.]d"], ["A.b", "c.d"]),
    (["x=e|a[.]b", "y=^c[.]d$"], ["e", "a.b", "c.d"]),
])  # fmt: skip
def test_each_pattern_is_searched_for(patterns: list[str], found: list[str]) -> None:
    """A text is harmless if none of the patterns finds anything in it, however they are written."""
    sanitizer = Sanitizer(Mask(), read_patterns(patterns))
    assert not any(map(sanitizer.is_harmless, found))
    assert all(map(sanitizer.is_harmless, ["axb", "C.D", "(?:"]))


@pytest.mark.parametrize("count", [1, 32])
@pytest.mark.parametrize("size", [10, 1_000])
def test_harmless_texts_with_patterns(count: int, size: int) -> None:
    """A text without a secret costs two searches where there are patterns of the operator's, however many."""
    patterns = read_patterns([f"serial{number}=SN{number}-[0-9]" for number in range(count)])
    searches: list[str] = []

    def counted(encoded: bytes, _place: int) -> None:
        searches.append(encoded.decode())

    sanitizer = Sanitizer(Mask(), [pattern._replace(search=counted) for pattern in patterns])
    sanitizer._search = counted
    assert sanitizer.is_harmless("x" * size)
    assert not sanitizer.is_harmless("x" * size + " SN0-1")
    assert not sanitizer.is_harmless("x" * size + " a@b.io")
    assert searches == []


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("count", [500, 20_000])
def test_too_many_secrets(count: int) -> None:
    """A text with more than 49 secrets is shown up to the 49th, however long it is; the rest is counted."""
    text = "a@b.io, " * count + "the end"
    rest = len(text) - 48 * len("a@b.io, ") - len("a@b.io")
    assert message_of(text) == "[REDACTED:email], " * 48 + f"[REDACTED:email] … and {rest} {TOO_MUCH}"


@pytest.mark.usefixtures("_hidden")
def test_many_secrets() -> None:
    """A text with 49 secrets is shown to its end."""
    assert message_of("a@b.io, " * 49 + "the end") == "[REDACTED:email], " * 49 + "the end"


@pytest.fixture
def _hidden() -> Iterator[None]:
    """Records are sanitized."""
    set_sanitizer(Mask(), Sanitizer(Mask()))
    yield
    set_sanitizer(Mask(), None)


def message_of(text: str) -> str:
    """Return a message as it is logged."""
    return content_of(logging.LogRecord("wfx", logging.INFO, "f.py", 1, text, (), None)).message


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    """Show a record as its JSON has it."""
    document: dict[str, Any] = json.loads(logs.Json().format(record))
    return document


def as_entry(record: logging.LogRecord) -> dict[str, Any]:
    """Show a record as the journal has it, with the keys of JSON."""
    return {name.lower(): value for name, value in parsed(journal.encode(record)).items()}


def failed(**fields: object) -> logging.LogRecord:
    """Make a record with a secret everywhere."""
    error = (ValueError, ValueError("for a@b.io"), None)
    record = logging.LogRecord("wfx", logging.ERROR, "file.py", 1, "of %s", ("a@b.io",), error)
    record.__dict__["fields"] = fields
    return record


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize("form", [as_json, as_entry])
def test_all_of_a_record(form: Any) -> None:
    """Message, fields, also nested ones, and traceback are sanitized; numbers stay numbers."""
    document = form(failed(plain="a@b.io", deep={"a@b.io": ["a@b.io"]}, other=ValueError("a@b.io"), n=4111111111111111))
    assert "a@b.io" not in json.dumps(document)
    assert document["message"] == "of [REDACTED:email]"
    assert document["error"].endswith("ValueError: for [REDACTED:email]")
    assert str(document["n"]) == "4111111111111111"


@pytest.mark.usefixtures("_hidden")
def test_all_of_a_line() -> None:
    """The lines for people are sanitized like the others."""
    line = logs.Pretty(colour=False).format(failed(plain="a@b.io", tls=False, on=True))
    assert "a@b.io" not in line
    assert "of [REDACTED:email] plain=[REDACTED:email] on=true\n" in line, "what is false is left out"


@pytest.mark.usefixtures("_hidden")
def test_long_texts() -> None:
    """Of a text that is too long its beginning is shown, without the half of a secret at its end."""
    for secret in (JWT, "a@b.io"):
        text = "word" * (LONGEST // 4 - 1) + " " + secret * 100
        document = as_json(logging.LogRecord("wfx", logging.INFO, "f.py", 1, text, (), None))
        assert document["message"].startswith("wordword")
        assert secret[:3] not in document["message"]
        assert "characters more" in document["message"]


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize(("before", "after"), [
    ('password="', '"'), ("password='", "'"), (r'{\"password\":\"', r'\"'),
    ("eyJhbGciOiJIUzI1NiJ9.", f".{JWT}"), ("token=", " "),
])  # fmt: skip
@pytest.mark.parametrize("size", [12_000, 2 * LONGEST])
def test_long_secrets(before: str, after: str, size: int) -> None:
    """A secret that begins in the part of a text that is shown, and does not end in it, is hidden."""
    start = "word " * 11_000
    message = message_of(start + before + "hunter2a" * (size // 8) + after + " and more " * 1_000)
    assert "hunter2a" not in message
    assert message.startswith(start)
    assert "[REDACTED:" in message
    assert message.endswith("characters more")


@pytest.mark.parametrize(("text", "clean"), [
    ('password="two words', 'password="[REDACTED:secret]'),
    ("password='two words", "password='[REDACTED:secret]"),
    ('password="two\\\n words" x', 'password="[REDACTED:secret]" x'),
    (r'"{\"token\":\"a\\n b\", \"n\": 1}"', r'"{\"token\":\"[REDACTED:secret]\", \"n\": 1}"'),
    (r'"{\"token\":\"a\\\" b\", \"n\": 1}"', r'"{\"token\":\"[REDACTED:secret]\", \"n\": 1}"'),
])  # fmt: skip
def test_quoted_values(text: str, clean: str) -> None:
    """A value in quotes is hidden as a whole, whatever is escaped in it, also if the text ends before it does."""
    assert shown(text) == clean


@pytest.mark.parametrize(("query", "clean"), [
    (b"clientId=password%3Dcorrect%20horse%20battery&n=1", "clientId=password=[REDACTED:secret]&n=1"),
    (b"session=abc&Auth=x&sessions=3", "session=[REDACTED:secret]&Auth=[REDACTED:secret]&sessions=3"),
    (b"tag=a%3Db&tag=token&tag=token%3D", "tag=a=b&tag=token&tag=token="),
    (b"password%3Dhunter2", "password=[REDACTED:secret]"),
    (b"pass%77ord%3Dtwo+words&n=1", "password=[REDACTED:secret]&n=1"),
    (b"x=a%3D1%26password%3Dtwo%20words%26b%3D2", "x=a=1&password=[REDACTED:secret]&b=2"),
    (b"to=https%3A%2F%2Fh%2F%3Fsig%3Dtwo+words", "to=https://h/?sig=[REDACTED:secret]"),
    (b"filter=a+b%2Bc&n", "filter=a b+c&n"),
])  # fmt: skip
def test_query_strings(query: bytes, clean: str) -> None:
    """Of a query string the values of parameters that are secrets are hidden as a whole, also within a value."""
    assert query_text(query) == clean


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize(("query", "clean"), [
    (b"x=Bearer+abcdefgh", "x=Bearer [REDACTED:bearer]"),
    (b"x=Bearer+abc+def+gh==", "x=Bearer [REDACTED:bearer]"),
    (b"x=card+4111+1111+1111+1111", "x=card [REDACTED:card]"),
    (b"x=089+63648018", "x=[REDACTED:phone]"),
    (b"x=%2B49+89+636+48018", "x=[REDACTED:phone]"),
    (b"x=tel%3A+49+89+636+48018", "x=tel:[REDACTED:phone]"),
    (b"x=jane+doe@mail.example", "x=[REDACTED:email]"),
])  # fmt: skip
def test_blanks_in_query_strings(query: bytes, clean: str) -> None:
    """What has a ``+`` in a query string is hidden, whether a blank was meant or not."""
    record = logging.LogRecord("wfx", logging.DEBUG, "f.py", 1, "processing", (), None)
    record.__dict__["fields"] = {"query": query_text(query)}
    assert content_of(record).fields["query"] == clean


@pytest.mark.usefixtures("_hidden")
@pytest.mark.parametrize(("message", "clean"), [
    ("Authorization: Bearer\nabcdefgh", "Authorization: Bearer\n[REDACTED:bearer]"),
    ("Authorization: Basic\r\n dXNlcjpwYXNz", "Authorization: [REDACTED:authorization]"),
    ("password:\n hunter2", "password:\n [REDACTED:secret]"),
    ("of\nsk-abcdefghijklmnop\n4111 1111 1111 1111", "of\n[REDACTED:api-key]\n[REDACTED:card]"),
    ("of\njane@mail.example", "of\n[REDACTED:email]"),
    ("tel:\n089 63648018", "tel:\n[REDACTED:phone]"),
])  # fmt: skip
def test_lines_in_bodies(message: str, clean: str) -> None:
    """Secrets in a body are found behind the end of a line, too, and at it, though that is escaped in JSON."""
    body = BodyText()
    body.add(json.dumps({"n": [{"message": message}], message: 1}).encode())
    document = json.loads(message_of(body.text()))
    assert document["n"] == [{"message": clean}]
    assert set(document) == {"n", clean}


@pytest.mark.parametrize("name", ["definition", "Definition", "CONTEXT"])
def test_withheld_members(name: str) -> None:
    """Definitions and contexts in bodies are not shown, however the member is spelt."""
    body = BodyText()
    body.add(json.dumps({name: {"x": "private"}, "n": 1}).encode())
    assert json.loads(body.text()) == {name: f"[REDACTED:{name.lower()}]", "n": 1}


def test_kept_runs_of_scripts() -> None:
    """What a run of a script was given and told is text with definitions and contexts in it: it is not shown."""
    facts = '{"job":{"definition":{"x":"private"}}}'
    run = {"nflow_data": facts, "payload": facts, "value": facts, "error": "Error: private", "next": "DONE"}
    body = BodyText()
    body.add(json.dumps({"content": [{"run": run}]}).encode())
    hidden = dict.fromkeys(("nflow_data", "payload", "value"), "(38 characters, not shown)")
    shown = {**hidden, "error": "(14 characters, not shown)", "next": "DONE"}
    assert json.loads(body.text()) == {"content": [{"run": shown}]}


def test_long_texts_as_they_are() -> None:
    """A text that is too long is cut and counted, too, where nothing is hidden."""
    text = "a@b.io " * 20_000
    message = message_of(text)
    beginning, _, rest = message.partition(" … and ")
    assert text.startswith(beginning)
    assert rest == f"{len(text) - len(beginning)} characters more"


def test_record_that_cannot_be_formatted(capfd: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    """A record whose message does not go with its arguments is replaced by one that says so, without these."""
    from wfx.log_writer import LogWriter

    with (tmp_path / "log").open("wb") as out:
        writer = LogWriter(out.fileno())
        writer.setFormatter(logs.Json())
        writer.emit(logging.LogRecord("wfx", logging.INFO, "odd.py", 3, "%d", ("a@b.io",), None))
        writer.flush()
    document = json.loads((tmp_path / "log").read_text())
    assert document["message"] == "a log record cannot be formatted"
    assert document["origin"] == "odd.py:3"
    assert "a@b.io" not in (tmp_path / "log").read_text() + capfd.readouterr().err
