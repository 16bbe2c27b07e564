"""What the databases of `minutewise sql` mean differently by the words that DuckDB uses, each as one small rewrite.

A rewrite takes the tree of a query in DuckDB's meaning and gives a tree that means the same in its database. Columns
carry their kind in their name (`_date`, `_usd`), and some rewrites go by it: no types are known here.
"""

import sqlglot
from sqlglot import exp

TEXT_TYPES = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)
#: A row for each number from `first` to `most`, and how that number is called.
SERIES = {
    "postgres": ("cross join lateral generate_series(first, most) as counted(number)", "counted.number"),
    "snowflake": (
        "cross join lateral flatten(input => array_generate_range(first, most + 1)) as counted",
        "cast(counted.value as int)",
    ),
    "bigquery": ("cross join unnest(generate_array(first, most)) as number", "number"),
}


def comments_inside(tree: exp.Expression) -> exp.Expression:
    """Lays what stands above a CTE at the head of its query: sqlglot would write it between name and query."""
    for cte in tree.find_all(exp.CTE):
        for node in (cte, cte.args["alias"], cte.args["alias"].this):
            if node.comments:
                cte.this.add_comments(node.pop_comments(), prepend=True)
    return tree


def series_by_join(dialect: str):
    """`unnest(generate_series(..)) as n` in a select list becomes a join: as DuckDB writes it, it is DuckDB's alone."""
    join, number = SERIES[dialect]

    def rewrite(tree: exp.Expression) -> exp.Expression:
        for explode in list(tree.find_all(exp.Explode)):
            series, select = explode.this, explode.find_ancestor(exp.Select)
            if select.args.get("from_") is None:  # a join needs a row to be joined to
                select.from_("(select 1 as one) as once", copy=False)
            bounds = {"first": series.args["start"], "most": series.args["end"]}
            added = sqlglot.parse_one(f"select 1 from t {join}", read=dialect).args["joins"]
            for one in added:
                for column in list(one.find_all(exp.Column)):
                    if column.name in bounds:
                        column.replace(_held(bounds[column.name]))
                select.append("joins", one)
            explode.replace(sqlglot.parse_one(number, read=dialect))
        return tree

    return rewrite


def series_upwards(tree: exp.Expression) -> exp.Expression:
    """Databricks: a series from 1 to 0 counts down there, and is empty elsewhere."""
    for series in list(tree.find_all(exp.GenerateSeries)):
        bounds = {"first": series.args["start"], "most": series.args["end"]}
        upwards = sqlglot.parse_one("filter(sequence(first, most), n -> n between first and most)", read="databricks")
        for column in list(upwards.find_all(exp.Column)):
            if column.name in bounds:
                column.replace(_held(bounds[column.name]))
        series.replace(upwards)
    return tree


def _held(node: exp.Expression) -> exp.Expression:
    """A copy of an expression that holds together wherever it is put."""
    return exp.paren(node.copy()) if isinstance(node, exp.Binary) else node.copy()


def whole_division(tree: exp.Expression) -> exp.Expression:
    """PostgreSQL: div() is of numerics and gives one; a whole number stays whole."""
    for division in list(tree.find_all(exp.IntDiv)):
        whole = exp.Anonymous(this="DIV", expressions=[division.this.copy(), division.expression.copy()])
        division.replace(exp.cast(whole, "bigint", dialect="duckdb"))
    return tree


def division_without_rounding(tree: exp.Expression) -> exp.Expression:
    """Snowflake: a quotient is rounded to few decimals before it could be cut, so the remainder goes first."""
    for division in list(tree.find_all(exp.IntDiv)):
        above, below = division.this.unnest(), division.expression.unnest()
        remainder = exp.Anonymous(this="MOD", expressions=[above.copy(), below.copy()])
        rest = exp.paren(exp.Sub(this=_held(above), expression=remainder))
        division.replace(exp.cast(exp.Div(this=rest, expression=_held(below)), "bigint", dialect="duckdb"))
    return tree


def hash_as_hex(dialect: str, words: str):
    """sha256() of a text as 64 small hexadecimal digits, in the database's own words around `x`."""

    def rewrite(tree: exp.Expression) -> exp.Expression:
        for hashed in list(tree.find_all(exp.SHA2)):
            said = sqlglot.parse_one(words, read=dialect)
            next(column for column in said.find_all(exp.Column) if column.name == "x").replace(hashed.this.copy())
            hashed.replace(said)
        return tree

    return rewrite


def dates_as_iso(tree: exp.Expression) -> exp.Expression:
    """A date as text is YYYY-MM-DD, whatever the session's date format says."""
    for cast in _casts_of("_date", tree):
        cast.replace(exp.Anonymous(this="TO_CHAR", expressions=[cast.this.copy(), exp.Literal.string("YYYY-MM-DD")]))
    return tree


def dollars_with_cents(tree: exp.Expression) -> exp.Expression:
    """BigQuery: dollars as text keep both decimals; a cast would drop their zeros."""
    for cast in _casts_of("_usd", tree):
        cast.replace(exp.Anonymous(this="FORMAT", expressions=[exp.Literal.string("%.2f"), cast.this.copy()]))
    return tree


