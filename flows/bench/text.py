"""Tells the results of a benchmark: one column a run, seconds unless said otherwise."""

MEGA = 1_000_000


def bench_text(document: dict) -> str:
    """The document as a table, with what it means below."""
    runs = [*document["runs"], *([document["csv"]] if "csv" in document else [])]
    stages = list(runs[0]["seconds"])
    rows = [
        ("visits", [f"{run['visits']:,}" for run in runs]),
        ("form", [run["form"] for run in runs]),
        ("claim lines", [f"{run['rows']['claims']:,}" for run in runs]),
        ("notes", [f"{run['rows']['notes']:,}" for run in runs]),
        ("blocks", [f"{run['rows']['note_blocks']:,}" for run in runs]),
        ("megabytes read", [f"{run['bytes'] / MEGA:,.1f}" for run in runs]),
        ("findings a 1,000 visits", [f"{run['findings_a_thousand_visits']:,.1f}" for run in runs]),
        ("notes and claims matched", [f"{run['match_share']:.1%}" for run in runs]),
        None,
        *((stage, [_seconds(run["seconds"][stage]) for run in runs]) for stage in stages),
        ("of judge: import", [_seconds(run["seconds_within"]["judge_import"]) for run in runs]),
        ("of publish: workbook", [_seconds(run["seconds_within"]["publish_workbook"]) for run in runs]),
        ("process, start to end", [_seconds(run["seconds_in_all"]) for run in runs]),
        ("  seconds of its cores", [_seconds(run["core_seconds"]) for run in runs]),
        None,
        ("floor", [f"{run['floor_seconds']['median']:,.3f}" for run in runs]),
        ("load, contract, recompute", [_seconds(run["ratios"]["recomputed_seconds"]) for run in runs]),
        ("  times the floor", [f"{run['ratios']['recomputed_to_floor']:,.1f} x" for run in runs]),
        ("whole audit", [_seconds(run["ratios"]["whole_seconds"]) for run in runs]),
        ("  times the floor", [f"{run['ratios']['whole_to_floor']:,.1f} x" for run in runs]),
        ("peak memory, megabytes", [f"{run['peak_memory_bytes'] / MEGA:,.0f}" for run in runs]),
    ]
    return "\n".join([_machine(document), "", *_table(rows), "", *_comparisons(document)])


def _seconds(seconds: float) -> str:
    return f"{seconds:,.2f}"


def _machine(document: dict) -> str:
    machine, asked = document["machine"], document["asked"]
    limits = f"{asked['threads'] or 'all'} threads, memory limit {asked['memory_limit'] or 'as DuckDB sets it'}"
    return (
        f"{machine['cores']} cores, {machine['memory_bytes'] / MEGA / 1000:.0f} GB, {machine['system']}, "
        f"Python {machine['python']}, DuckDB {machine['duckdb']}; {limits}, seed {asked['seed']}; "
        f"load before: {machine['load_before']}"
    )


def _table(rows: list) -> list[str]:
    widths = [max(len(row[1][place]) for row in rows if row) for place in range(len(rows[0][1]))]
    lines = []
    for row in rows:
        if row is None:
            lines.append("")
            continue
        cells = (f"{cell:>{width}}" for cell, width in zip(row[1], widths, strict=True))
        lines.append(f"{row[0]:<27}  {'  '.join(cells)}")
    return lines


def _comparisons(document: dict) -> list[str]:
    lines = [
        "The whole audit is its process from start to end, the workbook and Great Expectations' import aside.",
        f"The floor is the median of {document['asked']['floor_runs']} runs, half before the audit, half after it.",
    ]
    for step in document["growth"]:
        lines.append(
            f"From {step['from_visits']:,} to {step['to_visits']:,} visits seconds grow as visits to the power of "
            f"{step['recomputed']:.2f} (load, contract, recompute) and {step['whole']:.2f} (whole)"
        )
    if "csv_to_parquet" in document:
        csv = document["csv_to_parquet"]
        lines.append(
            f"CSV takes {csv['recomputed']:.2f} times the seconds of Parquet (load, contract, recompute) and "
            f"{csv['whole']:.2f} (whole), at {csv['visits']:,} visits"
        )
    if document["pandas"]:
        pandas = document["pandas"]
        lines.append(
            f"pandas takes {pandas['seconds_in_all']:,.1f} s for minutes, units and split of {pandas['visits']:,} "
            f"visits: {pandas['times_the_recomputation']:,.1f} times the recomputation with all findings, "
            f"{pandas['times_load_contract_recompute']:,.1f} times load, contract and recompute"
        )
    return lines
