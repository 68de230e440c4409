"""Loads one DAG file the way Airflow's dag-processor does, but keeps the exception.

It must not look for other files and must not run the DAG.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from airflow.sdk import DAG
from airflow.sdk.definitions._internal.contextmanager import DagContext

MODULE = "learner_dag_file"


class Registered(list[tuple[DAG, ModuleType]]):
    """Where `@dag` notes what it made. Airflow has a set here, which drops a second like DAG."""

    def add(self, item: tuple[DAG, ModuleType]) -> None:
        """As a set would."""
        self.append(item)


def load_dags(path: Path) -> dict[str, DAG]:
    """Import the file and return its valid DAGs by id, in a dict ordered by id.

    Raises whatever the file, Airflow's validation or the cycle check raises.
    """
    DagContext.current_autoregister_module_name = MODULE
    registered = DagContext.autoregistered_dags = Registered()  # type: ignore[assignment]
    module = _import(path)
    found = [o for o in vars(module).values() if isinstance(o, DAG)]
    found += [dag for dag, _ in registered]
    DagContext.current_autoregister_module_name = None
    dags: dict[str, DAG] = {}
    # By identity: two DAGs with the same id may well call themselves equal.
    for dag in {id(dag): dag for dag in found}.values():
        dag.fileloc = str(path)
        dag.relative_fileloc = path.name
        dag.validate()
        dag.check_cycle()
        dag.resolve_template_files()
        if dag.dag_id in dags:
            raise ValueError(f"the file makes two DAGs with the id {dag.dag_id!r}")
        dags[dag.dag_id] = dag
    return dict(sorted(dags.items()))


def _import(path: Path) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(MODULE, str(path))
    spec = importlib.util.spec_from_loader(MODULE, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    loader.exec_module(module)
    return module


def sync_to_database(dags: dict[str, DAG], folder: Path) -> None:
    """Write the serialised DAGs, without which `DAG.test` refuses to run."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.merge(DagBundleModel(name="submission"))
    bag = DagBag(str(folder), bundle_path=folder, bundle_name="submission", collect_dags=False)
    bag.dags = dict(dags)
    sync_bag_to_db(bag, "submission", None)
