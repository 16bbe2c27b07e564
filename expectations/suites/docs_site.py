"""Data Docs that open offline: built for this run, freed of every load from other sites, with a history."""

import json
import re
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

# GX pages take Bootstrap, icons and a logo from other sites; this small sheet stands in for them.
STYLE = """<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 0; color: #1b1b1b; background: #fff; }
.container-fluid { padding: 0 1.5rem 3rem; } .container-fluid .container-fluid { padding: 0; }
nav.navbar { position: static; padding: .4rem 1.5rem; border-bottom: 1px solid #ccc;
height: auto !important; }
.breadcrumb, .nav { list-style: none; padding: 0; margin: .2rem 0; }
.breadcrumb li { display: inline; } .breadcrumb li + li::before { content: " / "; }
table { border-collapse: collapse; max-width: 100%; } td, th { border: 1px solid #ddd; padding: .3rem .55rem;
text-align: left; vertical-align: top; } thead th { background: #f3f3f3; }
.alert { background: #eef1f4; padding: .5rem .8rem; margin: .8rem 0; }
h4, h5, h6 { margin: .4rem 0; font-size: 1rem; }
.fa-check-circle::before { content: "\\2714"; color: #176b2c; }
.fa-times::before { content: "\\2718"; color: #a11212; }
.fa-exclamation-triangle::before { content: "\\26A0"; color: #8a5a00; } i { font-style: normal; }
.text-success { color: #176b2c; } .text-danger { color: #a11212; } .text-warning { color: #8a5a00; }
.modal, .btn-group, .btn, button, .cooltip .top, [data-toggle="collapse"] { display: none; }
.sticky { position: static; } .card { border: 1px solid #ddd; padding: .3rem .6rem; margin: .4rem 0; }
@media print { .sticky { display: none; } }
</style>
"""

# GX fills its own index by script; ours is plain rows: one run a row, one suite a column.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><title>minutewise Data Docs</title>
</head>
<body><div class="container-fluid">
<h1>Checks by run</h1>
<p>Verdicts and counts only: no row of an extract stands on these pages. In <em>rules</em>, "failed" means
that violations were found; an expectation that ended in an error says nothing about the data.</p>
<table>
<thead><tr><th>run</th><th>judged at (UTC)</th>
{%- for suite in suites %}<th>{{ suite }}</th>{% endfor %}</tr></thead>
<tbody>
{% for run in runs %}<tr><td>{{ run.name }}</td><td>{{ run.time }}</td>{% for suite in suites %}<td>
{%- set held = run.suites.get(suite) %}
{%- if held %}<a href="{{ held.page }}">{{ held.told }}</a>{% endif %}</td>
{%- endfor %}</tr>
{% endfor %}</tbody>
</table>
<h2>What is checked now</h2>
<ul>{% for suite in suites %}<li><a href="expectations/{{ suite }}.html">{{ suite }}</a></li>{% endfor %}</ul>
</div></body>
</html>
"""

_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.IGNORECASE | re.DOTALL)
_FOOTER = re.compile(r"<footer\b.*?</footer\s*>", re.IGNORECASE | re.DOTALL)
_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_FOREIGN = r"""["']?\s*(?:[a-z][a-z0-9+.-]*:)?//"""
_LOADING = re.compile(
    r"<(?:img|iframe|embed|object|source|audio|video|image|input|base)\b[^>]*"
    rf"\b(?:src|srcset|href|data)\s*=\s*{_FOREIGN}[^>]*>",
    re.IGNORECASE,
)
_STYLE_LOAD = re.compile(rf"(?:@import\s+(?:url\()?|url\(\s*){_FOREIGN}[^;)]*\)?", re.IGNORECASE)


def build_site(context, context_dir: Path, run) -> None:
    """Builds the pages of `run` (a run identifier) and of all suites, and the index of all runs.

    No page that is left loads anything from another site.
    """
    from expectations.suites.context import RESULTS_FOLDER, ROOT_FOLDER, SITE_FOLDER

    site, results = (context_dir / ROOT_FOLDER / folder for folder in (SITE_FOLDER, RESULTS_FOLDER))
    suites = context.expectations_store.list_keys()
    judged = [key for key in context.validation_results_store.list_keys() if key.run_id == run]
    context.build_data_docs(resource_identifiers=[*suites, *judged], build_index=False)
    _write_index(site, results, sorted(suite.name for suite in suites))
    for path in site.rglob("*"):
        if path.suffix in (".html", ".css"):
            text = path.read_text(encoding="utf-8")
            kept = offline(text) if path.suffix == ".html" else _STYLE_LOAD.sub("none", text)
            if kept != text:
                path.write_text(kept, encoding="utf-8")


def offline(page: str) -> str:
    """The page without scripts, without foreign images, links and styles, and with our own small style."""
    for pattern in (_SCRIPT, _FOOTER, _LINK, _LOADING):
        page = pattern.sub("", page)
    page = _STYLE_LOAD.sub("none", page)
    return page if STYLE in page else page.replace("</head>", f"{STYLE}</head>", 1)


def _write_index(site: Path, results: Path, suites: list[str]) -> None:
    runs: dict[tuple, dict] = {}
    for path in results.glob("*/*/*/*.json"):
        suite, name, time = path.relative_to(results).parts[:3]
        run = runs.setdefault((time, name), {"name": name, "time": time, "suites": {}})
        page = (Path("validations") / path.relative_to(results)).with_suffix(".html").as_posix()
        run["suites"][suite] = {"page": quote(page), "told": _told(path)}
    newest_first = [runs[key] for key in sorted(runs, reverse=True)]
    page = Environment(autoescape=True).from_string(INDEX).render(runs=newest_first, suites=suites)
    (site / "index.html").write_text(page, encoding="utf-8")


def _told(path: Path) -> str:
    """How a stored result ended. Its statistics stand at its end: years of history are read quickly."""
    with path.open("rb") as stored:
        stored.seek(max(0, path.stat().st_size - 2000))
        tail = stored.read().decode("utf-8", errors="replace")
    _, found, rest = tail.rpartition('"statistics": ')
    if not found:
        return "not read"
    try:
        counts = json.JSONDecoder().raw_decode(rest)[0]
        failed, errored = counts["unsuccessful_expectations"], counts["errored_expectations"]
    except (ValueError, KeyError):
        return "not read"
    told = [
        f"{counts['successful_expectations']} passed",
        f"{failed - errored} failed",
        f"{errored} ended in an error",
    ]
    return ", ".join(one for one in told if not one.startswith("0 ")) or "nothing checked"
