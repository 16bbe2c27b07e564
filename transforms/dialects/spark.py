"""What DuckDB and Spark mean differently by the same words, as rewrites of a parsed query.

Source: both engines as tried (DuckDB 1.5, Spark 4.0 with ANSI mode). sqlglot carries the rest.
"""

import re
import sys
from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import UnsupportedError

#: DuckDB upper-cases letter by letter; Java turns these into several letters, and so a ligature into a modifier.
UNUSUAL_CAPITALS = {"ß": "ẞ"}
#: A name that no column has: where a rewrite puts the expression it is about.
_SUBJECT = "subject"
#: The day that a bare time of day is laid on, and the mark of such an expression.
_NO_DAY, _TIME = "1970-01-01", "is time of day"
_WHOLE = (exp.DType.INT, exp.DType.BIGINT)
_WORD = "[0-9A-Za-z_]"
#: RE2's words that Java reads more widely: blanks with a vertical tab, word ends between any letters, ends before a
#: last line feed.
_JAVA = {
    r"\b": f"(?:(?<!{_WORD})(?={_WORD})|(?<={_WORD})(?!{_WORD}))",
    r"\s": r"\t\n\f\r ",
    "$": r"\z",
}
_REGEX_PART = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|.", re.DOTALL)


def for_spark(tree: exp.Expression) -> exp.Expression:
    """The parsed DuckDB query as one that Spark answers alike; UnsupportedError for what cannot be carried."""
    for node in reversed(list(tree.walk())):
        rewrite = REWRITES.get(type(node)) or NAMED.get(_function_name(node))
        if rewrite and (new := rewrite(node)) is not node:
            if node is tree:
                tree = new
            else:
                node.replace(new)
    return tree


def java_regex(pattern: str) -> str:
    """An RE2 pattern as Java's expression of the same strings."""
    return "".join(_java_part(part) for part in _REGEX_PART.findall(pattern))


def _java_part(part: str) -> str:
    if part.startswith("["):  # in a class the blanks stand as they are
        return part.replace(r"\s", _JAVA[r"\s"])
    return f"[{_JAVA[part]}]" if part == r"\s" else _JAVA.get(part, part)


def _function_name(node: exp.Expression) -> str:
    return node.name.lower() if isinstance(node, exp.Anonymous) else ""


@cache
def _template(text: str) -> exp.Expression:
    return sqlglot.parse_one(text, read="spark")


def _spark(text: str, subject: exp.Expression | None = None, **more: exp.Expression) -> exp.Expression:
    """The Spark expression `text`, with `:subject` (and `more`) put in by name."""
    named = {name: exp.paren(node.copy()) for name, node in {_SUBJECT: subject, **more}.items() if node is not None}
    return exp.paren(exp.replace_placeholders(_template(text).copy(), **named))


def _literal(node: exp.Expression) -> str:
    if not (isinstance(node, exp.Literal) and node.is_string):
        raise UnsupportedError(f"only a pattern written out can be carried to Spark: {node.sql()[:60]}")
    return node.this


def _pattern(node: exp.Expression, *, whole: bool = False, flag: exp.Expression | None = None) -> exp.Expression:
    pattern = java_regex(_literal(node))
    pattern = rf"\A(?:{pattern})\z" if whole else pattern
    return exp.Literal.string(f"(?iu){pattern}" if flag is not None and "i" in _literal(flag) else pattern)


def _regexp_like(node: exp.RegexpLike) -> exp.Expression:
    return exp.paren(exp.RegexpLike(this=node.this, expression=_pattern(node.expression, flag=node.args.get("flag"))))


def _regexp_full_match(node: exp.RegexpFullMatch) -> exp.Expression:
    return exp.paren(exp.RegexpLike(this=exp.paren(node.this), expression=_pattern(node.expression, whole=True)))


def _regexp_extract(node: exp.Expression) -> exp.Expression:
    node.set("expression", _pattern(node.expression))
    return node


def _regexp_replace(node: exp.RegexpReplace) -> exp.Expression:
    pattern = _literal(node.expression)
    is_anchored = pattern.startswith("^") or pattern.endswith("$")
    if "g" not in node.text("modifiers") and not is_anchored:
        raise UnsupportedError(f"Spark replaces every match, and only the first is asked for: {pattern!r}")
    node.set("modifiers", None)
    node.set("single_replace", None)
    return _regexp_extract(node)


def _bracket(node: exp.Bracket) -> exp.Expression:
    """The first or last letter of a text; sqlglot counts places from 0."""
    places = {"0": "left(:subject, 1)", "-2": "right(:subject, 1)"}
    text = places.get(node.expressions[0].sql()) if len(node.expressions) == 1 else None
    if text is None:
        raise UnsupportedError(f"only the first and last letter of a text can be carried to Spark: {node.sql()[:60]}")
    return _spark(text, node.this)


def _cast(node: exp.Cast) -> exp.Expression:
    if node.to.this == exp.DType.TIME:
        return _time(node)
    if node.to.this in _WHOLE and type(node) is exp.Cast and isinstance(node.this, exp.Column):
        # DuckDB rounds a decimal, Spark cuts it; a whole number stays what it is.
        node.set("this", exp.func("round", node.this, dialect="spark"))
    return node


