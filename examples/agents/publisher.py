"""What the platform tells its clients: one method for each event.

    publisher = AgentsPublisher()
    await publisher.broadcast_workflow_progress("w1", "running", 40, "tests", 5, project_id="p1")

Each method gives True once the event is kept, and raises PublishError when it was refused or nobody
answered. Who hears it follows from its fields (`events` in sidecast.yaml). Any process may publish: a
route of a web framework, an activity of a workflow engine, a webhook. Python 3.8, sidecast.py beside it.
"""
import asyncio
import functools
import os
import re
import sys

from sidecast import Client, SidecastError

PublishError = SidecastError  # `status` is 0 when nobody answered


class AgentsPublisher:
    """`url` and `api_key` default to SIDECAST_URL and SIDECAST_API_KEY, the key else to the file
    secrets/api.keys beside this one."""

    def __init__(self, url=None, api_key=None, timeout=5.0):
        url = url or os.environ.get("SIDECAST_URL", "http://127.0.0.1:8000")
        key = api_key or os.environ.get("SIDECAST_API_KEY") or _key_beside()
        self._client = Client(url, key, timeout)

    async def broadcast_project_updated(self, project_id, project_name, repository_url, status,
                                        updated_by, changes):
        return await self._tell("project.updated", project_id=project_id,
                                project_name=project_name, repository_url=repository_url,
                                status=status, updated_by=updated_by, changes=changes)

    async def broadcast_project_deleted(self, project_id, project_name, deleted_by):
        return await self._tell("project.deleted", project_id=project_id,
                                project_name=project_name, deleted_by=deleted_by)

    async def broadcast_agent_status_changed(self, agent_id, status, previous_status,
                                             project_id=None, current_task=None):
        return await self._tell("agent.status_changed", agent_id=agent_id, status=status,
                                previous_status=previous_status, project_id=project_id,
                                current_task=current_task)

    async def broadcast_agent_connected(self, agent_id, agent_name, capabilities=None):
        return await self._tell("agent.connected", agent_id=agent_id, agent_name=agent_name,
                                capabilities=capabilities)

    async def broadcast_agent_disconnected(self, agent_id, reason):
        return await self._tell("agent.disconnected", agent_id=agent_id, reason=reason)

    async def broadcast_workflow_started(self, workflow_id, workflow_type, total_steps,
                                         project_id=None, user_id=None):
        return await self._tell("workflow.started", workflow_id=workflow_id,
                                workflow_type=workflow_type, total_steps=total_steps,
                                project_id=project_id, user_id=user_id)

    async def broadcast_workflow_progress(self, workflow_id, status, progress, current_step,
                                          total_steps, project_id=None, user_id=None):
        return await self._tell("workflow.progress", workflow_id=workflow_id, status=status,
                                progress=progress, current_step=current_step,
                                total_steps=total_steps, project_id=project_id, user_id=user_id)

    async def broadcast_workflow_completed(self, workflow_id, result, project_id=None,
                                           user_id=None):
        return await self._tell("workflow.completed", workflow_id=workflow_id, result=result,
                                project_id=project_id, user_id=user_id)

    async def broadcast_workflow_failed(self, workflow_id, error, project_id=None, user_id=None):
        return await self._tell("workflow.failed", workflow_id=workflow_id, error=error,
                                project_id=project_id, user_id=user_id)

    async def broadcast_pr_created(self, pr_id, project_id, title, description, author, branch,
                                   github_url, status):
        return await self._tell("pr.created", pr_id=pr_id, project_id=project_id, title=title,
                                description=description, author=author, branch=branch,
                                github_url=github_url, status=status)

    async def broadcast_pr_updated(self, pr_id, project_id, title, status, changes,
                                   github_url=None):
        return await self._tell("pr.updated", pr_id=pr_id, project_id=project_id, title=title,
                                status=status, changes=changes, github_url=github_url)

    async def broadcast_pr_closed(self, pr_id, project_id, merged, closed_by=None):
        return await self._tell("pr.closed", pr_id=pr_id, project_id=project_id, merged=merged,
                                closed_by=closed_by)

    async def broadcast_issue_created(self, issue_id, project_id, title, author, labels=None,
                                      github_url=None):
        return await self._tell("issue.created", issue_id=issue_id, project_id=project_id,
                                title=title, author=author, labels=labels, github_url=github_url)

    async def broadcast_issue_updated(self, issue_id, project_id, title, status, changes,
                                      labels=None):
        return await self._tell("issue.updated", issue_id=issue_id, project_id=project_id,
                                title=title, status=status, changes=changes, labels=labels)

    async def broadcast_issue_closed(self, issue_id, project_id, closed_by=None):
        return await self._tell("issue.closed", issue_id=issue_id, project_id=project_id,
                                closed_by=closed_by)

    async def broadcast_ai_suggestion(self, suggestion_id, suggestion_type, content,
                                      confidence=None, project_id=None, user_id=None):
        return await self._tell("ai.suggestion", suggestion_id=suggestion_id,
                                suggestion_type=suggestion_type, content=content,
                                confidence=confidence, project_id=project_id, user_id=user_id)

    async def broadcast_ai_analysis_complete(self, analysis_id, summary, findings,
                                             project_id=None, user_id=None):
        return await self._tell("ai.analysis_complete", analysis_id=analysis_id, summary=summary,
                                findings=findings, project_id=project_id, user_id=user_id)

    async def _tell(self, event, **data):
        """Off the event loop; what is None is left out."""
        data = {name: value for name, value in data.items() if value is not None}
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, functools.partial(self._client.broadcast, event, data))
        return True


def _key_beside():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "secrets", "api.keys")
    with open(path, encoding="ascii") as file:
        return re.search(r"sk_[\w-]+", file.read()).group()


async def main(project):
    """A workflow, as its activities would tell of it."""
    publisher = AgentsPublisher()
    steps = ["clone", "plan", "write", "test", "review"]
    await publisher.broadcast_workflow_started("w1", "fix", len(steps), project_id=project)
    for number, step in enumerate(steps, 1):
        await publisher.broadcast_workflow_progress(
            "w1", "running", number / len(steps) * 100, step, len(steps), project_id=project)
        await asyncio.sleep(0.3)
    await publisher.broadcast_pr_created(
        "17", project, "Close the gate", "The hinge was bent.", "agent-1", "fix/gate",
        "https://github.example/pr/17", "open")
    await publisher.broadcast_workflow_completed("w1", {"pr": 17}, project_id=project)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "p1"))
