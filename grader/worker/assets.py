"""Reads what a run did to assets, and which DAGs of the file the scheduler would start for it.

It must not start anything itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.models.asset import AssetDagRunQueue, AssetModel
from airflow.models.asset import AssetEvent as AssetEventModel
from airflow.models.dag import DagModel
from airflow.utils.session import create_session
from sqlalchemy import delete, select

from grader.transcript import AssetEvent
from grader.worker import facts

MOST = 200


def events_of(run_id: str, dag_id: str) -> list[AssetEvent]:
    """The updates that a run made, in their order."""
    model = AssetEventModel
    query = (
        select(AssetModel.name, model.source_task_id, model.extra)
        .join(AssetModel, AssetModel.id == model.asset_id)
        .where(model.source_dag_id == dag_id, model.source_run_id == run_id)
        .order_by(model.id)
        .limit(MOST)
    )
    with create_session() as session:
        return [
            AssetEvent(
                asset=facts.cut(str(name), 250),
                task_id=str(task_id) if task_id else None,
                extra=facts.value_facts(extra),
            )
            for name, task_id, extra in session.execute(query)
        ]


class Consumers:
    """Which DAGs are due because of assets, by Airflow's own rule; each update counts once."""

    def __init__(self, dag_ids: Iterable[str]):
        self._seen = dict.fromkeys(dag_ids, 0)

    def due(self) -> list[str]:
        """The ids of DAGs whose assets have all been updated, taken off the scheduler's list."""
        if not self._seen:
            return []
        with create_session() as session:
            _, due = DagModel.dags_needing_dagruns(session)
            found = sorted(set(due) & set(self._seen))
            queue = AssetDagRunQueue
            session.execute(delete(queue).where(queue.target_dag_id.in_(found)))
            return found

    def hand_over(self, dag_id: str, dag_run: Any, session: Any) -> None:
        """Give a run the updates that it was started for."""
        wanted = {reference.asset_id for reference in dag_run.dag_model.schedule_asset_references}
        query = (
            select(AssetEventModel)
            .where(AssetEventModel.asset_id.in_(wanted), AssetEventModel.id > self._seen[dag_id])
            .order_by(AssetEventModel.id)
        )
        updates = list(session.scalars(query))
        if updates:
            self._seen[dag_id] = updates[-1].id
        dag_run.consumed_asset_events.extend(updates)
