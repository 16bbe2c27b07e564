"""What the scripts say in each database's words: read back by a parser, and searched for what only DuckDB says."""

import re
from datetime import date

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests.sql_runs import audited
from tests.test_sql_scripts import SAMPLE_AUDIT
from transforms.dialects.carry import carried
from transforms.models.load import STAGES, load_models
from transforms.models.run import Setting
from transforms.scripts import scripts
from transforms.scripts.writing import DATABASES

SETTING = Setting(date(2026, 11, 10))
MODELS = [model for stage in STAGES for model in load_models(stage)]
OTHERS = [dialect for dialect in DATABASES if dialect != "duckdb"]
#: Words of DuckDB that a database does not have, or means otherwise; searched in the text without comments.
FOREIGN = {
    "postgres": [r"//", r"\bunnest\b", r"\bvarchar\b", r"\bsha256\((?! convert_to)", r"\blistagg\b",
                 r"create or replace"],
    "snowflake": [r"//", r"\bgenerate_series\b", r"\bunnest\b", r"\bsha256\b", r"\bstring_agg\b", r"\bwindow \w+ as\b"],
    "bigquery": [r"//", r"\bgenerate_series\b", r"\bvarchar\b", r"\btext\b", r"\blistagg\b",
                 r"(?<!to_hex\( )\bsha256\b", r"\bbigint\b"],
    "databricks": [r"//", r"\bgenerate_series\b", r"\bunnest\b", r"\bsha256\b", r"\bstring_agg\b", r"\bvarchar\b"],
}  # fmt: skip
#: Reserved where a table, a column or a CTE is named, so that nothing of ours may be called so without quotes.
RESERVED = {
    "snowflake": """account all alter and any as between by case cast check column connect connection constraint create
        cross current current_date current_time current_timestamp current_user database delete distinct drop else
        exists false following for from full grant group gscluster having ilike in increment inner insert intersect
        into is issue join lateral left like localtime localtimestamp minus natural not null of on or order
        organization qualify regexp revoke right rlike row rows sample schema select set some start table tablesample
        then to trigger true try_cast union unique update using values view when whenever where with""",
    "bigquery": """all and any array as asc assert_rows_modified at between by case cast collate contains create cross
        cube current default define desc distinct else end enum escape except exclude exists extract false fetch
        following for from full group grouping groups hash having if ignore in inner intersect interval into is join
        lateral left like limit lookup merge natural new no not null nulls of on or order outer over partition
        preceding proto qualify range recursive respect right rollup rows select set some struct tablesample then to
        treat true unbounded union unnest using when where window with within""",
    "databricks": "anti cross except full inner intersect join lateral left minus natural on right semi union using",
    "postgres": """all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
        create current_date default deferrable desc distinct do else end except false fetch for foreign from grant group
        having in initially intersect into lateral leading limit localtime not null offset on only or order placing
        primary references returning select session_user some symmetric table then to trailing true union unique user
        using variadic when where window with""",
}


@pytest.fixture(scope="module")
def texts():
    """Dialect -> the text of all its scripts."""
    return {dialect: "\n".join(script.text for script in scripts(dialect, SETTING)) for dialect in DATABASES}


def without_comments(text: str) -> str:
    text = re.sub(r"/\*.*?\*/", "", re.sub(r"^\s*--.*$| -- [^']*$", "", text, flags=re.MULTILINE), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"https?://", "", text))


