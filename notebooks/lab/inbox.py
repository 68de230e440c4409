"""The inbox that the stack's mails arrive in. It reads and deletes nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lab.service import Service


class Inbox(Service):
    """Mailpit's API, or that of the small inbox of the native stack."""

    name = "The inbox"

    def mails(self) -> pd.DataFrame:
        """All mails, the newest first: `sent` (UTC), `to`, `subject`."""
        rows = [
            {
                "sent": mail["Created"][11:19],
                "to": ", ".join(person["Address"] for person in mail["To"]),
                "subject": mail["Subject"],
            }
            for mail in self._listed()
        ]
        return pd.DataFrame(rows, columns=["sent", "to", "subject"])

    def text(self, *words: str) -> str:
        """The text of the newest mail that has all these words in it or its subject, or nothing."""
        for listed in self._listed():
            mail = self.ask("GET", f"/api/v1/message/{listed['ID']}")
            if all(word in mail["Subject"] + mail["Text"] for word in words):
                return str(mail["Text"]).strip()
        return ""

    def _listed(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "/api/v1/messages")["messages"])