def _casts_of(ending: str, tree: exp.Expression) -> list[exp.Cast]:
    """Casts to text of a column whose name ends so."""
    return [
        cast
        for cast in tree.find_all(exp.Cast)
        if cast.to.this in TEXT_TYPES and isinstance(cast.this, exp.Column) and cast.this.name.endswith(ending)
    ]


def texts_joined(tree: exp.Expression) -> exp.Expression:
    """BigQuery: || joins texts only, so what may be a number is cast."""
    for joined in tree.find_all(exp.DPipe):
        for side in (joined.this, joined.expression):
            if not _is_text(side):
                side.replace(exp.cast(side.copy(), "varchar", dialect="duckdb"))
    return tree


def _is_text(node: exp.Expression) -> bool:
    if isinstance(node, exp.Case):
        return all(_is_text(part) for part in [*(branch.args["true"] for branch in node.args["ifs"]), *_else(node)])
    if isinstance(node, exp.Coalesce):
        return any(_is_text(part) for part in node.expressions)
    if isinstance(node, exp.Cast):
        return node.to.this in TEXT_TYPES
    return isinstance(node, exp.DPipe | exp.Chr | exp.Paren) or bool(node.is_string)


def _else(case: exp.Case) -> list[exp.Expression]:
    return [case.args["default"]] if case.args.get("default") else []


def order_without_nulls(tree: exp.Expression) -> exp.Expression:
    """BigQuery: an aggregate's order cannot say where nulls go; what the models order by there is never null."""
    for ordered in tree.find_all(exp.Ordered):
        holder = ordered.find_ancestor(exp.Window, exp.GroupConcat, exp.Select)
        is_ranked = isinstance(holder, exp.Window) and isinstance(holder.this, exp.RowNumber)
        if not is_ranked and not isinstance(holder, exp.Select):
            ordered.set("nulls_first", not ordered.args.get("desc"))
    return tree


def equal_on_both_sides(tree: exp.Expression) -> exp.Expression:
    """BigQuery: an outer join needs an equality with a column of either side. Where a column of the joined table is
    held against a word, the word comes out of the other side: null where its column is, which meets nothing anyway."""
    for join in tree.find_all(exp.Join):
        own = join.this.alias_or_name
        condition = join.args.get("on")
        parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
        if join.side != "LEFT" or any(isinstance(part, exp.EQ) and len(_sides(part)) > 1 for part in parts):
            continue
        other = next(column for part in parts for column in part.find_all(exp.Column) if column.table != own)
        part = next(part for part in parts if isinstance(part, exp.EQ) and part.expression.is_string)
        word = exp.Case().when(exp.Not(this=other.copy().is_(exp.null())), part.expression.copy())
        part.set("expression", word)
    return tree


def _sides(condition: exp.Expression) -> set[str]:
    """The tables that a condition names."""
    return {column.table for column in condition.find_all(exp.Column)}


def days_apart(tree: exp.Expression) -> exp.Expression:
    """Databricks: a date some days before or after another is date_sub() or date_add()."""
    for moved in list(tree.find_all(exp.Sub, exp.Add)):
        if _is_date(moved.this):
            name = "DATE_SUB" if isinstance(moved, exp.Sub) else "DATE_ADD"
            moved.replace(exp.Anonymous(this=name, expressions=[moved.this.copy(), moved.expression.copy()]))
    return tree


def _is_date(node: exp.Expression) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.this == exp.DataType.Type.DATE
    return isinstance(node, exp.Column) and node.name.endswith("_date")


def long_row_numbers(tree: exp.Expression) -> exp.Expression:
    """Databricks: row_number() has 32 bits, and keys are made of it by multiplying."""
    for window in list(tree.find_all(exp.Window)):
        if isinstance(window.this, exp.RowNumber):
            window.replace(exp.cast(window.copy(), "bigint", dialect="duckdb"))
    return tree


def rounded_to_whole(tree: exp.Expression) -> exp.Expression:
    """Databricks: a cast to a whole number cuts where the other databases round."""
    for cast in tree.find_all(exp.Cast):
        if cast.to.this in (exp.DataType.Type.INT, exp.DataType.Type.BIGINT) and cast.this.name == "value":
            cast.set("this", exp.Round(this=cast.this.copy()))
    return tree


REWRITES = {
    "duckdb": (comments_inside,),
    "postgres": (
        comments_inside,
        series_by_join("postgres"),
        whole_division,
        hash_as_hex("postgres", "encode(sha256(convert_to(x, 'UTF8')), 'hex')"),
        dates_as_iso,
    ),
    "snowflake": (comments_inside, series_by_join("snowflake"), division_without_rounding, dates_as_iso),
    "bigquery": (
        comments_inside,
        series_by_join("bigquery"),
        hash_as_hex("bigquery", "to_hex(sha256(x))"),
        dollars_with_cents,
        texts_joined,
        order_without_nulls,
        equal_on_both_sides,
    ),
    "databricks": (comments_inside, series_upwards, days_apart, long_row_numbers, rounded_to_whole),
}
