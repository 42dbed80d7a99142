"""A mail server on loopback: aiosmtpd in a thread of its own, which can be told to misbehave at each command."""

import asyncio
import datetime
import ipaddress
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "mailer@example.org", "six:copper/lanterns@%"
START_SECONDS = 10

# aiosmtpd logs every line.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

# Returns an answer, or None for the usual one.
Behaviour = Callable[["Session"], Awaitable[str | None]]


def answering(reply: str) -> Behaviour:
    """Always the same answer."""

    async def answer(session: "Session") -> str:
        return reply

    return answer


async def hanging(session: "Session") -> None:
    """Says nothing until the server is closed."""
    await session.owner.closing.wait()


async def dropping(session: "Session") -> str:
    """Ends the connection instead of an answer."""
    session.transport.abort()
    return "421 gone"


async def trickling(session: "Session") -> str:
    """Answers line by line, each soon enough for a time limit that begins anew with every read."""
    for _ in range(100):
        session.transport.write(b"250-wait\r\n")
        await asyncio.sleep(0.05)
    return "250 OK"


async def storing_and_dropping(session: "Session") -> str:
    """Takes the message, and ends the connection before the answer."""
    session.store()
    return await dropping(session)


async def storing_and_hanging(session: "Session") -> None:
    """Takes the message, and says nothing."""
    session.store()
    await hanging(session)


async def quoting(session: "Session") -> str:
    """Refuses, and repeats in its answer all that it was sent."""
    text = session.owner.read(session.envelope).get_body(("plain",)).get_content()
    return "554-5.7.1 Refused:\r\n" + "".join(f"554-{line}\r\n" for line in text.splitlines()) + "554 \x1b[31m end"


def once(behaviour: Behaviour) -> Behaviour:
    """One behaviour for the first time, the usual one after that."""
    left = [behaviour]

    async def answer(session: "Session") -> str | None:
        return await left.pop()(session) if left else None

    return answer


class Session(SMTP):
    """A session with a client."""

    owner: "SmtpServer"

    async def misbehave(self, command: str) -> str | None:
        self.owner.commands.append(command)
        behaviour = self.owner.behaviours.get(command)
        return await behaviour(self) if behaviour else None

    def store(self) -> None:
        self.owner.accepted.append(self.envelope)

    async def push(self, status: Any) -> None:  # noqa: ANN401 - the library's own
        is_greeting = self.session.host_name is None and not getattr(self, "greeted", False)
        if is_greeting:
            self.greeted = True
            status = await self.misbehave("CONNECT") or status
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:
        # In the words of the protocol: before the message.
        if reply := await self.misbehave("DATA"):
            await self.push(reply)
        else:
            await super().smtp_DATA(arg)


class Handler:
    """What the server does with each command, unless it is told to misbehave."""

    async def handle_MAIL(
        self, server: Session, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        if server.owner.wants_sign_in and not server.session.authenticated:
            return "530 5.7.0 Authentication required"
        return await server.misbehave("MAIL") or "250 OK"

    async def handle_RCPT(
        self, server: Session, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await server.misbehave("RCPT") or "250 OK"

    async def handle_DATA(self, server: Session, session: object, envelope: Envelope) -> str:
        reply = await server.misbehave("MESSAGE")
        if reply is None:
            server.store()
        return reply or "250 2.0.0 Ok: queued"

    async def handle_QUIT(self, server: Session, session: object, envelope: Envelope) -> str:
        return await server.misbehave("QUIT") or "221 Bye"


class SmtpServer:
    """The server, on a free port.

    Attributes:
        behaviours: What it does instead of the usual, by command: CONNECT, MAIL, RCPT, DATA (before the message),
            MESSAGE (after it), QUIT.
        commands: These commands, as they came.
        accepted: The envelopes of the messages that it took.
        sign_ins: The mechanisms by which clients tried to sign in; only `USER` with `PASSWORD` may.
    """

    def __init__(
        self, *, certificate: Path | None = None, is_encrypted: bool = False, wants_sign_in: bool = False
    ) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.commands: list[str] = []
        self.accepted: list[Envelope] = []
        self.sign_ins: list[str] = []
        self.sessions: list[Session] = []
        self.wants_sign_in = wants_sign_in
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.is_encrypted = is_encrypted
        self.loop = asyncio.new_event_loop()
        self.started = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.closing = asyncio.Event()
        self.loop.run_until_complete(self.serve())
        self.loop.close()

    async def serve(self) -> None:
        encryption = self.context if self.is_encrypted else None
        server = await self.loop.create_server(self.session, "127.0.0.1", 0, ssl=encryption)
        self.port = server.sockets[0].getsockname()[1]
        self.started.set()
        await self.closing.wait()
        server.close()
        for session in self.sessions:
            if session.transport is not None:
                session.transport.abort()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def session(self) -> Session:
        session = Session(
            Handler(),
            hostname="mx.example.org",
            tls_context=None if self.is_encrypted else self.context,
            authenticator=self.authenticate,
            auth_require_tls=False,
            loop=self.loop,
        )
        session.owner = self
        self.sessions.append(session)
        return session

    def authenticate(
        self, server: SMTP, session: object, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.sign_ins.append(mechanism)
        may = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=may, handled=False)

    @staticmethod
    def read(envelope: Envelope) -> EmailMessage:
        return message_from_bytes(envelope.original_content, policy=policy.default)  # type: ignore[return-value]

    @property
    def messages(self) -> list[EmailMessage]:
        """What it took."""
        return [self.read(envelope) for envelope in self.accepted]

    @property
    def receivers(self) -> list[str]:
        """Who was written to, in alphabetical order: messages of one event are sent at the same time."""
        return sorted(address for envelope in self.accepted for address in envelope.rcpt_tos)

    def __enter__(self) -> "SmtpServer":
        self.thread.start()
        assert self.started.wait(START_SECONDS)
        return self

    def __exit__(self, *args: object) -> None:
        self.loop.call_soon_threadsafe(self.closing.set)
        self.thread.join(timeout=START_SECONDS)


def write_certificate(path: Path, *, host: str = "127.0.0.1") -> Path:
    """Writes a certificate for the host that nobody but itself has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.example.org")])
    try:
        named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        named = x509.DNSName(host)
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
