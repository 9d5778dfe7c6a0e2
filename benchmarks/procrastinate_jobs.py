"""procrastinate's own speed on the same server: jobs that do nothing. Run in its own environment: `DATABASE JOBS CONCURRENCY`."""

import asyncio
import sys
import time

import procrastinate


async def main(database: str, jobs: int, concurrency: int) -> None:
    """Queue the jobs, then time a worker that works them off; prints jobs a second."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database))

    @app.task(name="nothing")
    async def nothing(number: int) -> None:
        """What both sides' handlers do."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await nothing.batch_defer_async(*({"number": number} for number in range(jobs)))
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=concurrency, install_signal_handlers=False)
        print(jobs / (time.perf_counter() - began))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
