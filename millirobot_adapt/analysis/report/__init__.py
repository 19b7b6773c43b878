"""Make the pages that people look at: `summary.json` and `report.html` of a run."""

from millirobot_adapt.analysis.report.run_report import REPORT, SUMMARY, write_report

__all__ = ['REPORT', 'SUMMARY', 'write_report']
