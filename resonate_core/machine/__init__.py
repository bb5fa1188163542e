"""The server's decisions, pure: (what is stored, request, now) -> (response, effects).

Theory. A *view* reads stored rows, one by one, as a request touches them. A *draft* lays the changes of one request
over the view. Handlers look through the draft, guard, and only then change it; a refused request changes nothing, with
one exception: whatever it names and whose deadline has passed is settled first ("materialise on touch"), so that every
answer shows the same world, whether or not a timer has run yet. The draft's effects are plain data; memory and SQLite
commit the same ones. Timers are decisions like requests: ``timers.fire`` takes one due thing and returns effects.

The module reads no clock, draws no id and does no input or output.
"""