@pytest.mark.parametrize("dialect", DATABASES)
def test_every_statement_is_read_back_and_written_the_same(texts, dialect):
    statements = [one for one in sqlglot.parse(texts[dialect], read=dialect) if one is not None]
    assert len(statements) > 80
    for statement in statements:
        assert not isinstance(statement, exp.Command), f"not understood: {statement.sql()[:80]}"
        again = statement.sql(dialect, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
        assert sqlglot.parse_one(again, read=dialect).sql(dialect) == again


@pytest.mark.parametrize("dialect", OTHERS)
def test_no_word_is_left_that_only_duckdb_has(texts, dialect):
    text = without_comments(texts[dialect]).lower()
    assert "finding" in text
    assert [word for word in FOREIGN[dialect] if re.search(word, text)] == []


@pytest.mark.parametrize("dialect", OTHERS)
def test_nothing_is_named_with_a_reserved_word(texts, dialect):
    reserved = set(RESERVED[dialect].split())
    for statement in sqlglot.parse(texts[dialect], read=dialect):
        names = {one.name.lower() for one in statement.find_all(exp.Identifier) if not one.args.get("quoted")}
        assert not names & reserved


@pytest.mark.parametrize("dialect", DATABASES)
def test_every_table_stands_in_the_schema_asked_for(dialect):
    made = scripts(dialect, SETTING, None, "house.audit")
    for statement in sqlglot.parse("\n".join(script.text for script in made), read=dialect):
        own = {cte.alias for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            if isinstance(table.this, exp.Identifier) and table.name not in own:
                assert (table.catalog.lower(), table.db.lower()) == ("house", "audit"), table.sql()


class TestBigQuery:
    def test_an_outer_join_has_an_equality_of_both_sides(self, texts):
        joins = [
            join
            for statement in sqlglot.parse(texts["bigquery"], read="bigquery")
            for join in statement.find_all(exp.Join)
            if join.side == "LEFT"
        ]
        assert len(joins) > 80
        for join in joins:
            equal = [one for one in join.args["on"].find_all(exp.EQ) if not one.find_ancestor(exp.Or, exp.Case)]
            sides = [{column.table for column in one.find_all(exp.Column)} for one in equal]
            own = join.this.alias_or_name
            assert any(own in tables and len(tables) > 1 for tables in sides), join.sql()

    def test_a_word_that_comes_from_the_other_side_meets_what_it_met(self):
        """The rewritten condition, run on DuckDB, joins the same rows, those of a null date too."""
        query = """
            select d.id, p.value from day as d
            left join parameter as p on p.name = 'lag' and d.on_date >= p.from_date and d.on_date < p.to_date"""
        rewritten = sqlglot.transpile(carried(query, "bigquery"), read="bigquery", write="duckdb")[0]
        assert "CASE" in rewritten
        with duckdb.connect() as con:
            con.execute("create table day (id integer, on_date date)")
            con.execute("insert into day values (1, '2026-01-01'), (2, '2026-03-01'), (3, null)")
            con.execute("create table parameter (name varchar, value integer, from_date date, to_date date)")
            con.execute("insert into parameter values ('lag', 5, '2026-02-01', '2027-01-01')")
            con.execute("insert into parameter values ('other', 1, '1990-01-01', '9999-12-31')")
            assert sorted(con.execute(rewritten).fetchall()) == sorted(con.execute(query).fetchall())

    def test_whatever_is_joined_to_a_text_is_a_text(self):
        assert carried("select 'Code ' || c.code || ' x' || c.units as message from c", "bigquery").count("STRING") == 2
        assert carried("select c.units || ' units' as message from c", "bigquery").count("STRING") == 1
        assert "STRING" not in carried("select 'a' || case when c.ok then 'b' else 'c' end as d from c", "bigquery")

    def test_dollars_keep_both_decimals(self):
        assert "FORMAT('%.2f', f.at_risk_usd)" in carried(
            "select cast(f.at_risk_usd as varchar) as t from f", "bigquery"
        )


class TestTextsOfValues:
    @pytest.mark.parametrize("dialect", ["postgres", "snowflake"])
    def test_a_date_is_written_alike_whatever_the_session_says(self, dialect):
        assert "TO_CHAR(f.service_date, 'YYYY-MM-DD')" in carried(
            "select cast(f.service_date as varchar) as t from f", dialect
        )

    def test_what_is_a_date_or_dollars_says_so_in_its_name(self):
        """The rewrites of texts go by the ends of names."""
        for model in MODELS:
            for cast in sqlglot.parse_one(model.text, read="duckdb").find_all(exp.Cast):
                if cast.to.is_type("varchar") and re.search("date|day|usd|amount|_at$|_on$", cast.this.name):
                    assert cast.this.name.endswith(("_date", "_usd")), f"{model.name}: {cast.sql()}"

    @pytest.mark.parametrize("dialect", OTHERS)
    def test_a_hash_is_64_small_hexadecimal_digits(self, texts, dialect):
        said = {
            "postgres": "ENCODE(SHA256(CONVERT_TO(f.a, 'UTF8')), 'hex')",
            "snowflake": "SHA2(f.a, 256)",
            "bigquery": "TO_HEX(SHA256(f.a))",
            "databricks": "SHA2(f.a, 256)",
        }
        assert said[dialect] in carried("select sha256(f.a) as h from f", dialect)


class TestWholeNumbers:
    def test_no_quotient_is_rounded_before_it_is_cut(self):
        """Snowflake keeps six decimals of a quotient, so 15 days of 16 would be one: the remainder goes first."""
        said = carried("select (f.a + 7) // (2 * f.b) as units from f", "snowflake", None)
        assert " ".join(said.split()) == (
            "SELECT CAST(( ( f.a + 7 ) - MOD(f.a + 7, 2 * f.b) ) / ( 2 * f.b ) AS BIGINT) AS units FROM f"
        )
        with duckdb.connect() as con:
            as_written = sqlglot.transpile(said, read="snowflake", write="duckdb")[0]
            con.execute("create table f as select a, b from range(200) as x(a), range(1, 20) as y(b)")
            wanted = con.execute("select (a + 7) // (2 * b) from f").fetchall()
            assert con.execute(as_written).fetchall() == wanted

    @pytest.mark.parametrize("dialect", ["postgres", "bigquery", "databricks"])
    def test_a_quotient_is_cut(self, dialect):
        said = {"postgres": "CAST(DIV(f.a, 15) AS BIGINT)", "bigquery": "DIV(f.a, 15)", "databricks": "f.a DIV 15"}
        assert said[dialect] in carried("select f.a // 15 as units from f", dialect)

    def test_a_key_made_of_a_row_number_has_room(self, texts):
        for statement in sqlglot.parse(texts["databricks"], read="databricks"):
            for number in statement.find_all(exp.RowNumber):
                cast = number.parent.parent
                assert isinstance(cast, exp.Cast) and cast.to.is_type("bigint"), statement.sql()[:200]

    def test_a_parameter_is_rounded_as_elsewhere(self):
        assert "CAST(ROUND(p.value) AS INT)" in carried("select cast(p.value as integer) as days from p", "databricks")

    def test_no_operand_of_a_division_is_below_zero(self):
        """Databases differ in how they cut a quotient below zero; none is met."""
        assert_never_met(exp.IntDiv, "{0} < 0 or {1} <= 0")


def test_least_and_greatest_meet_no_null():
    """DuckDB and PostgreSQL skip a null there, Snowflake and BigQuery give null."""
    assert_never_met((exp.Least, exp.Greatest), "{0} is null or {1} is null")


def assert_never_met(kinds, condition: str) -> None:
    """Runs the sample audit with an error wherever two operands meet a condition; the models must hold some."""
    changed = 0
    with audited(SAMPLE_AUDIT) as con:
        con.execute("set search_path = 'part,main'")
        for model in MODELS:
            tree = sqlglot.parse_one(model.text, read="duckdb")
            found = list(tree.find_all(*(kinds if isinstance(kinds, tuple) else (kinds,))))
            for node in reversed(found):
                sides = [node.this, *([node.expression] if node.args.get("expression") else node.expressions)]
                left, right = (side.sql("duckdb") for side in sides)
                guard = f"case when {condition.format(f'({left})', f'({right})')} then error('met') else 1 end"
                node.replace(
                    exp.paren(sqlglot.parse_one(f"case when {guard} = 1 then {node.sql('duckdb')} end", read="duckdb"))
                )
            if found:
                changed += len(found)
                con.execute(f"create temp table guarded as {tree.sql('duckdb')}").execute("drop table guarded")
    assert changed


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_series_has_a_row_for_each_number(dialect):
    said = carried("select f.a, unnest(generate_series(1, f.n // 15)) as number_of from f where f.n > 0", dialect)
    said = " ".join(said.split())
    wanted = {
        "postgres": "counted.number AS number_of FROM f CROSS JOIN LATERAL GENERATE_SERIES(1,",
        "snowflake": "CAST(counted.value AS INT) AS number_of FROM f CROSS JOIN LATERAL FLATTEN(",
        "bigquery": "number AS number_of FROM f CROSS JOIN UNNEST(GENERATE_ARRAY(1,",
        "databricks": "EXPLODE(FILTER(SEQUENCE(1, ( f.n DIV 15 )), n -> n BETWEEN 1 AND ( f.n DIV 15 ))) AS number_of",
    }
    assert wanted[dialect] in said


@pytest.mark.parametrize("dialect", ["postgres", "snowflake", "bigquery"])
def test_a_series_of_its_own_is_joined_to_one_row(dialect):
    said = " ".join(carried("select unnest(generate_series(-5, 5)) as places_on", dialect).split())
    assert "FROM (SELECT 1 AS one) AS once CROSS JOIN" in said.replace("( ", "(").replace(" )", ")")


def test_snowflake_has_no_named_windows():
    query = "select max(f.a) over w as most from f window w as (partition by f.b)"
    assert "OVER (PARTITION BY f.b)" in carried(query, "snowflake")


def test_databricks_takes_days_from_a_date_by_a_function(texts):
    assert "DATE_SUB(s.as_of_date, 5)" in carried("select s.as_of_date - 5 as first_date from s", "databricks")
    assert "DATE_ADD(s.as_of_date, s.n)" in carried("select s.as_of_date + s.n as last_date from s", "databricks")
    assert "DATE_ADD(CAST('1990-01-01' AS DATE), s.n)" in carried(
        "select date '1990-01-01' + s.n as d from s", "databricks"
    )
    for statement in sqlglot.parse(texts["databricks"], read="databricks"):
        for difference in statement.find_all(exp.Sub, exp.Add):
            assert not difference.this.name.endswith("_date"), difference.sql()
            assert not isinstance(difference.this, exp.Cast) or not difference.this.is_type("date"), difference.sql()


def test_postgres_orders_texts_by_their_bytes(texts):
    for statement in sqlglot.parse(texts["postgres"], read="postgres"):
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
            for column in statement.this.find_all(exp.ColumnDef):
                if column.kind.is_type("text"):
                    assert column.find(exp.CollateColumnConstraint), column.sql()
