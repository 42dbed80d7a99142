"""A mail provider on loopback that speaks `POST /v3/mail/send` and refuses what SendGrid's documentation says it does.

Sources: the reference of the v3 Mail Send endpoint and its page of errors.
"""

import base64
import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "SG.loopback-key.0123456789abcdefghijklmnopqrstuvwxyz"
HELP = "https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors"

# The one parameter of a type that it takes, and the one type.
CALENDAR_TYPE = re.compile(r"text/calendar; ?method=[A-Z]+")
RESERVED_HEADERS = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}

Fault = tuple[str, str]


def faults_of(body: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    """What is wrong with a request: messages, each with the field it is about."""
    if not isinstance(body, dict):
        return [("Bad Request", "")]
    known = {"personalizations", "from", "subject", "content", "reply_to", "headers", "attachments", "categories"}
    known.add("tracking_settings")
    faults = [("Unknown field", name) for name in body if name not in known]
    faults += faults_of_receivers(body.get("personalizations"))
    faults += faults_of_address(body.get("from"), "from")
    subject = body.get("subject")
    if not isinstance(subject, str) or not subject:
        faults.append(("The subject is required. It must be a string at least one character in length.", "subject"))
    elif "\r" in subject or "\n" in subject:
        faults.append(("The subject may not contain CR or LF characters.", "subject"))
    faults += faults_of_headers(body.get("headers", {})) + faults_of_attachments(body.get("attachments", []))
    faults += faults_of_tracking(body.get("tracking_settings", {}))
    return faults + faults_of_content(body.get("content"))


def faults_of_tracking(settings: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    known = {"click_tracking": {"enable", "enable_text"}, "open_tracking": {"enable"}}
    flags = [(kind, name, value) for kind, each in settings.items() for name, value in each.items()]
    wrong = [kind for kind, name, value in flags if name not in known.get(kind, ()) or not isinstance(value, bool)]
    return [("The tracking settings are flags.", f"tracking_settings.{kind}") for kind in wrong]


def faults_of_headers(headers: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        return [("The headers property must be an object of strings.", "headers")]
    if RESERVED_HEADERS & {name.lower() for name in headers}:
        return [("The header is reserved and cannot be set.", "headers")]
    if any(c in "\r\n" or ord(c) > 126 for name, value in headers.items() for c in name + value):
        return [("Headers must be ASCII without CR and LF.", "headers")]
    return []


def faults_of_attachments(attachments: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    faults: list[Fault] = []
    for number, attachment in enumerate(attachments):
        field = f"attachments.{number}"
        try:
            content = base64.b64decode(attachment["content"], validate=True)
        except (KeyError, TypeError, ValueError):
            content = b""
        if not content:
            faults.append(("The attachment content is required, and must be base64 encoded.", f"{field}.content"))
        if not isinstance(attachment.get("filename"), str) or not attachment["filename"]:
            faults.append(("The attachment filename is required.", f"{field}.filename"))
        kind = attachment.get("type", "")
        if any(c in ";\r\n" for c in kind) and not CALENDAR_TYPE.fullmatch(kind):
            faults.append(("The type cannot contain ; or CR or LF.", f"{field}.type"))
    return faults


def faults_of_receivers(personalizations: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    if not isinstance(personalizations, list) or not 1 <= len(personalizations) <= 1000:
        return [("The personalizations field is required and must have at least one personalization.", "")]
    faults: list[Fault] = []
    seen: set[str] = set()
    for number, personalization in enumerate(personalizations):
        field = f"personalizations.{number}.to"
        to = personalization.get("to") if isinstance(personalization, dict) else None
        if not isinstance(to, list) or not to:
            faults.append(("The to array is required for all personalization objects.", field))
            continue
        for position, address in enumerate(to):
            wrong = faults_of_address(address, f"{field}.{position}")
            faults += wrong
            if wrong:
                continue
            if address["email"].lower() in seen:
                faults.append(("Each email address in the personalization block should be unique.", field))
            seen.add(address["email"].lower())
    return faults


def faults_of_address(address: Any, field: str) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    email = address.get("email") if isinstance(address, dict) else None
    if not isinstance(email, str) or email.count("@") != 1 or any(c.isspace() or c in "<>," for c in email):
        return [("Does not contain a valid address.", f"{field}.email")]
    if not isinstance(address.get("name", ""), str) or set(address) - {"email", "name"}:
        return [("The name must be a string.", field)]
    return []


def faults_of_content(content: Any) -> list[Fault]:  # noqa: ANN401 - whatever was sent
    if not isinstance(content, list) or not content:
        return [("Unless a valid template_id is provided, the content parameter is required.", "content")]
    faults: list[Fault] = []
    kinds = []
    for number, part in enumerate(content):
        part = part if isinstance(part, dict) else {}
        kinds.append(part.get("type"))
        if not isinstance(part.get("type"), str) or not part["type"]:
            faults.append(("The content type must be a string.", f"content.{number}.type"))
        if not isinstance(part.get("value"), str) or not part["value"]:
            faults.append(("The content value must be a string at least one character in length.", f"content.{number}"))
    if "text/plain" in kinds[1:]:
        faults.append(("If present, text/plain and text/html may only be provided once, plain first.", "content"))
    return faults


def receiver_of(body: Any) -> str:  # noqa: ANN401 - whatever was sent
    return body["personalizations"][0]["to"][0]["email"]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: "SendGridServer"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.requests.append(raw)
        with self.server.call():
            self.respond(raw)

    def respond(self, raw: bytes) -> None:
        if self.server.behaviour is not None:
            self.server.behaviour(self, raw)
            return
        if self.path != "/v3/mail/send":
            self.refuse(404, [("Not Found", "")])
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self.refuse(401, [("The provided authorization grant is invalid, expired, or revoked", "")])
        elif self.headers.get("Content-Type") != "application/json":
            self.refuse(415, [("Content-Type should be application/json.", "")])
        else:
            self.take(raw)

    def take(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            self.refuse(400, [("Bad Request", "")])
            return
        faults = faults_of(body)
        if faults:
            self.refuse(400, faults)
            return
        self.server.accepted.append(body)
        self.answer(202, b"", "text/plain")

    def refuse(self, status: int, faults: list[Fault]) -> None:
        errors = [{"message": message, "field": field or None, "help": HELP} for message, field in faults]
        self.answer(status, json.dumps({"errors": errors}).encode(), "application/json")

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


Behaviour = Callable[[Handler, bytes], None]


def answering(status: int, body: bytes) -> Behaviour:
    """Always the same answer."""
    return lambda handler, raw: handler.answer(status, body, "application/json")


def echoing(handler: Handler, raw: bytes) -> None:
    """Refuses, and repeats in the reason all that it was sent."""
    handler.refuse(400, [(f"Refused: {handler.headers['Authorization']} \r\n\x1b[31m forged line", "subject")])


def hanging(handler: Handler, raw: bytes) -> None:
    """Takes the request and says nothing until the client goes away."""
    handler.connection.settimeout(0.05)
    gone = False
    while not gone and not handler.server.closing.is_set():
        with contextlib.suppress(TimeoutError):
            gone = not handler.connection.recv(1)
    handler.close_connection = True


def hanging_for(name: str) -> Behaviour:
    """Hangs for the receivers whose address begins with the name, and takes all other messages."""

    def hang_or_take(handler: Handler, raw: bytes) -> None:
        hangs = receiver_of(json.loads(raw)).startswith(name)
        (hanging if hangs else Handler.take)(handler, raw)

    return hang_or_take


def slow(seconds: float) -> Behaviour:
    """Takes the message after a time."""

    def take_later(handler: Handler, raw: bytes) -> None:
        handler.server.closing.wait(seconds)
        handler.take(raw)

    return take_later


def together(number: int) -> Behaviour:
    """Takes no message before so many requests have come."""

    def take_together(handler: Handler, raw: bytes) -> None:
        while len(handler.server.requests) < number and not handler.server.closing.wait(0.01):
            pass
        handler.take(raw)

    return take_together


def once(behaviour: Behaviour, then: Behaviour = Handler.take) -> Behaviour:
    """One behaviour for the next request, another for those after it."""
    left = [behaviour]
    return lambda handler, raw: (left.pop() if left else then)(handler, raw)


def trickling(handler: Handler, raw: bytes) -> None:
    """Answers byte by byte, each soon enough for a time limit that begins anew with every read."""
    handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n")
    trickle(handler, b"." * 1000)


def trickling_from_the_first_byte(handler: Handler, raw: bytes) -> None:
    """The same, in the head of the answer already."""
    trickle(handler, b"HTTP/1.1 202 Accepted\r\n" + b"X-Mark: 7\r\n" * 90)


def trickle(handler: Handler, answer: bytes) -> None:
    for byte in answer:
        if handler.server.closing.wait(0.05):
            break
        handler.wfile.write(bytes([byte]))
    handler.close_connection = True


def resetting(handler: Handler, raw: bytes) -> None:
    """Ends the connection with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def cutting_short(handler: Handler, raw: bytes) -> None:
    """Promises more than it sends."""
    handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n.")
    handler.close_connection = True


def talking_nonsense(handler: Handler, raw: bytes) -> None:
    """Speaks no HTTP."""
    handler.wfile.write(b"220 smtp.example.org ESMTP\r\n\r\n")
    handler.close_connection = True


class SendGridServer(ThreadingHTTPServer):
    """The provider, in threads of its own, on a free port of loopback.

    Attributes:
        behaviour: What it does instead of checking the request; None: it behaves.
        requests: The body of each request.
        accepted: The bodies it answered with 202.
        calls: How many requests it has not answered.
        most_calls: How many these were at most.
        closing: Set when it shuts down.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour: Behaviour | None = None
        self.requests: list[bytes] = []
        self.accepted: list[dict[str, Any]] = []
        self.calls = self.most_calls = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def receivers(self) -> list[str]:
        """Who was written to, in alphabetical order: messages of one event are sent at the same time."""
        return sorted(receiver_of(body) for body in self.accepted)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        with self.lock:
            self.calls += 1
            self.most_calls = max(self.most_calls, self.calls)
        try:
            yield
        finally:
            with self.lock:
                self.calls -= 1

    def handle_error(self, *args: object) -> None:
        """A client that went away is no news."""

    def __enter__(self) -> "SendGridServer":
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self.thread.join(timeout=5)
