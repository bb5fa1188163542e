"""What a heartbeat said is there for the attempt after a crash."""

from __future__ import annotations

import threading

from resonate_core import Resonate, durable, heartbeat, step, step_info


def test_details_of_a_dead_worker_reach_the_next_attempt(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    said, seen, go_on = threading.Event(), [], threading.Event()

    @step(name="copy")
    def copy_first():
        for number in range(5):
            heartbeat(number, "rows")
        said.set()
        go_on.wait(20)

    @step(name="copy")
    def copy_again():
        seen.append(step_info().heartbeat_details)
        return "copied"

    @durable(name="job")
    def job(ctx):
        return (yield ctx.run(copy_first))

    first = Resonate(url, synchronous="NORMAL", pid="first")
    first.register(job, copy_first)
    first.begin_run("j", job)
    said.wait(20)
    while not [r for r in first.promises.search() if ".beat." in r.id]:
        pass
    first.stop(timeout=0)
    go_on.set()
    second = Resonate(url, synchronous="NORMAL", pid="second")
    second.register(job, copy_again)
    second.start()
    assert second.get("j").result(20) == "copied"
    assert seen == [(4, "rows")]
    assert [node.id for _, node in second.tree("j").walk()] == ["j", "j.1"]
    second.stop()


def test_heartbeats_of_a_step_that_ends_leave_nothing_behind(tmp_path):
    @step()
    def quick():
        heartbeat("done")

    @durable(name="job")
    def job(ctx):
        yield ctx.run(quick)

    with Resonate.local() as resonate:
        resonate.register(job)
        resonate.run("j", job)
        beats = resonate._engine.worker.beats
        assert (beats._records, beats._waiting, beats._recorded_ms) == ({}, {}, {})
