"""Durable queues: executions that wait for their turn, as the limits of their queue say.

A queued execution exists from the start, so its id, its handle and its result are there at once. What waits is its
body: it begins when the *turn* of the execution is given, a latent promise ``turn/ID``. Turns are given by the
*keeper* of the queue, one execution ``queue/NAME`` (one for each partition, where there are any), which is asked by
messages. So a queue works wherever messages do, and survives crashes like any other execution:

* Who enqueues makes the execution, then puts a request into the inbox of the keeper. Requests stand there in the order
  in which they were sent, whichever worker picks the executions up first.
* Should its sender die in between, the execution puts the request itself when a worker picks it up. The keeper knows
  executions by their ids, so a request that comes twice is one; and it gives the sender's request, which may still be
  on its way, a moment to come first.
* The keeper gives a turn and follows the promise of the execution. However that ends (result, error, cancellation,
  time limit, termination from outside), its place is free. Nobody has to say so, so nobody can forget it.
* While an execution with a deduplication id is in a queue, ``claim_place`` gives its id to whoever claims the same.
* The newest limits count. They come with the requests; a worker that knows the queue says its own.

``worker_concurrency`` is kept by the process: an execution whose turn it is waits there for a seat.

Other APIs on the runtime (``compat.dbos``) have the same queues under the same names: they declare limits with
``declare_limits`` and ask for a ``QueuePlace``.
"""
