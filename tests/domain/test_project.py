"""R3: which node may run the authorization application."""

import pytest

from tests.factories import a_cluster, a_node, a_project
from wizard.domain.project import Role
from wizard.errors import InvalidInput


def test_a_single_node_project_takes_its_main_application_server() -> None:
    assert a_project().host("sales-main").role is Role.MAIN


def test_a_multi_node_project_takes_a_component_server() -> None:
    assert a_cluster().host("plan-component").role is Role.COMPONENT


@pytest.mark.parametrize("slug", ["plan-main", "plan-second"])
def test_other_nodes_of_a_multi_node_project_are_refused_with_the_reason(slug: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        a_cluster().host(slug)
    assert "component server" in str(refused.value.problem.why)


def test_a_single_node_project_on_a_component_server_is_refused() -> None:
    project = a_project(nodes=(a_node(role=Role.COMPONENT),))
    with pytest.raises(InvalidInput) as refused:
        project.host("sales-main")
    assert "main application server" in str(refused.value.problem.why)


def test_a_node_of_another_project_is_refused() -> None:
    with pytest.raises(InvalidInput):
        a_project().host("plan-component")
