"""Ends with 0 if the web server in this container is healthy, else with 1; uses only the standard library."""

import http.client
import os
import sys

# The one place that names the probe of containers; render.yaml has that of Render.
PATH = "/health/ready/"
SECONDS = 4


def main() -> int:
    """Asks the server on the port of gunicorn.conf.py; returns the exit status."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
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
