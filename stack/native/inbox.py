"""A small mail inbox for the native stack: SMTP on 1025, a page and Mailpit's API on 8025.

It stands in for Mailpit where that is not installed: the same ports and the same two calls of its
API. It keeps the newest messages in memory and sends nothing on.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import html
import itertools
from collections import deque
from email.message import EmailMessage
from email.utils import getaddresses

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

HOST, SMTP_PORT, WEB_PORT = "127.0.0.1", 1025, 8025
KEPT = 500
numbers = itertools.count(1)
messages: deque[dict[str, object]] = deque(maxlen=KEPT)
app = FastAPI(title="Inbox")


class Handler:
    """Takes each mail that arrives."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        messages.appendleft(read(envelope.content or b""))
        return "250 Message accepted"


def read(content: bytes | str) -> dict[str, object]:
    """A mail in the form in which Mailpit gives one."""
    raw = content if isinstance(content, bytes) else content.encode()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return {
        "ID": str(next(numbers)),
        "From": people(mail, "From")[0] if mail["From"] else None,
        "To": people(mail, "To"),
        "Subject": str(mail["Subject"] or ""),
        "Created": dt.datetime.now(dt.UTC).isoformat(),
        "Text": part(mail, "plain"),
        "HTML": part(mail, "html"),
    }


def people(mail: EmailMessage, header: str) -> list[dict[str, str]]:
    """Names and addresses of a header."""
    found = getaddresses([str(value) for value in mail.get_all(header, [])])
    return [{"Name": name, "Address": address} for name, address in found]


def part(mail: EmailMessage, kind: str) -> str:
    """The body of this kind, or nothing."""
    body = mail.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body else ""


@app.get("/livez")
@app.get("/readyz")
def ready() -> str:
    """Mailpit answers its health checks at these two."""
    return "ok"


@app.get("/api/v1/messages")
def list_messages() -> dict[str, object]:
    """All mails, the newest first, without their bodies."""
    shown = [{k: v for k, v in m.items() if k not in ("Text", "HTML")} for m in messages]
    return {"total": len(messages), "messages": shown}


@app.get("/api/v1/message/{number}")
def one_message(number: str) -> dict[str, object]:
    """One mail with its bodies."""
    for message in messages:
        if message["ID"] == number:
            return message
    raise HTTPException(404, "there is no such message")


@app.delete("/api/v1/messages")
def delete_messages() -> str:
    """Empty the inbox."""
    messages.clear()
    return "ok"


@app.get("/", response_class=HTMLResponse)
def page() -> str:
    """All mails as one page. Everything that a mail says is shown as text."""
    rows = "".join(
        f"<details><summary><b>{html.escape(str(m['Subject']))}</b> "
        f"<small>{html.escape(str(m['Created']))[:19]}</small></summary>"
        f"<pre>{html.escape(str(m['Text'] or m['HTML']))}</pre></details>"
        for m in messages
    )
    return (
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=30>"
        "<title>Inbox</title><style>body{font:16px sans-serif;max-width:60em;margin:2em auto}"
        "pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}</style>"
        f"<h1>Inbox ({len(messages)})</h1>{rows or '<p>No mail yet.</p>'}"
    )


def main() -> None:
    """Serve until stopped."""
    controller = Controller(Handler(), hostname=HOST, port=SMTP_PORT)
    controller.start()
    try:
        uvicorn.run(app, host=HOST, port=WEB_PORT, log_level="warning")
    finally:
        controller.stop()


if __name__ == "__main__":
    main()
