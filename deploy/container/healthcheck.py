"""Ends with 0 if the web server in this container is healthy, else with 1; uses only the standard library."""

import http.client
import os
import re
import socket
import sys

# The one place that names the probe of containers; render.yaml has that of Render.
PATH = "/health/ready/"
SECONDS = 4


def address() -> tuple[str, int] | str:
    """Where gunicorn listens, as gunicorn.conf.py says: a host and a port, or the path of a socket."""
    bind = os.environ.get("WEB_BIND", "").split(",")[0].strip() or f":{os.environ.get('PORT') or 8000}"
    if bind.startswith("unix:"):
        return bind.removeprefix("unix:")
    host, port = re.fullmatch(r"\[?(.*?)\]?(?::(\d+))?", bind).groups()
    # A server that listens everywhere answers on the loopback, too.
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port or 8000)


def main() -> int:
    """Asks the server; returns the exit status."""
    place = address()
    host, port = ("localhost", None) if isinstance(place, str) else place
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        if isinstance(place, str):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(SECONDS)
            connection.sock.connect(place)
        connection.request("GET", PATH, headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        body = answer.read(1000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"{PATH} does not answer: {error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{PATH} {answer.status}: {body}\n")
    return int(answer.status != 200)


if __name__ == "__main__":
    sys.exit(main())
