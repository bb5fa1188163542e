"""An event loop is woken once for all the news that have piled up."""

import asyncio
from concurrent.futures import Future

from resonate_core.client.mailbox import Mailboxes


class Wakes:
    """Counts how often a loop is woken from outside."""

    def __init__(self, loop, monkeypatch):
        self.count = 0
        wake = loop.call_soon_threadsafe

        def counted(*args, **kwargs):
            self.count += 1
            return wake(*args, **kwargs)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)


def test_results_that_come_together_wake_the_loop_once(monkeypatch):
    async def main():
        wakes = Wakes(asyncio.get_running_loop(), monkeypatch)
        box = Mailboxes().here()
        futures = [Future() for _ in range(100)]
        waiting = [box.expect(future) for future in futures]
        for future in futures:
            future.set_result(None)
        await asyncio.gather(*waiting)
        return wakes.count

    assert asyncio.run(main()) == 1


def test_news_after_the_box_was_emptied_wake_the_loop_again():
    async def main():
        box = Mailboxes().here()
        for _ in range(3):
            future = Future()
            waiting = box.expect(future)
            await asyncio.get_running_loop().run_in_executor(None, future.set_result, None)
            await asyncio.wait_for(waiting, 5)

    asyncio.run(main())


def test_one_who_gives_up_leaves_the_result_to_others():
    async def main():
        box, future = Mailboxes().here(), Future()
        first, second = box.expect(future), box.expect(future)
        first.cancel()
        future.set_result("it")
        await second
        return future.result()

    assert asyncio.run(main()) == "it"


def test_news_for_a_closed_loop_hurt_nobody():
    boxes, future = Mailboxes(), Future()

    async def main():
        boxes.here().expect(future)

    asyncio.run(main())
    future.set_result(None)
    assert future.result() is None


def test_each_loop_has_a_box_of_its_own():
    boxes = Mailboxes()

    async def main():
        return boxes.here() is boxes.here(), boxes.here()

    (is_same, first), (_, second) = asyncio.run(main()), asyncio.run(main())
    assert is_same
    assert first is not second
