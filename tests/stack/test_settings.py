"""`.env` is made once, completed when something is new, and private."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from dotenv import dotenv_values

from stack import StackProblem, settings


def test_it_is_made_with_secrets_of_its_own(tmp_path: Path) -> None:
    one = settings.load(tmp_path / "one", {})
    other = settings.load(tmp_path / "other", {})
    assert (one["AIRFLOW_USER"], one["AIRFLOW_PASSWORD"]) == ("airflow", "airflow")
    assert (one["GRAFANA_USER"], one["GRAFANA_PASSWORD"]) == ("admin", "admin")
    for secret in ("FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY", "POSTGRES_PASSWORD"):
        assert one[secret] != other[secret]
        assert len(one[secret]) >= 32
    Fernet(one["FERNET_KEY"])


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings.load(tmp_path / ".env", {})
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_a_second_start_uses_the_first_file(tmp_path: Path) -> None:
    first = settings.load(tmp_path / ".env", {})
    text = (tmp_path / ".env").read_text()
    assert settings.load(tmp_path / ".env", {}) == first
    assert (tmp_path / ".env").read_text() == text


def test_what_a_person_wrote_stays_and_what_is_missing_is_added(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("AIRFLOW_PASSWORD=heron\nMINE=1")  # without a last newline
    assert settings.load(file, {})["AIRFLOW_PASSWORD"] == "heron"
    kept = dotenv_values(file)
    assert kept["AIRFLOW_PASSWORD"] == "heron"
    assert kept["MINE"] == "1"
    assert kept["JWT_SECRET"]


def test_dags_can_be_chosen_for_one_start(tmp_path: Path) -> None:
    assert settings.load(tmp_path / ".env", {"DAGS": "solutions"})["DAGS"] == "solutions"
    assert settings.load(tmp_path / ".env", {"DAGS": ""})["DAGS"] == "exercises"
    with pytest.raises(StackProblem, match="there is no folder solution;"):
        settings.load(tmp_path / ".env", {"DAGS": "solution"})


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(StackProblem, match=r"cannot be used: Is a directory\.$"):
        settings.load(tmp_path / ".env", {})
