r"""Patterns of secrets and personal data in texts, for the linear-time engine RE2.

RE2 has no look-around. What must not stand before a secret is therefore matched in front of it, and each capturing
group of a pattern is what is hidden. No repetition that another one could take over is without bound, so that a search
does not look far beyond what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from wfx.logs.card_numbers import card_length
from wfx.logs.private_keys import BEGIN, END
from wfx.logs.secret_names import KEYS, WORDS


class Pattern(NamedTuple):
    """A pattern, and what is found by it."""

    kind: str
    expression: str
    check: Callable[[bytes], int] = len
    """Returns how many bytes of what the expression finds are hidden; 0 if it only looks like one."""


_BLANK = r"(?:\s|\\+[nrt])"
"""A blank or the end of a line, also where that is escaped, as in JSON."""
_FRONT = r"(?:^|[^\w.+-]|\\[nrt])"
"""What stands before a number."""
_WORD = r"(?:\b|_|\\[nrt])"
"""What stands before a word."""
_SIGN = rf"""\\*["']?{_BLANK}*(?:[:=][:=>]*|%(?:25)*3[AaDd])"""
"""What stands behind a name that has a value: ``=``, ``:=``, ``==``, ``=>``, ``%3D``, ``:``, and ``":`` in JSON."""
_IS = f"{_SIGN}{_BLANK}*"
"""The same, and the blanks behind it."""
_CUT = r"\\{0,3}\z"
"""What ends a quoted value of a text that ends within it, since the text is only the beginning of one, for example."""
_TWICE_ESCAPED = r"""[^"\\]|\\[^"\\]|\\\\(?:\\["\\]|[^"\\])"""
"""A character of a JSON string that is itself in one."""
_ESCAPED, _DOUBLE, _SINGLE = rf"(?:{_TWICE_ESCAPED})*", r"""(?s:[^"\\]|\\.|"")*""", r"""(?s:[^'\\]|\\.|'')*"""
"""What stands in quotes that are escaped, in double and in single ones; two quotes stand for one, as in SQL."""
_LITERAL = "(?:[bBuUrRfFL$@&]|[bBfF][rR]|[rR][bBfF])?"
"""What programming languages and shells write in front of a quoted text, as in ``u'...'`` and ``$'...'``."""
_QUOTED = rf"""\\"({_ESCAPED})(?:\\"|{_CUT})|{_LITERAL}"({_DOUBLE})(?:"|{_CUT})|{_LITERAL}'({_SINGLE})(?:'|{_CUT})"""
_ITEM = rf"""\\"{_ESCAPED}(?:\\"|{_CUT})|"{_DOUBLE}(?:"|{_CUT})|'{_SINGLE}(?:'|{_CUT})"""
_LIST = rf"\[{_BLANK}*((?:{_ITEM})(?:{_BLANK}*,{_BLANK}*(?:{_ITEM}|[\w.+-]+))*)"
"""A list whose first item is in quotes: all items."""
_CALL = rf"((?:[A-Za-z_][\w.:]{{0,40}})?\((?:[A-Za-z_][\w.:]{{0,40}}\()?{_LITERAL}(?:{_ITEM}))"
"""A quoted text that programs show as made by a call, as in ``Some("...")``, or as the first of a tuple."""
_UNQUOTED = r"""[^\s,;&"'\\}\])]*"""
_VALUE = rf"""(?:{_BLANK}*(?:{_QUOTED}|{_LIST}|{_CALL})|{_BLANK}+([^\s,;&"'\\}}\])\[]{_UNQUOTED})"""
_VALUE += rf"""|([^\s,;&"'\\}}\])\[:=>]{_UNQUOTED}))"""
"""What stands behind a sign; nothing that could be part of one itself."""

_NO_MASK = r"""(?:\*{0,3}[^\s/?#"'<>*@]|\*{4})"""
"""How a password may begin: not with the three asterisks that stand for one in values of options."""

_SCHEME = "(?i:basic|digest|negotiate|ntlm|token|api-?key|key|hmac|oauth|dpop|hawk|sharedkey|signature|aws[\\w-]*)"
"""Schemes of ``Authorization`` beside ``Bearer``."""
_PARAMETER = r"""=(?:\\*"[^"\\]*\\*"|[^\s,"'\\]*)"""
_PARAMETERS = rf"{_PARAMETER}(?:{_BLANK}*,{_BLANK}*[\w-]+{_PARAMETER})*"
"""Parameters of a scheme, behind the name of the first one."""
_COOKIE = r"""[^\s"'\\=;,]+=[^\s"'\\;]*(?:; *(?:(?i:expires)=[\w,: -]*GMT|[^\s"'\\=;,]+(?:=[^\s"'\\;]*)?))*"""
_NO_WORD = r"""(?:[A-Za-z]+[\d!#$%&*+/=?@^_~][^\s"'`\\]*|[!#$%*+@^~][^\s"'`\\]+|\d[^\s"'`\\]{3,})"""
"""A value that is no word of a sentence, and no small number."""

_ENCODED_LETTER = "%(?:[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff])"
"""What nobody writes for a letter or ``_`` in the name of a parameter but to have it not seen what it is."""

PATTERNS: Sequence[Pattern] = (
    Pattern("private-key", rf"({BEGIN}(?:[^-]|-[^-])*(?:{END})?)"),
    Pattern("jwt", rf"{_WORD}(eyJ[\w-]+\.[\w-]+(?:\.[\w-]*|\z))"),
    Pattern("bearer", rf"""(?i:authorization){_IS}\\*["'\[]?(?i:bearer){_BLANK}+\\*["']?([^\s,;"'\\]+)"""),
    Pattern(
        "bearer",
        rf"""(?:\b|\\[nrt])(?i:bearer)(?:{_IS}|(?:{_BLANK}|\+|%20)+)\\*["']?([\w.~+/-]{{6,}}=*)""",
    ),
    Pattern("authorization", rf"(?i:authorization){_IS}(?:{_QUOTED}|{_LIST})"),
    Pattern(
        "authorization",
        rf"""(?i:authorization){_IS}(?:\[?({_SCHEME}{_BLANK}+(?:[\w-]+{_PARAMETERS}|[^\s,;"'\\\]]+))|(\[?[^\s,;"'\\\[][^\s,;"'\\]*))""",
    ),
    Pattern(
        "authorization",
        rf"\b((?i:digest{_BLANK}+(?:username|realm|nonce)|aws4-[\w-]+{_BLANK}+credential){_PARAMETERS})",
    ),
    Pattern(
        "authorization",
        r"""\(b?["'](?i:(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:key|token))["'], ?b?["']([^"']+)""",
    ),
    Pattern("cookie", rf"""(?:\b|_)(?i:cookie){_IS}(?:{_LIST}|\\*["'\[]?({_COOKIE}))"""),
    Pattern("credentials", rf"""://[^\s/?#"'<>:@]*:({_NO_MASK}[^\s/?#"'<>]*)@"""),
    Pattern("credentials", rf"""[^\s/:@"'=]:({_NO_MASK}[^\s"'@]*)@(?:tcp|unix)\("""),
    Pattern(
        "api-key",
        rf"{_WORD}(sk-[\w-]{{16,}}|[spr]k_(?:live|test)_\w{{10,}}|A[KS]IA[0-9A-Z]{{16}}|gh[pousr]_\w{{20,}}"
        r"|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{30,}|npm_\w{30,}|hf_\w{20,}"
        r"|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|whsec_[\w+/=-]{16,}|pypi-[\w-]{32,})",
    ),
    Pattern("api-key", rf"(?i:{KEYS}){_SIGN}{_VALUE}"),
    Pattern("api-key", r"(?i:\bapi-?key)\s+([\w+/.~-]{16,}=*)"),
    Pattern("secret", rf"(?i:{WORDS}|_pass|auth_salt|x-(?:amz|goog)-signature|[?&]sig(?:nature)?){_SIGN}{_VALUE}"),
    Pattern(
        "secret",
        rf"""--[\w-]*(?i:{WORDS}|{KEYS}|pass)(?:\s+(?:"([^"]+)"|'([^']+)'|({_NO_WORD}))|["'], ?b?["']([^"'-][^"']*))""",
    ),
    Pattern(
        "secret",
        rf"(?i:<[\w:.-]*(?:{WORDS}|{KEYS})[\w:.-]*(?:\s[^<>]*)?>)(?:<!\[CDATA\[)?([^<]+)<\\?/",
    ),
    Pattern("secret", rf"""[?&][\w.-]{{0,40}}{_ENCODED_LETTER}[\w.%-]{{0,80}}=([^\s&"'\\]+)"""),
    Pattern(
        "email",
        r"([\w.%+'\x{80}-\x{10FFFF}-]+(?:@|%40)[\w\x{80}-\x{10FFFF}-][\w.\x{80}-\x{10FFFF}-]*\.[\w\x{80}-\x{10FFFF}-]{2,})",
    ),
    Pattern("ssn", rf"{_FRONT}(\d{{3}}-\d{{2}}-\d{{4}})\b"),
    Pattern("phone", rf"{_FRONT}(\+\d[\d ().-]{{6,18}}\d)\b"),
    Pattern("phone", rf"{_FRONT}((?:1[ .-])?(?:\(\d{{3}}\) ?|\d{{3}}[ .-])\d{{3}}[ .-]\d{{4}})\b"),
    Pattern("phone", r"(?:^|[^\w.+:/-]|\\[nrt])(\(?0\d{1,4}\)?[ /-]{1,3}\d[\d -]{4,12}\d)\b"),
    Pattern("card", rf"{_FRONT}([2-6]\d{{3}}(?:[ -]?\d){{9,15}})\b", card_length),
)
"""The first one that matches at the leftmost place counts."""
