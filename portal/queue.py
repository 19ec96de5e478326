"""Work for later: a task written in the same database and transaction as the rows that cause it."""

from django_q.tasks import async_task


def defer(task: str, *ids: int | str) -> None:
    """Queues `package.tasks.function` with ids only. The worker runs it at least once, so tasks re-read rows."""
    async_task(task, *ids, task_name=f"{task}:{':'.join(map(str, ids))}"[:100])
