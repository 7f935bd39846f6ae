"""Print the jobs that Snakemake would run, one JSON object per line.

Usage: ``python dry_run.py ARGUMENTS-OF-SNAKEMAKE``.

This is a separate program because Snakemake changes the process that it runs in. It imports nothing from
genredag, so that it also works for a project with another version of the code.
"""

from __future__ import annotations

import json
import logging
import sys

from snakemake.cli import main
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent


def print_job(record: logging.LogRecord) -> bool:
    """Print the job that a record of Snakemake's log describes; pass only warnings and errors on."""
    if getattr(record, "event", None) == LogEvent.JOB_INFO:
        job = {key: getattr(record, key) for key in ("input", "output", "wildcards")}
        print(
            json.dumps({"rule": record.__dict__["rule_name"], "command": record.__dict__["shellcmd"], **job})
        )
    return record.levelno >= logging.WARNING


if __name__ == "__main__":
    # Snakemake replaces the handlers of its log, but not the filters.
    logger.addFilter(print_job)
    main(["--dry-run", *sys.argv[1:]])
