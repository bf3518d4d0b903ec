"""The least that can carry: LISTEN, claim by hand, a POST for each row. URLs of database and broker."""

from __future__ import annotations

import asyncio
import sys

import httpx
import psycopg

CLAIM = """
with taken as (
  delete from by_hand.work where job_id in (
    select job_id from by_hand.work order by job_id limit 10 for update skip locked
  ) returning job_id
)
select j.key from taken as t join by_hand.jobs as j on j.job_id = t.job_id order by j.job_id
"""


async def carry(url: str, broker_url: str) -> None:
    """Carry until killed."""
    listening = await psycopg.AsyncConnection.connect(url, autocommit=True)
    claiming = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=1)
    await listening.execute("listen bare")
    async with (
        httpx.AsyncClient(base_url=broker_url, trust_env=False) as client,
        asyncio.TaskGroup() as carrying,
    ):
        await client.get("/v2/account")
        print("ready", flush=True)
        async for _ in listening.notifies():
            for (key,) in await (await claiming.execute(CLAIM)).fetchall():
                carrying.create_task(client.post("/v2/orders", json={"client_order_id": key}))


asyncio.run(carry(*sys.argv[1:3]))
