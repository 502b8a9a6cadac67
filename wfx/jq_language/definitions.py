"""jq definitions put before each program: they spell numbers as in output, and disable functions with effects.

libjq writes a literal as it was spelled (``1E+21``) and a computed number in C's manner (``1e-05``, ``1e+16``).
Everything that makes a text of a number is therefore defined anew: ``tostring``, ``tojson``, ``join``, ``INDEX`` and
``format``, which string interpolation, ``@text``, ``@csv`` and their like call. The number literals of the document and
of the program must be spelled as in output (:mod:`wfx.jq_language.spelling` sees to those of the program): then libjq's
text is wrong for very large and very small numbers only. Functions that read or change anything
outside the program fail, as in the reference.
"""

from __future__ import annotations

import os
import re

_ALWAYS = "{} as $ENV | def _libjq_tojson: tojson; def _libjq_fromjson: fromjson;"

_NUMBERS = r"""
def _libjq_tonumber: tonumber;
def _libjq_format($f): format($f);

def _positional($digits; $point):
  if $point > 0 then $digits + "0" * ($point - ($digits | length)) else "0." + "0" * -$point + $digits end;

def _scientific($digits; $power):
  $digits[:1] + (if $digits[1:] == "" then "" else "." + $digits[1:] end)
  + (if $power < 0 then "e" else "e+" end) + ($power | _libjq_tojson);

def _number:
  if . < 1e16 and (. >= 1e-4 or . == 0 or . <= -1e-4 and . > -1e16 or isnan) then _libjq_tojson
  else
    . * 1 | . as $double
    | (_libjq_tojson | ltrimstr("-") | split("e")) as [$mantissa, $power]
    | ($mantissa | split(".")) as [$whole, $fraction]
    | ($whole + $fraction | until(endswith("0") | not; .[:-1])) as $digits
    | (($whole | length) + ($power // "0" | _libjq_tonumber)) as $point
    | (if $double < 0 then "-" else "" end)
      + if $point > -6 and $point <= 21 then _positional($digits; $point) else _scientific($digits; $point - 1) end
  end;

def _may_be_odd: contains("e-") or contains("e+") or contains("E") or contains("00000");

def _marked:
  if type == "number" then "BEGIN" + _number + "END"
  elif type == "array" then map(_marked)
  elif type == "object" then map_values(_marked)
  else . end;

def tojson:
  if type == "number" then _number
  else
    . as $value | _libjq_tojson
    | if _may_be_odd and test("(^|[\\[,]|\":)-?[0-9.]+([eE]|(?<=[0-9]{22}))")
      then $value | _marked | _libjq_tojson | split("\"BEGIN") | add | split("END\"") | add
      else . end
  end;

def tostring: if type == "number" then _number elif type == "string" then . else tojson end;
def tonumber: if type == "string" then _libjq_tonumber * 1 else _libjq_tonumber end;
def fromjson:
  (type == "string" and test("[0-9]([.eE]|[0-9]{15})")) as $odd
  | _libjq_fromjson | if $odd then walk(if type == "number" then . * 1 else . end) else . end;

def join($separator):
  reduce .[] as $item (null; (if . == null then "" else . + $separator end)
    + ($item | if type == "boolean" or type == "number" then tojson else . // "" end)) // "";

def _row($f):
  . as $row | _libjq_format($f)
  | if _may_be_odd
    then
      [$row[] | if type == "number" and (isnan | not) then _number else [.] | _libjq_format($f) end]
      | join({csv: ",", tsv: "\t", sh: " "}[$f])
    else . end;

def format($f):
  if $f == "text" then tostring
  elif $f == "json" then tojson
  elif $f == "csv" or $f == "tsv" or $f == "sh"
  then if type == "array" then _row($f) elif type == "number" and $f == "sh" then _number else _libjq_format($f) end
  else tostring | _libjq_format($f) end;

def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);
def INDEX(f): INDEX(.[]; f);

def _message:
  if type == "string" and test("number \\(-?[0-9]")
  then gsub("(?<=number \\()(?<number>-?[0-9][0-9.eE+-]*)(?=\\))"; .number | tonumber | _number)
  else . end;
def _catching(f): try f catch error(_message);
""".replace("BEGIN", os.urandom(16).hex()).replace("END", os.urandom(16).hex())
"""Around the text of each number, in a value that is encoded, stand two texts that no document contains."""

_MAKES_TEXT = re.compile(r"tostring|tojson|tonumber|fromjson|join|INDEX|format|halt_error|@|\\\(|\bcatch\b")
"""Finds the names of what is redefined: most programs have none, and are compiled twice as fast without."""

_NOT_AVAILABLE = (
    *("input", "inputs", "debug", "debug(f)", "stderr", "input_filename", "input_line_number"),
    *("get_search_list", "get_prog_origin", "get_jq_origin", "modulemeta"),
)

_OUTSIDE = """
def env: {};
def halt_error: error("halt error: " + tostring);
def halt_error($code): halt_error;
def halt: null | halt_error;
""" + "".join(
    f'def {signature}: error("{signature.partition("(")[0]} is not available in a filter");'
    for signature in _NOT_AVAILABLE
)


def before(program: str, *, messages: bool = False) -> str:
    """Return the definitions to put before ``program``; ``_libjq_tojson`` and ``_libjq_fromjson`` are then libjq's own.

    With ``messages``, ``_message`` is there too, whether the program calls for it or not. All is in one line, because
    a program can see in which line it is.
    """
    numbers = _NUMBERS if messages or _MAKES_TEXT.search(program) else ""
    return f"{_ALWAYS}{numbers}{_OUTSIDE}".replace("\n", " ")
