"""The two forms of a line in the log; gunicorn's main process runs this file, too, without the rest of the project."""

from typing import Any

TEXT_LINE = "{asctime} {levelname} {name}: {message}"

# The options of python-json-logger's formatters. The default gives the time its place, and `timestamp` its value.
JSON_FORM: dict[str, Any] = {
    "rename_fields": {"levelname": "level", "name": "logger", "exc_info": "traceback"},
    "defaults": {"time": None},
    "timestamp": "time",
}
JSON_LINE: dict[str, Any] = {**JSON_FORM, "fmt": ["levelname", "name", "message"]}
