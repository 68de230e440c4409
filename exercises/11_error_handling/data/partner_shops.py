"""The three partner shops and the channel of the person on call, for trying the ingest by hand.

It listens on this machine only and prints what it is asked and told. What the shops answer stands
in `tonight.json`; it is read anew for each question.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).parent
PORT = 8011
ASKED: Counter[str] = Counter()


class Shops(BaseHTTPRequestHandler):
    """Answers for all shops, and takes alerts."""

    def do_GET(self) -> None:
        """A shop is asked for the orders of a night."""
        url = urlsplit(self.path)
        shop, night = url.path.rpartition("/")[2], parse_qs(url.query)["night"][0]
        row = json.loads((HERE / "tonight.json").read_text(encoding="utf-8"))[shop]
        text = row[min(ASKED[shop + night], len(row) - 1)]
        ASKED[shop + night] += 1
        print(f"{shop}, {night}: answers {text}", flush=True)
        if text == "nothing":
            self.close_connection = True
        elif text[0].isdigit():
            code, _, seconds = text.partition(" ")
            self.answer(int(code), b"", seconds)
        else:
            self.answer(200, (HERE / text).read_bytes())

    def do_POST(self) -> None:
        """The person on call is told something."""
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        print("ALERT", *(f"  {name}: {text}" for name, text in told.items()), sep="\n", flush=True)
        self.answer(200, b"")

    def answer(self, code: int, body: bytes, retry_after: str = "") -> None:
        """Send it, with a header if the shop is busy."""
        self.send_response(code)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing else."""


if __name__ == "__main__":
    print(f"Three shops and the person on call, on http://localhost:{PORT}. Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):
        HTTPServer(("127.0.0.1", PORT), Shops).serve_forever()
