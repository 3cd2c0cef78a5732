"""A run's budget as many calls at once draw on it: reserved before a call, settled after it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from tqdm import tqdm

from limaflow.endpoints.settings import Budget
from limaflow.endpoints.spending import BudgetReached, Spending, broken, reached
from limaflow.endpoints.store import GroupCommit, Store

Result = TypeVar("Result")
WAIT_SECONDS = 1.0
WAITS = (
    "all that is left of the budget is reserved for calls of other processes, which are waited for"
)


class BudgetAccount:
    """What is left of a run's budget, over all processes that share the store."""

    def __init__(self, store: Store, committed: GroupCommit, run: str, budget: Budget) -> None:
        self._store = store
        self._committed = committed
        self._run = run
        self.budget = budget
        self.spent = store.spent(run)
        """What the run had spent at the start, and these calls since."""
        self._settled = asyncio.Event()
        self._under_way = 0
        self._waits = False
        self._broken: BudgetReached | None = None

    async def pay(
        self, bound: Spending, call: Callable[[], Awaitable[tuple[Result, Spending]]]
    ) -> Result:
        """The result of `call`, made once there is room for `bound`, the most that it may cost.

        Args:
            call: returns its result and what it really cost; where it raises, `bound` is counted.

        Raises:
            BudgetReached: the call might pass the budget, and none is under way that may leave
                room; or an earlier one took more than its bound.
        """
        await self._reserve(bound)
        if self._broken:
            raise self._broken
        self._under_way += 1
        paid = bound
        try:
            result, paid = await call()
            if paid.exceeds(bound) and not self.budget.unbounded:
                self._broken = broken(paid, bound)
        finally:
            await self._committed(partial(self._store.settle, self._run, bound, paid))
            self.spent += paid
            self._under_way -= 1
            self._settled.set()
        return result

    async def _reserve(self, bound: Spending) -> None:
        reserve = partial(self._store.reserve, self._run, bound, self.budget)
        while self._broken is None:
            # Asked before the reservation, since a call may end while that is on its way.
            alone = not self._under_way
            if await self._committed(reserve):
                return
            if self._under_way:
                # Reservations are upper bounds: a call that ends may leave room for this one.
                self._settled.clear()
                await self._settled.wait()
            elif alone:
                later = partial(self._store.has_room_later, self._run, bound, self.budget)
                if not await self._committed(later):
                    raise self._reached(bound)
                self._say_that_it_waits()
                await asyncio.sleep(WAIT_SECONDS)

    def _say_that_it_waits(self) -> None:
        if not self._waits:
            self._waits = True
            tqdm.write(WAITS, file=sys.stderr)

    def _reached(self, bound: Spending) -> BudgetReached:
        spent, reserved = self._store.spent(self._run), self._store.reserved(self._run)
        return reached(self.budget, spent, reserved, bound)
