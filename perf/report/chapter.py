"""The report's chapter for one machine and profile: a section for each kind of result."""

from collections.abc import Callable, Sequence
from pathlib import Path

from perf.report import plots
from perf.report.findings import findings
from perf.report.scenario_sections import ScenarioSections
from perf.report.tables import image, records, table
from perf.results import Result


class Chapter:
    """What was measured on one machine with one profile.

    Args:
        results: of that machine and profile.
        folder: for its plots.
    """

    def __init__(self, results: Sequence[Result], folder: Path) -> None:
        self.first = results[0]
        self.kinds: dict[str, list[Result]] = {}
        for each in results:
            self.kinds.setdefault(each["schema"], []).append(each)
        self.scenarios = ScenarioSections(self.kinds.get("scenario", []), folder)
        self.plots = folder

    def lines(self) -> list[str]:
        """The chapter in Markdown."""
        sections: dict[str, Callable[[], list[str]]] = {
            "Wins and losses": self.findings,
            "One photo at a time": self.scenarios.photos,
            "Growth with the photo's size": self.scenarios.growth,
            "Where the time goes": self.stages,
            "Many photos under way": self.scenarios.load,
            "Photos that arrive at random": self.scenarios.saturation,
            "Transport": self.scenarios.transport,
            "Models alone": self.scenarios.models_alone,
            "Serving beside its parts": self.serving,
            "The network in every runtime": lambda: self.rows("engines"),
            "Roofline": self.roofline,
            "Peers": self.peers,
            "Before and after": self.comparison,
            "Settings": lambda: self.rows("sweep"),
            "Faults": lambda: self.rows("faults"),
            "Endurance": self.endurance,
        }
        lines = [f"## {self.first['machine']['name']}, profile {self.first['profile']}", "", *self.header(), ""]
        not_run = []
        for title, section in sections.items():
            if found := section():
                lines += [f"### {title}", "", *found]
            else:
                not_run.append(title)
        return [*lines, f"Not run: {'; '.join(not_run)}.", ""] if not_run else lines

    def header(self) -> list[str]:
        """The machine, and what state of the project."""
        machine = self.first["machine"]
        dates = sorted(each["date"][:10] for kind in self.kinds.values() for each in kind)
        commits = sorted({each["commit"] for kind in self.kinds.values() for each in kind})
        hashes = [each["networks_sha256"] for kind in self.kinds.values() for each in kind]
        networks = [f"{name} {', '.join(sorted({each[name][:12] for each in hashes}))}" for name in sorted(hashes[0])]
        days = " to ".join(dict.fromkeys((dates[0], dates[-1])))
        return [
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, "
            f"GPU: {machine['gpu'] or 'none'}, {machine['system']}; {days}; "
            f"commit {', '.join(commits)}; {'; '.join(networks)}."
        ]

    def findings(self) -> list[str]:
        """For and against."""
        found = findings(self.kinds)
        lists = {"Ahead": [each for each in found if each.won], "Behind": [each for each in found if not each.won]}
        lines = []
        for title, each in lists.items():
            lines += [f"{title}:", "", *(f"- {finding.text}" for finding in each), *([] if each else ["- nothing"]), ""]
        return lines if found else []

    def stages(self) -> list[str]:
        """The cost of each stage, from statistics of all photos and from one photo's trace."""
        return [*self.scenarios.stages(), *self.timeline()]

    def timeline(self) -> list[str]:
        """One photo's trace."""
        lines = []
        for result in self.kinds.get("trace", []):
            path = self.plots / "trace.png"
            plots.trace_plot(result["spans"], path)
            lines += [f"One photo of `{result['scenario']}`, traced, in milliseconds:", ""]
            lines += [image(path, "when each model was at work"), "", *records([result["parts_ms"]])]
        return lines

    def serving(self) -> list[str]:
        """Ratios of one run; what was aimed at and missed says so."""
        return [line for result in self.kinds.get("serving", []) for line in records(result["rows"])]

    def peers(self) -> list[str]:
        """What people would use in its place."""
        lines = []
        for result in self.kinds.get("peers", []):
            lines += [result["quality"], "", *records(result["rows"])]
        return lines

    def rows(self, kind: str) -> list[str]:
        """Results that are a table already."""
        return [line for result in self.kinds.get(kind, []) for line in records(result["rows"])]

    def roofline(self) -> list[str]:
        """Limits, what is reached of them, and the estimate for the DGX Spark."""
        lines = []
        for result in self.kinds.get("roofline", []):
            estimate = result["dgx_spark"]
            lines += [*records(result["rates"]), *records(result["engines"])]
            lines += ["Estimate for the DGX Spark, not a measurement, from:", ""]
            lines += [*(f"- {source}" for source in estimate["sources"]), f"- left out: {estimate['left_out']}", ""]
            lines += records(estimate["rows"])
        return lines

    def endurance(self) -> list[str]:
        """Mixed traffic for a long time."""
        rows = [
            (
                f"{each['minutes']:.0f}",
                ", ".join(f"{count} {name}" for name, count in each["outcomes"].items()),
                each["memory_growth"],
                each["files_growth"],
            )
            for each in self.kinds.get("soak", [])
        ]
        heads = ["minutes", "requests", "processes' own memory, last third / second", "open files, last third - second"]
        return table(heads, rows) if rows else []

    def comparison(self) -> list[str]:
        """The last comparison of two states."""
        rows = [
            [
                *(f"{each[side]['name']} ({each[side]['commit']})" for side in ("a", "b")),
                *(each["scenario"], len(each["a_ms"]), each["median_ms"]["a"], each["median_ms"]["b"]),
                *(_interval(each), each["verdict"]["outcome"]),
            ]
            for each in self.kinds.get("compare", [])
        ]
        heads = ["A", "B", "scenario", "pairs", "A, ms", "B, ms", "B / A, 99 % interval", "B is"]
        return table(heads, rows) if rows else []


def _interval(result: Result) -> str:
    found = result["verdict"]
    return f"{found['ratio']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
