"""The scheduler: a pure stepper that drives the generators of one execution.

Theory
======

An *execution* is one targeted durable promise and everything that the worker holding its task does for it. Inside
run *branches*: the function itself, local generator children, handlers. A branch runs until it yields a command that
it must wait for; when every branch waits, the execution is *quiescent*, and then exactly one *event* is delivered: the
settlement of something a branch waits for, or the next message. So an execution is determined by its arguments and
by the sequence of its events, and replay is exact when it delivers the same sequence.

Which sequence was it? Let the *sources* be what the branches wait for at a quiescent point, messages aside.

* One source: the next event can only be that one. Nothing is recorded. This is the common case, and free.
* Several sources, or a message while there are sources: the event is written to an *order record* (``E.order.N``). It
  must be durable before anything that follows from it can be seen from outside: it stands before the first write that
  follows, and steps start after it; it rides in the same commit.
* A message while there is no source: nothing is recorded; at such a point only a message can come, and messages have
  numbers.
* A message while the function has ended and waits for what it began: recorded, for the end could have come instead. So
  is the first failure of a gather, for another part may have failed by the time of a replay. The parts of a gather with
  a limit begin at events ("there is room"), not whenever something happens to settle.

On replay the event number N is the one that a record names; where no record exists and later ones do, it is the only
source (or, without sources, the next message). After the last record a single source that has an event still goes
first, for it may have come unrecorded; where it has none the execution is live.

Everything that was settled is found again by its id. Ids are positions (``E.1``, ``E.2``), and each record carries the
name of what made it: a command that does not fit its record raises ``NondeterminismError`` and changes nothing.

Nothing here reads a clock, starts a thread or touches a store. The execution takes in records and outcomes and fills
lists of what is to be done (``effects``); ``resonate_core.worker`` carries them out.
"""