def _time(node: exp.Cast) -> exp.Expression:
    """A time of day, which Spark has no type for, as that time on a day of its own."""
    stamp = _spark(f"try_cast(concat('{_NO_DAY} ', :subject) as timestamp_ntz)", node.this)
    stamp.this.meta[_TIME] = True
    return stamp


def _add(node: exp.Add) -> exp.Expression:
    """A date and a time of day make a timestamp."""
    added = node.expression.unnest()
    if added.meta.get(_TIME):
        return _spark(
            "try_cast(concat(cast(:subject as string), substring(cast(:time as string), 11)) as timestamp_ntz)",
            node.this,
            time=added,
        )
    return node


def _sub(node: exp.Sub) -> exp.Expression:
    """Days between two dates are a number."""
    left = node.this.unnest()
    if isinstance(left, exp.Cast) and left.to.this == exp.DType.DATE:
        return exp.Anonymous(this="datediff", expressions=[node.this, node.expression])
    return node


def _explode(node: exp.Explode) -> exp.Expression:
    """DuckDB's series from 1 to 0 is empty; Spark's counts down."""
    series = node.this
    if not isinstance(series, exp.GenerateSeries):
        return node
    text = "explode(case when :subject <= :last then sequence(:subject, :last) else cast(array() as array<int>) end)"
    return _spark(text, series.args["start"], last=series.args["end"]).unnest()


def _json_object(node: exp.JSONObject) -> exp.Expression:
    pairs = [part for pair in node.expressions for part in (pair.this, pair.expression)]
    struct = exp.Anonymous(this="named_struct", expressions=pairs)
    return _spark("to_json(:subject, map('ignoreNullFields', 'false'))", struct)


def _star(node: exp.Star) -> exp.Expression:
    """Spark leaves columns out of a star, and puts none in their place: these follow it."""
    replaced = node.args.get("replace") or []
    if not replaced:
        return node
    select = node.find_ancestor(exp.Select)
    left_out = [*(node.args.get("except_") or []), *(exp.column(alias.alias) for alias in replaced)]
    node.set("except_", left_out)
    node.set("replace", None)
    top = node.parent if isinstance(node.parent, exp.Column) else node
    place = next(number for number, item in enumerate(select.expressions) if item is top) + 1
    select.set("expressions", [*select.expressions[:place], *replaced, *select.expressions[place:]])
    return node


def _upper(node: exp.Upper) -> exp.Expression:
    usual, unusual = "".join(_capitals()), "".join(_capitals().values())
    text = f"""case when :subject rlike '[{usual}]' then array_join(transform(regexp_extract_all(:subject, '(?s).', 0),
        letter -> case when letter rlike '[{usual}]' then translate(letter, '{usual}', '{unusual}')
            else upper(letter) end), '')
        else upper(:subject) end"""
    return _spark(text, node.this)


@cache
def _capitals() -> dict[str, str]:
    """Letters whose capital is several letters in Java, each with the one that it is in DuckDB."""
    found = {}
    for letter in map(chr, range(0x80, sys.maxunicode)):
        if len(letter.upper()) > 1:
            title = letter.title()
            found[letter] = UNUSUAL_CAPITALS.get(letter, title if len(title) == 1 else letter)
    return found


def _lower(node: exp.Lower) -> exp.Expression:
    """Java's small letters depend on their neighbours (sigma), or are two (dotted i)."""
    return _spark("lower(translate(:subject, 'İΣ', 'iσ'))", node.this)


def _trunc(node: exp.Trunc) -> exp.Expression:
    """Only ever compared with the number itself: whether it is whole."""
    return _spark("rint(:subject)", node.this)


def _renamed(name: str) -> Callable[[exp.Anonymous], exp.Expression]:
    return lambda node: exp.Anonymous(this=name, expressions=node.expressions)


REWRITES = {
    exp.RegexpLike: _regexp_like,
    exp.RegexpFullMatch: _regexp_full_match,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpExtractAll: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.Bracket: _bracket,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Add: _add,
    exp.Sub: _sub,
    exp.Explode: _explode,
    exp.JSONObject: _json_object,
    exp.Star: _star,
    exp.Upper: _upper,
    exp.Lower: _lower,
    exp.Trunc: _trunc,
}
NAMED = {
    "row": _renamed("struct"),
    "strlen": _renamed("octet_length"),
    "hash": _renamed("xxhash64"),
    # Spark has no function for it, but brings the library that has.
    "nfc_normalize": lambda node: _spark(
        # Java takes no null.
        "CASE WHEN :subject IS NOT NULL THEN reflect('com.ibm.icu.text.Normalizer', 'compose', :subject, false) END",
        node.expressions[0],
    ),
    "list_extract": _renamed("try_element_at"),
    "epoch_us": lambda node: _spark("unix_micros(cast(:subject as timestamp_ltz))", node.expressions[0]),
}
